"""The mixing engineer: hears the raw tracks, decides on a chain for each stem, mixes.

Decisions are rules about what can be heard: which instruments play, in which style, how bright and
how dense they are, how fast the song is, which section it is in. The rules are the same for all
songs; only a small jitter is each song's own. So a listener, or a network, can learn them. On
average over the styles a stem gets the spectrum and width that stems of its type have in MUSDB18.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from fxnorm.audio import db, from_db, integrated_loudness
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.data.synthesis import house
from fxnorm.data.synthesis.bus import BANDS_HZ, SIDE_GAINS_DB, Heard, equalize, hear
from fxnorm.data.synthesis.dynamics import active_rms, limit_crest, louder_channel
from fxnorm.data.synthesis.oscillators import sample_count
from fxnorm.data.synthesis.performance import Recording
from fxnorm.data.synthesis.real_music import real_curve
from fxnorm.data.synthesis.rooms import Room, impulse_response
from fxnorm.data.synthesis.score import Composition
from fxnorm.data.synthesis.synthesis_config import EngineerConfig
from fxnorm.effects.compressor import gain_reduction_db, level_db, smoothing
from fxnorm.effects.processors import build_chain
from fxnorm.seeds import generator

#: Rooms and plates of the studio, the same for all songs.
_ROOMS = {
    "room": Room(reverberation_s=0.6, damping=3.0),
    "plate": Room(reverberation_s=1.4, damping=4.0, warmth=0.9),
    "hall": Room(reverberation_s=2.4, damping=5.0),
}
#: A short burst of opposite sign in the two channels, which widens without lengthening.
_BURST_S = 0.025
#: Level of a stem's send to its room, by stem and style; the slower, the more.
_SENDS_DB = {"vocals": -12.0, "bass": -24.0, "drums": -18.0, "other": -14.0}
_STYLE_ROOMS = {
    "rock": {"vocals": "plate", "drums": "room", "other": "room"},
    "pop": {"vocals": "plate", "drums": "room", "other": "plate"},
    "ballad": {"vocals": "hall", "drums": "plate", "other": "hall"},
    "soul": {"vocals": "plate", "drums": "room", "other": "room"},
    "folk": {"vocals": "room", "drums": "room", "other": "plate"},
    "electronic": {"vocals": "hall", "drums": "room", "other": "hall"},
}
#: The part of a deviation from what is wanted that the equaliser takes away, and its limits.
_CORRECTION = 0.9
_LARGEST_BOOST_DB, _LARGEST_CUT_DB = 15.0, 24.0
#: Below this a stem plays nothing; the equaliser keeps its gain and rolls off.
_LOWEST_HZ = {"vocals": 50.0, "bass": 40.0, "drums": 40.0, "other": 40.0}
_ROLL_OFF_DB = -4.0
#: The side stays at least this far below the middle in every band.
_LARGEST_SIDE_DB = -4.0
#: (ratio, attack ms, release ms, how far the threshold lies below the loud moments in dB).
_COMPRESSION = {
    "vocals": (1.7, 6.0, 180.0, 8.0),
    "bass": (1.8, 12.0, 220.0, 6.0),
    "drums": (1.3, 18.0, 120.0, 6.0),
    "other": (1.1, 20.0, 250.0, 6.0),
}
#: Peaks of a stem above its level, in dB, that the limiter at the end of its chain leaves.
_LARGEST_CREST_DB = 21.0
#: Level in dB and position from -1 (left) to 1 (right) of each source, by its role.
_SOURCES = {
    "lead": (0.0, 0.0),
    "double": (-10.0, 0.0),
    "backing": (-12.0, 0.0),
    "kick": (0.0, 0.0),
    "snare": (-4.0, 0.0),
    "toms": (-5.0, 0.0),
    "percussion": (-11.0, -0.5),
    "overheads": (-8.0, 0.0),
    "bass": (0.0, 0.0),
    "rhythm": (0.0, -0.35),
    "layer": (-8.0, 0.5),
    "colour": (-6.0, 0.6),
}
#: Level of the loudest source on a bus.
_BUS_DB = -20.0
#: Where two takes stand, one to each side.
_TAKES_AT = 0.65
#: Level of a track in dB where it isn't played.
_EDITED_DB = -20.0
_CENTRED = ("vocals", "bass", "drums")
#: Keyboards and strings that get an ensemble effect, which opens them to both sides.
_OPENED = (
    "pad",
    "strings",
    "organ",
    "pluck",
    "electric_piano",
    "bells",
    "synth_stab",
    "synth_lead",
)
#: The pair above the kit is narrow as recorded.
_PAIR_WIDTH = {"overheads": 2.5, "piano": 5.0, "strings": 5.0}


@dataclass(frozen=True)
class Decision:
    """What the engineer sets up for one stem."""

    room: str
    """Reverberation that the stem is sent to."""
    send_db: float
    """How much of it."""
    tone_db: np.ndarray
    """Wanted deviation from the average spectrum of the stem's type, (bands,)."""
    width: float
    """Wanted deviation from its average similarity of channels."""
    extra: tuple[dict[str, Any], ...]
    """Further processors, as `build_chain` takes them."""
    level_lu: float
    """Loudness in the mix relative to the vocals' base level."""
    ride: np.ndarray
    """Fader gain over time in dB, (samples,)."""


