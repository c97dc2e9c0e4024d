"""Playing a song: from its score to what the microphones and cables of a session record.

Nobody has balanced these recordings: every source is mono or a close pair, at the level that its
preamplifier happened to be set to, with the room, the noise of the chain, some bleed from the
other players, and the dynamics as played.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy

from fxnorm.audio import from_db, to_stereo
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.drums import play_drums
from fxnorm.data.synthesis.dynamics import STEPS
from fxnorm.data.synthesis.instruments import has_microphone, play
from fxnorm.data.synthesis.oscillators import sample_count
from fxnorm.data.synthesis.rooms import Room, impulse_response
from fxnorm.data.synthesis.score import Composition, Note, Part
from fxnorm.data.synthesis.voice import sing
from fxnorm.effects import low_pass
from fxnorm.seeds import generator

#: The loudest track's peak in dBFS of each stem: what preamplifiers happened to be set to. Voices
#: and drums get more headroom, as nobody foresees their peaks.
_PEAKS_DB = {"vocals": (-16.0, -9.0), "bass": (-6.0, -1.0), "drums": (-17.0, -10.0),
             "other": (-10.0, -4.0)}  # fmt: skip
#: Microphones above and beside the kit hear less of it than those at its drums, in dB.
_FARTHER_DB = {"overheads": -9.0, "percussion": -12.0}
#: Preamplifiers of one stem differ by this much, in dB either way.
_UNEVENNESS_DB = 2.0
#: Noise of microphones and amplifiers, relative to the loudest track's peak.
_NOISE_DB = -67.0
#: Bands that play in one room bleed into each other's microphones, this far below a track's level.
_LIVE = ("rock", "soul", "folk")
_BLEED_DB = -36.0
#: Instruments that are played twice, one take for each side.
_TWICE = ("distorted_guitar", "crunch_guitar", "acoustic_guitar", "brass")
#: How far a second take is from the first (standard deviation).
_TAKE_S, _TAKE_SEMITONES = 0.007, 0.04
_ROOM = Room(reverberation_s=0.35, damping=1.8, warmth=1.1, direct=6.0)
#: Level of the room in a microphone.
_ROOM_LEVEL = {"vocals": 0.1, "drums": 0.3, "bass": 0.1, "other": 0.2}
_FADE_OUT_S = 0.6
#: Notes closer than this belong to one passage; a passage rings on for the second figure.
_PAUSE_S, _RING_S = 0.8, 0.5


@dataclass(frozen=True, eq=False)
class Recording:
    """One recorded source of a stem."""

    name: str
    """What was recorded: lead, double, backing, kick, an instrument, …"""
    role: str
    """The part it plays: as in `score.Part`; the name itself for vocals and drums."""
    take: int
    """0, or 1 for the second take of a source."""
    audio: np.ndarray
    """(samples,) or, for a close pair, (samples, 2), float64 on 16-bit steps."""
    passages: tuple[tuple[float, float], ...]
    """When it is played: start and end in seconds."""


def perform(song: Composition, seed: int) -> dict[str, tuple[Recording, ...]]:
    """Record the tracks of a song's four stems."""
    samples = sample_count(song.outline.duration_s)
    played = {
        "vocals": _vocals(song, samples, seed),
        "bass": [_part(song, song.bass, 0, samples, seed)],
        "drums": _drums(song, samples, seed),
        "other": [
            _part(song, part, take, samples, seed)
            for part in song.accompaniment
            for take in range(2 if part.instrument in _TWICE else 1)
        ],
    }
    heard = _hear(played, song, seed)
    return {stem: _record(stem, tracks, song, seed) for stem, tracks in heard.items()}


def raw_stem(tracks: tuple[Recording, ...]) -> np.ndarray:
    """The sum of a stem's recordings, nothing panned: (samples, 2) float64 on 16-bit steps."""
    stem: np.ndarray = np.sum([to_stereo(track.audio) for track in tracks], axis=0)
    return stem


def _mono(audio: np.ndarray) -> np.ndarray:
    return audio if audio.ndim == 1 else audio.mean(axis=1)


def _vocals(song: Composition, samples: int, seed: int) -> list[Recording]:
    """The lead, its double, and two backing voices."""
    parts = [("lead", 0, song.lead), ("double", 0, song.double)]
    parts += [("backing", take, song.backing) for take in (0, 1)]
    return [
        Recording(
            name,
            name,
            take,
            sing(part, song.voice, samples, _random(song, seed, name, take)),
            _passages(part),
        )
        for name, take, part in parts
        if part
    ]


def _part(song: Composition, part: Part, take: int, samples: int, seed: int) -> Recording:
    random = _random(song, seed, part.role, part.instrument, take)
    if take:
        # Nobody plays the same twice.
        part = replace(part, notes=tuple(_again(note, random) for note in part.notes))
    audio = play(part, samples, random)
    return Recording(part.instrument, part.role, take, audio, _passages(part.notes))


