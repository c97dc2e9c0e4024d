"""The mixing engineer: hears the raw stems, decides on a chain for each, mixes.

Decisions are rules about what can be heard: which instruments play, how bright and how dense they
are, how fast the song is, which section it is in. The rules are the same for all songs; only a
small jitter is each song's own. So a listener, or a network, can learn them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
import scipy.ndimage

from fxnorm.audio import db, from_db, integrated_loudness
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.dynamics import limit_crest
from fxnorm.data.synthesis.oscillators import sample_count
from fxnorm.data.synthesis.rooms import Room, impulse_response
from fxnorm.data.synthesis.score import Song
from fxnorm.data.synthesis.synthesis_config import EngineerConfig
from fxnorm.effects.processors import build_chain
from fxnorm.seeds import generator
from fxnorm.stems import STEMS

#: Rooms and plates of the studio, the same for all songs.
_ROOMS = {
    "room": Room(reverberation_s=0.6, damping=1.8, direct=1.5),
    "plate": Room(reverberation_s=1.4, damping=1.6, warmth=0.9, direct=1.5),
    "hall": Room(reverberation_s=2.2, damping=2.8, direct=1.5),
}

#: Frequencies in Hz of the equaliser's five bands, per stem.
_BANDS_HZ = {
    "vocals": (120.0, 300.0, 1000.0, 3500.0, 9000.0),
    "bass": (80.0, 250.0, 800.0, 2500.0, 6000.0),
    "drums": (80.0, 350.0, 1000.0, 4000.0, 9000.0),
    "other": (120.0, 300.0, 1000.0, 3500.0, 9000.0),
}
#: Energy in the octave around each of them that the engineer finds balanced, in dB relative to the
#: whole stem.
_BALANCED_DB = {
    "vocals": (-14.0, -4.0, -6.0, -12.0, -19.0),
    "bass": (-2.0, -8.0, -17.0, -26.0, -40.0),
    "drums": (-4.0, -11.0, -15.0, -13.0, -14.0),
    "other": (-16.0, -4.0, -7.0, -14.0, -22.0),
}
#: The part of a deviation from it that the engineer takes away, and the largest gain used.
_CORRECTION = 0.75
_LARGEST_GAIN_DB = 9.0
#: An octave with less than this (dB relative to the stem) holds nothing worth a gain.
_AUDIBLE_DB = -45.0

#: (ratio, attack ms, release ms, how far the threshold lies below the loud moments in dB).
_COMPRESSION = {
    "vocals": (3.5, 6.0, 180.0, 8.0),
    "bass": (4.0, 12.0, 220.0, 8.0),
    "drums": (2.5, 18.0, 120.0, 9.0),
    "other": (2.0, 20.0, 250.0, 6.0),
}
#: Peaks of a stem above its level, in dB, that the limiter at the end of its chain leaves.
_LARGEST_CREST_DB = 17.5

#: Level in LU and send (room, amount) of each kit.
_KITS = {
    "rock": (0.5, "room", 0.04),
    "electronic": (0.5, "room", 0.02),
    "soft": (-1.2, "plate", 0.035),
    "tight": (-0.5, "room", 0.03),
}
#: Loudness of the finished mix relative to the target, in LU: heavy music is mastered louder.
_MASTERING = {"rock": 0.8, "electronic": 0.3, "soft": -1.0, "tight": 0.0}
#: A singer against distorted guitars needs to be louder, and alone over a soft band may be.
_SINGERS = {"rock": 0.3, "pop": 0.0, "ballad": 0.5, "soul": -0.3}
_BASSES = {"picked_bass": 0.0, "synth_bass": 0.5, "finger_bass": -0.5}
#: Level in LU, width, send of the instrument that carries the accompaniment.
_KEYS_AND_GUITARS = {
    "distorted_guitar": (1.5, 0.95, "room", 0.03),
    "acoustic_guitar": (0.5, 0.9, "plate", 0.045),
    "piano": (0.5, 0.85, "hall", 0.035),
    "electric_piano": (-0.5, 0.85, "plate", 0.035),
    "pluck": (-1.0, 0.85, "plate", 0.035),
}


@dataclass(frozen=True)
class _Placement:
    """Level in LU, width, pan (0.5 = centre) and reverberation of a stem."""

    level_lu: float
    width: float
    pan: float
    room: str
    send: float


@dataclass(frozen=True)
class Decision:
    """What the engineer sets up for one stem.

    Attributes:
        chain: processors and their settings, as `build_chain` takes them.
        level_lu: loudness in the mix relative to the vocals' base level.
        ride: fader gain over time in dB, (samples,).
    """

    chain: tuple[dict[str, Any], ...]
    level_lu: float
    ride: np.ndarray


def studio_rooms(seed: int) -> dict[str, np.ndarray]:
    """Impulse responses of the engineer's reverberation, by name."""
    return {
        name: impulse_response(room, generator(seed, "studio", name))
        for name, room in _ROOMS.items()
    }