def studio_rooms(seed: int) -> dict[str, np.ndarray]:
    """Impulse responses of the engineer's reverberation, by name; the direct sound is left out."""
    rooms = {}
    for name, room in _ROOMS.items():
        response = impulse_response(room, generator(seed, "studio", name))
        response[0] = 0.0
        response /= np.sqrt(np.mean(np.sum(response**2, axis=0)))
        burst = generator(seed, "studio", name, "burst").standard_normal(sample_count(_BURST_S))
        burst *= np.exp(-5.0 * np.linspace(0.0, 1.0, burst.size))
        burst *= 1.0 / np.sqrt(np.sum(burst**2))
        response[: burst.size] += burst[:, None] * (1.0, -1.0)
        rooms[name] = response
    return rooms


def decide(song: Composition, config: EngineerConfig, seed: int) -> dict[str, Decision]:
    """Set up each stem.

    Args:
        song: tells what can be heard: style, instruments, tempo, density, sections.
        config: the engineer's aims.
        seed: for the jitter.
    """
    style = song.outline.style
    slowness = float(np.clip((110.0 - song.outline.tempo_bpm) / 40.0, -0.5, 1.0))
    decisions = {}
    for stem in STEMS:
        random = generator(seed, "engineer", song.name, stem)
        jitter = config.jitter_db * random.standard_normal(house.CURVE_HZ.size + 1)
        tone_db = house.STYLE_TONES[style] + _tone(song, stem) + jitter[:-1]
        level = getattr(config.balance_lu, stem) + house.STYLE_LEVELS[style][stem] + jitter[-1]
        decisions[stem] = Decision(
            room=_STYLE_ROOMS[style].get(stem, "room"),
            send_db=_SENDS_DB[stem] + 3.0 * slowness,
            tone_db=np.interp(np.log2(BANDS_HZ), np.log2(house.CURVE_HZ), tone_db),
            width=house.STYLE_WIDTHS[style],
            extra=tuple(config.extra.get(stem, ())),
            level_lu=float(level + _level_lu(song, stem)),
            ride=_ride(song, stem),
        )
    return decisions