def _again(note: Note, random: np.random.Generator) -> Note:
    late_s = note.start_s + _TAKE_S * float(random.standard_normal())
    return replace(
        note,
        start_s=max(0.0, late_s),
        pitch=note.pitch + _TAKE_SEMITONES * float(random.standard_normal()),
        velocity=note.velocity * float(random.uniform(0.9, 1.0)),
    )


def _drums(song: Composition, samples: int, seed: int) -> list[Recording]:
    random = _random(song, seed, "drums")
    hits = tuple(Note(hit.start_s, 0.3, 0.0, hit.velocity) for hit in song.drums)
    return [
        Recording(channel, channel, 0, audio, _passages(hits))
        for channel, audio in play_drums(song.drums, song.kit, samples, random).items()
    ]


def _random(song: Composition, seed: int, *purpose: str | int) -> np.random.Generator:
    return generator(seed, "performance", song.name, *purpose)


def _passages(notes: tuple[Note, ...]) -> tuple[tuple[float, float], ...]:
    """Stretches of time in which notes follow each other, and their ringing on."""
    passages: list[tuple[float, float]] = []
    for note in sorted(notes, key=lambda note: note.start_s):
        end_s = note.start_s + note.duration_s
        if passages and note.start_s - passages[-1][1] < _PAUSE_S:
            passages[-1] = (passages[-1][0], max(passages[-1][1], end_s))
        else:
            passages.append((note.start_s, end_s))
    return tuple((start_s, end_s + _RING_S) for start_s, end_s in passages)


def _hear(
    played: dict[str, list[Recording]], song: Composition, seed: int
) -> dict[str, list[Recording]]:
    """Add the room and, for a band that plays together, the others' bleed."""
    response = impulse_response(_ROOM, generator(seed, "recording room"))[:, 0]
    response[0] = 0.0
    bleed = _bleed(played) if song.outline.style in _LIVE else None
    heard: dict[str, list[Recording]] = {}
    for stem, tracks in played.items():
        always = stem in ("vocals", "drums")
        close = [track for track in tracks if always or has_microphone(track.name)]
        if not close:
            heard[stem] = tracks
            continue
        together = np.sum([_mono(track.audio) for track in close], axis=0) / len(close)
        around = scipy.signal.oaconvolve(together, response)[: together.size]
        around *= _ROOM_LEVEL[stem]
        if bleed is not None:
            around += bleed(stem) * np.sqrt(np.mean(together**2)) * from_db(_BLEED_DB)
        heard[stem] = [
            replace(
                track, audio=track.audio + (around if track.audio.ndim == 1 else around[:, None])
            )
            if track in close
            else track
            for track in tracks
        ]
    return heard


def _bleed(played: dict[str, list[Recording]]) -> Callable[[str], np.ndarray]:
    """What a stem's microphones hear of the other stems: unit level, without treble."""
    sections = low_pass(3000.0, SAMPLE_RATE)
    sums = {}
    for stem, tracks in played.items():
        mono = np.sum([_mono(track.audio) for track in tracks], axis=0)
        dull = scipy.signal.sosfilt(sections, mono)
        sums[stem] = dull / np.sqrt(np.mean(dull**2))

    def others(stem: str) -> np.ndarray:
        total = np.sum([audio for name, audio in sums.items() if name != stem], axis=0)
        return np.asarray(total / np.sqrt(np.mean(total**2)))

    return others


def _record(
    stem: str, tracks: list[Recording], song: Composition, seed: int
) -> tuple[Recording, ...]:
    """Set preamplifiers, add their noise, fade the end out, round to 16 bits."""
    random = _random(song, seed, "recording", stem)
    samples = tracks[0].audio.shape[0]
    fade = np.ones(samples)
    tail = min(samples, sample_count(_FADE_OUT_S))
    fade[samples - tail :] = np.cos(np.linspace(0.0, np.pi / 2.0, tail)) ** 2
    loudest_db = random.uniform(*_PEAKS_DB[stem])
    reference = max(np.abs(track.audio).max() for track in tracks)
    recorded = []
    for track in tracks:
        uneven_db = random.uniform(-_UNEVENNESS_DB, _UNEVENNESS_DB)
        level_db = loudest_db + uneven_db - _UNEVENNESS_DB + _FARTHER_DB.get(track.name, 0.0)
        gain = from_db(level_db) / reference
        # Uniform noise of unit level.
        noise = from_db(loudest_db + _NOISE_DB) * np.sqrt(12.0) * (random.random(samples) - 0.5)
        shaped = fade if track.audio.ndim == 1 else fade[:, None]
        noise = noise if track.audio.ndim == 1 else noise[:, None]
        steps = np.rint(STEPS * shaped * (gain * track.audio + noise)) / STEPS
        recorded.append(replace(track, audio=steps))
    return tuple(recorded)