def decide(
    song: Song, dry: dict[str, np.ndarray], config: EngineerConfig, seed: int
) -> dict[str, Decision]:
    """Set up a chain, a level and a fader ride for each stem.

    Args:
        song: tells what can be heard: instruments, tempo, density, sections.
        dry: raw stems, (samples, 2) each.
        config: the engineer's aims.
        seed: for the jitter.
    """
    decisions = {}
    for stem in STEMS:
        random = generator(seed, "engineer", song.name, stem)
        jitter = config.jitter_db * random.standard_normal(6)
        place = _place(song, stem)
        chain = (
            _equaliser(stem, dry[stem], jitter[:5]),
            _compressor(stem, dry[stem]),
            {"processor": "StereoWidth", "width": place.width},
            {"processor": "Panner", "pan": place.pan},
            *_reverb(song, stem, place),
            *config.extra.get(stem, ()),
        )
        level = getattr(config.balance_lu, stem) + place.level_lu + float(jitter[5])
        decisions[stem] = Decision(chain, level, _ride(song, stem, dry[stem].shape[0]))
    return decisions


def process(
    dry: dict[str, np.ndarray], decisions: dict[str, Decision], rooms: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Run the chains and set the faders; the vocals' base level is -20 LUFS.

    Returns:
        (samples, 2) float32 per stem, ready to be summed.
    """
    wet = {}
    for stem, decision in decisions.items():
        audio = build_chain(decision.chain, SAMPLE_RATE, rooms).process(dry[stem])
        audio *= from_db(decision.ride).astype(np.float32)[:, None]
        audio = limit_crest(audio, _LARGEST_CREST_DB)
        loudness = integrated_loudness(audio, SAMPLE_RATE)
        wet[stem] = audio * np.float32(from_db(-20.0 + decision.level_lu - loudness))
    return wet


def mix_loudness(song: Song, config: EngineerConfig) -> float:
    """Integrated loudness in LUFS to master the song at."""
    return config.target_lufs + _MASTERING[song.kit]


def _place(song: Song, stem: str) -> _Placement:
    """Where a stem stands in the mix, by what plays."""
    slowness = float(np.clip((120.0 - song.outline.tempo_bpm) / 50.0, -0.5, 1.0))
    if stem == "vocals":
        # Slow songs leave room for a longer and louder answer.
        room = "hall" if song.kit == "soft" else "plate"
        level_lu = _SINGERS[song.outline.style]
        return _Placement(level_lu, 1.0, 0.5, room, 0.06 + 0.03 * slowness)
    if stem == "bass":
        return _Placement(_BASSES[song.bass.instrument], 1.0, 0.5, "room", 0.0)
    if stem == "drums":
        level_lu, room, send = _KITS[song.kit]
        return _Placement(level_lu, 0.85, 0.5, room, send)
    level_lu, width, room, send = _KEYS_AND_GUITARS[song.accompaniment[0].instrument]
    # The busier the accompaniment, the further back it goes.
    notes_per_s = sum(len(part.notes) for part in song.accompaniment) / song.outline.duration_s
    level_lu -= 0.25 * float(np.clip(notes_per_s - 6.0, -4.0, 4.0))
    return _Placement(level_lu, width, 0.53, room, send + 0.015 * slowness)


def _equaliser(stem: str, audio: np.ndarray, jitter: np.ndarray) -> dict[str, Any]:
    """Move the stem's balance most of the way towards what the engineer finds balanced."""
    frequencies = _BANDS_HZ[stem]
    heard = _octave_levels_db(audio, frequencies)
    wanted = np.array(_BALANCED_DB[stem])
    gains = np.clip(_CORRECTION * (wanted - heard), -_LARGEST_GAIN_DB, _LARGEST_GAIN_DB)
    gains = np.where(heard > _AUDIBLE_DB, gains + jitter, 0.0)
    names = ("low_shelf", "first_band", "second_band", "third_band", "high_shelf")
    settings: dict[str, Any] = {"processor": "Equaliser"}
    for name, frequency, gain in zip(names, frequencies, gains, strict=True):
        settings |= {f"{name}_freq": frequency, f"{name}_gain": float(gain)}
    return settings


def _compressor(stem: str, audio: np.ndarray) -> dict[str, Any]:
    """A threshold under the loud moments, so that the amount follows from the stem's dynamics."""
    ratio, attack_ms, release_ms, depth_db = _COMPRESSION[stem]
    block = sample_count(0.01)
    blocks = np.abs(audio[: audio.shape[0] // block * block]).reshape(-1, 2 * block)
    loud_db = db(np.percentile(blocks.max(axis=1), 95.0))
    return {
        "processor": "Compressor",
        "threshold": float(np.clip(loud_db - depth_db, -60.0, 0.0)),
        "ratio": ratio,
        "attack_time": attack_ms,
        "release_time": release_ms,
    }


def _reverb(song: Song, stem: str, place: _Placement) -> list[dict[str, Any]]:
    """The send, if any; a sixty-fourth note before the answer keeps the vocals in front."""
    if place.send == 0.0:
        return []
    pre_delay_ms = 3750.0 / song.outline.tempo_bpm if stem == "vocals" else 0.0
    settings = {"impulse_response": place.room, "wet_mix": place.send, "pre_delay": pre_delay_ms}
    return [{"processor": "Reverb", **settings}]


def _ride(song: Song, stem: str, samples: int) -> np.ndarray:
    """Fader movements in dB: vocals up in the chorus, accompaniment down under the singer."""
    time_s = np.arange(samples) / SAMPLE_RATE
    if stem == "vocals":
        bar_s = 240.0 / song.outline.tempo_bpm
        starts = [s.first_bar * bar_s for s in song.sections if s.kind == "chorus"]
        return np.interp(time_s, [starts[0] - 0.2, starts[0]], [0.0, 0.8])
    if stem == "other" and song.lead:
        sung = np.zeros(samples)
        for syllable in song.lead:
            start = sample_count(syllable.start_s)
            sung[start : start + sample_count(syllable.duration_s + 0.4)] = 1.0
        return -1.0 * scipy.ndimage.uniform_filter1d(sung, sample_count(0.4))
    return np.zeros(samples)


def _octave_levels_db(audio: np.ndarray, centres_hz: tuple[float, ...]) -> np.ndarray:
    """Energy of the octave around each frequency relative to the whole, in dB."""
    length = scipy.fft.next_fast_len(audio.shape[0], real=True)
    spectrum = np.ascontiguousarray(scipy.fft.rfft(audio.T, length))
    energy = (spectrum.real**2 + spectrum.imag**2).sum(axis=0, dtype=np.float64)
    bin_hz = SAMPLE_RATE / length
    edges = [(int(c / 2**0.5 / bin_hz), int(c * 2**0.5 / bin_hz) + 1) for c in centres_hz]
    parts = np.array([energy[low:high].sum() for low, high in edges])
    return 10.0 * np.log10(parts / energy.sum() + 1e-12)