def process(
    tracks: Mapping[str, tuple[Recording, ...]],
    decisions: dict[str, Decision],
    rooms: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Mix the tracks of each stem and set the faders; the vocals' base level is -20 LUFS.

    Returns:
        (samples, 2) float64 per stem, ready to be summed.
    """
    wet = {}
    for stem, decision in decisions.items():
        audio = _bus(tracks[stem])
        audio = audio + from_db(decision.send_db) * _answer(audio, rooms[decision.room])
        audio = _compress_stem(audio, stem)
        if decision.extra:
            chain = build_chain(decision.extra, SAMPLE_RATE, rooms)
            audio = chain.process(audio.astype(np.float32)).astype(np.float64)
        heard = hear(audio, stem)
        audio = equalize(audio, *correction(heard, stem, decision))
        if stem in _CENTRED:
            audio *= _balance(audio)
        audio *= from_db(decision.ride)[:, None]
        audio = limit_crest(audio, _LARGEST_CREST_DB)
        loudness = integrated_loudness(audio, SAMPLE_RATE)
        wet[stem] = audio * from_db(_tenths(-20.0 + decision.level_lu - loudness))
    return wet


def correction(heard: Heard, stem: str, decision: Decision) -> tuple[np.ndarray, np.ndarray]:
    """Gains in dB at `BANDS_HZ`: of the stem, and of its side signal on top."""
    house_db, house_phi = house.house_curves(stem)
    wanted_db = real_curve(stem, "eq_db")[1] + house_db
    gains = wanted_db - heard.level_db
    # The fader sets the level.
    gains = _CORRECTION * (gains - np.median(gains)) + decision.tone_db
    gains = np.clip(gains, -_LARGEST_CUT_DB, _LARGEST_BOOST_DB)
    octaves_below = np.maximum(0.0, np.log2(_LOWEST_HZ[stem] / BANDS_HZ))
    lowest = int(np.argmax(octaves_below == 0.0))
    gains[:lowest] = gains[lowest] + _ROLL_OFF_DB * octaves_below[:lowest]
    wanted_phi = real_curve(stem, "phi")[1] + house_phi + decision.width
    side = np.array([_side_gain(c, p) for c, p in zip(heard.phi.T, wanted_phi, strict=True)])
    side = np.minimum(side, _LARGEST_SIDE_DB - heard.side_db)
    return _tenths(gains), _tenths(side)


def _side_gain(phi: np.ndarray, wanted: float) -> float:
    """The smallest gain of the side at which the channels are no more alike than wanted."""
    reached = int(np.argmax(phi <= wanted)) if (phi <= wanted).any() else int(np.argmin(phi))
    if reached == 0 or phi[reached] > wanted:
        return float(SIDE_GAINS_DB[reached])
    rising = slice(reached, reached - 2 if reached > 1 else None, -1)
    return float(np.interp(wanted, phi[rising], SIDE_GAINS_DB[rising]))


def mix_loudness(song: Composition, config: EngineerConfig) -> float:
    """Integrated loudness in LUFS to master the song at."""
    return config.target_lufs + house.MASTERING[song.outline.style]


def _bus(tracks: tuple[Recording, ...]) -> np.ndarray:
    """Edit, level and place the tracks: (samples, 2)."""
    doubled = {track.role for track in tracks if track.take}
    total = np.zeros((tracks[0].audio.shape[0], 2))
    for track in tracks:
        level, position = _SOURCES[track.role]
        if track.role in doubled:
            side = -1.0 if track.take else 1.0
            level, position = level - 3.0, side * _TAKES_AT
        audio = _edited(track)
        gain = from_db(_BUS_DB + level) / active_rms(audio)
        for channel, heard in enumerate(_placed(audio, track.name, position)):
            total[:, channel] += gain * heard
    return total


def _balance(audio: np.ndarray) -> np.ndarray:
    """Gains of left and right that keep a stem in the middle."""
    left_db, right_db = db(np.sqrt(np.mean(audio**2, axis=0)))
    trim_db = _tenths(0.5 * (right_db - left_db))
    return np.array([from_db(trim_db), from_db(-trim_db)])


def _edited(track: Recording) -> np.ndarray:
    """Turn a track down where it isn't played, with fades."""
    keep = np.full(track.audio.shape[0], from_db(_EDITED_DB))
    for start_s, end_s in track.passages:
        keep[max(0, sample_count(start_s - 0.15)) : sample_count(end_s)] = 1.0
    keep = scipy.ndimage.uniform_filter1d(keep, sample_count(0.05))
    edited: np.ndarray = track.audio * (keep if track.audio.ndim == 1 else keep[:, None])
    return edited


def _placed(audio: np.ndarray, name: str, position: float) -> tuple[np.ndarray, np.ndarray]:
    """Left and right of a track at a position, with constant power."""
    if audio.ndim == 2:
        middle = 0.5 * (audio[:, 0] + audio[:, 1])
        side = _PAIR_WIDTH[name] * 0.5 * (audio[:, 0] - audio[:, 1])
        return middle + side, middle - side
    angle = (position + 1.0) * np.pi / 4.0
    left, right = _ensemble(audio) if name in _OPENED else (audio, audio)
    return np.sqrt(2.0) * np.cos(angle) * left, np.sqrt(2.0) * np.sin(angle) * right


def _ensemble(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The source and a slowly moving delay of it, opposite in the two channels."""
    index = np.arange(audio.size)
    swing = 0.003 * np.sin(2.0 * np.pi * 0.7 / SAMPLE_RATE * index)
    channels = []
    for sign in (1.0, -1.0):
        position = np.maximum(index - SAMPLE_RATE * (0.012 + sign * swing), 0.0)
        before = position.astype(np.int64)
        fraction = position - before
        channels.append(
            audio + 0.8 * (audio[before] * (1.0 - fraction) + audio[before + 1] * fraction)
        )
    return channels[0], channels[1]


def _answer(audio: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The room's answer to both channels' sum, (samples, 2)."""
    send = 0.5 * (audio[:, 0] + audio[:, 1])
    return np.asarray(scipy.signal.oaconvolve(send[:, None], room, axes=0)[: audio.shape[0]])


def _compress_stem(audio: np.ndarray, stem: str) -> np.ndarray:
    """A threshold under the loud moments, so that the amount follows from the stem's dynamics."""
    ratio, attack_ms, release_ms, depth_db = _COMPRESSION[stem]
    louder = louder_channel(audio)
    block = sample_count(0.01)
    peaks = louder[: louder.size // block * block].reshape(-1, block).max(axis=1)
    loud = peaks[peaks > 1e-3 * peaks.max()]
    reduction_db = gain_reduction_db(
        level_db(louder.astype(np.float32)),
        float(_tenths(db(np.percentile(loud, 95.0)) - depth_db)),
        ratio,
        smoothing(attack_ms, SAMPLE_RATE),
        smoothing(release_ms, SAMPLE_RATE),
    )
    compressed: np.ndarray = audio * from_db(-reduction_db)[:, None]
    return compressed


def _tone(song: Composition, stem: str) -> np.ndarray:
    """What the instruments and the density change about a stem's tone, at `CURVE_HZ`."""
    if stem == "vocals":
        return house.VOICES[song.voice]
    if stem == "bass":
        return house.BASSES[song.bass.instrument][1]
    if stem == "other":
        return house.INSTRUMENTS[song.accompaniment[0].instrument][1]
    # Many strokes of the hi-hat are kept darker.
    hats = sum(hit.drum == "hat" for hit in song.drums) / song.outline.duration_s
    treble_db = -0.5 * float(np.clip(hats - 3.0, -3.0, 4.0))
    tone: np.ndarray = np.interp(house.CURVE_HZ, [1000.0, 8000.0], [0.0, treble_db])
    return tone


def _level_lu(song: Composition, stem: str) -> float:
    """What the instruments and the density change about a stem's level in LU."""
    if stem == "bass":
        return house.BASSES[song.bass.instrument][0]
    if stem == "other":
        # The busier the accompaniment, the further back it goes.
        notes_per_s = sum(len(part.notes) for part in song.accompaniment) / song.outline.duration_s
        busy = float(np.clip(notes_per_s - 8.0, -4.0, 6.0))
        return house.INSTRUMENTS[song.accompaniment[0].instrument][0] - 0.25 * busy
    return 0.0


def _ride(song: Composition, stem: str) -> np.ndarray:
    """Fader movements in dB: the chorus up, the accompaniment down under the singer."""
    samples = sample_count(song.outline.duration_s)
    bar = sample_count(240.0 / song.outline.tempo_bpm)
    ride = np.zeros(samples)
    for section in song.sections:
        if section.kind != "chorus" and stem != "vocals":
            ride[section.first_bar * bar : (section.first_bar + section.bars) * bar] -= 0.5
    if stem == "other":
        sung = np.zeros(samples)
        for syllable in song.lead:
            start = sample_count(syllable.start_s)
            sung[start : start + sample_count(syllable.duration_s + 0.4)] = 1.0
        ride -= 0.5 * sung
    return np.asarray(scipy.ndimage.uniform_filter1d(ride, sample_count(0.4)))


def _tenths(decibels: Any) -> Any:
    """A setting as a knob shows it; rounding of machines does not reach it."""
    return np.round(decibels, 1)
