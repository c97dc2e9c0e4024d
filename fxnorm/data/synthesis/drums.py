"""The drum kits: every stroke, and the microphones that hear it."""

from dataclasses import dataclass

import numpy as np
import scipy

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.oscillators import decaying_sines, sample_count
from fxnorm.data.synthesis.score import Hit
from fxnorm.effects import high_pass, low_pass


@dataclass(frozen=True)
class _Kit:
    """Tuning and damping of a kit."""

    kick_hz: float
    """Lowest frequency of the kick."""
    kick_s: float
    """Its decay time."""
    snare_hz: float
    """Tone of the snare's shell."""
    snare_s: float
    """Decay of its wires."""
    wires: float
    """Level of the snare's wires, or of the brushes on it."""
    brightness: float
    """Level of noise and cymbals."""
    ring_s: float
    """Decay of the hi-hat."""


_KITS = {
    "rock": _Kit(54.0, 0.11, 185.0, 0.12, 1.1, 1.0, 0.04),
    "dry": _Kit(57.0, 0.08, 210.0, 0.07, 1.0, 1.1, 0.03),
    "electronic": _Kit(46.0, 0.16, 205.0, 0.09, 1.4, 1.2, 0.028),
    "soft": _Kit(50.0, 0.11, 175.0, 0.11, 0.9, 0.7, 0.045),
    "brushes": _Kit(56.0, 0.07, 190.0, 0.16, 1.6, 0.55, 0.05),
    "tight": _Kit(56.0, 0.09, 220.0, 0.08, 1.0, 0.6, 0.03),
}

#: Microphone of each drum, its position from -1 (left) to 1 (right) before the pair above the kit,
#: and its level.
_PLACES = {
    "kick": ("kick", 0.0, 0.8),
    "snare": ("snare", 0.05, 1.0),
    "hat": ("overheads", 0.15, 0.2),
    "open_hat": ("overheads", 0.15, 0.22),
    "ride": ("overheads", -0.15, 0.18),
    "crash": ("overheads", -0.12, 0.3),
    "high_tom": ("toms", 0.1, 0.75),
    "low_tom": ("toms", -0.1, 0.8),
    "tambourine": ("percussion", 0.0, 0.5),
    "shaker": ("percussion", 0.0, 0.5),
    "clap": ("percussion", 0.0, 0.8),
}
#: Level of drums with a microphone of their own in the pair above the kit.
_OVERHEARD = 0.12
_TAKES = 3
#: Level of the highest peak at the preamplifiers, relative to where they saturate.
_DRIVE = 0.7


def play_drums(
    hits: tuple[Hit, ...], kit_name: str, samples: int, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """What each microphone of the kit hears.

    Returns:
        kick, snare, toms and percussion, (samples,), those that are played; overheads, a pair,
        (samples, 2); float64.
    """
    kit = _KITS[kit_name]
    takes = {
        drum: [_stroke(drum, kit, random) for _ in range(_TAKES)]
        for drum in sorted({hit.drum for hit in hits})
    }
    tracks: dict[str, np.ndarray] = {"overheads": np.zeros((samples, 2))}
    for hit in hits:
        start = min(samples, sample_count(hit.start_s))
        sound = takes[hit.drum][int(random.integers(_TAKES))][: samples - start]
        channel, position, level = _PLACES[hit.drum]
        heard = hit.velocity * level * sound
        if channel != "overheads":
            close = tracks.setdefault(channel, np.zeros(samples))
            close[start : start + sound.size] += heard
            heard = _OVERHEARD * heard
        angle = (position + 1.0) * np.pi / 4.0
        pair = tracks["overheads"]
        pair[start : start + sound.size] += heard[:, None] * (np.cos(angle), np.sin(angle))
    # Preamplifiers round off the highest peaks.
    return {
        channel: np.tanh(track * (_DRIVE / np.abs(track).max()))
        for channel, track in tracks.items()
    }


def _stroke(drum: str, kit: _Kit, random: np.random.Generator) -> np.ndarray:
    """One take of a drum: mono, peak 1."""
    if drum == "kick":
        sound = _kick(kit, random)
    elif drum == "snare":
        sound = _snare(kit, random)
    elif drum in ("high_tom", "low_tom"):
        pitch_hz = 150.0 if drum == "high_tom" else 95.0
        sound = _membrane(pitch_hz, 0.5, 0.03, 0.16, 0.7)
        sound += 0.15 * _noise(sound.size, 0.03, 200.0, 4000.0, random)
    elif drum == "clap":
        sound = _noise(sample_count(0.25), 0.05, 900.0, 6000.0, random)
        for delay_s in (0.011, 0.023):
            sound[sample_count(delay_s) :] += sound[: -sample_count(delay_s)]
    elif drum == "shaker":
        sound = _noise(sample_count(0.12), 0.03, 4500.0, 12_000.0, random)
        sound *= np.minimum(1.0, np.arange(sound.size) / sample_count(0.03))
    elif drum == "tambourine":
        sound = _cymbal(0.06, 6000.0, random)
    else:
        decay_s = {"hat": kit.ring_s, "open_hat": 0.22, "ride": 0.35, "crash": 0.7}[drum]
        lowest_hz = {"hat": 5500.0, "open_hat": 5000.0, "ride": 3500.0, "crash": 2500.0}[drum]
        return kit.brightness * _cymbal(decay_s, lowest_hz, random)
    normalized: np.ndarray = sound / np.abs(sound).max()
    return normalized


def _kick(kit: _Kit, random: np.random.Generator) -> np.ndarray:
    body = _membrane(kit.kick_hz, 2.2, 0.018, kit.kick_s, 0.7)
    beater = _noise(body.size, 0.009, 700.0, 6000.0, random)
    return body + 0.45 * kit.brightness * beater


def _snare(kit: _Kit, random: np.random.Generator) -> np.ndarray:
    shell = _membrane(kit.snare_hz, 0.35, 0.01, 0.06, 0.6)
    for ratio, level in ((1.6, 0.6), (2.2, 0.5), (3.1, 0.4), (4.3, 0.4)):
        shell += level * _membrane(ratio * kit.snare_hz, 0.2, 0.01, 0.05, 0.6)
    wires = _noise(shell.size, kit.snare_s, 350.0, 7500.0, random)
    crack = _noise(shell.size, 0.008, 600.0, 9000.0, random)
    return shell + kit.brightness * (1.1 * kit.wires * wires + 0.6 * crack)


def _membrane(
    pitch_hz: float, sweep: float, sweep_s: float, decay_s: float, length_s: float
) -> np.ndarray:
    """A drum head: a sine whose pitch falls from (1 + sweep) times `pitch_hz`."""
    time_s = np.arange(sample_count(length_s)) / SAMPLE_RATE
    cycles = pitch_hz * (time_s + sweep * sweep_s * (1.0 - np.exp(-time_s / sweep_s)))
    attack = np.minimum(1.0, time_s / 0.001)
    return np.asarray(attack * np.exp(-time_s / decay_s) * np.sin(2.0 * np.pi * cycles))


def _cymbal(decay_s: float, lowest_hz: float, random: np.random.Generator) -> np.ndarray:
    """Metal: many inharmonic partials over noise."""
    samples = sample_count(min(2.5, 7.0 * decay_s))
    noise = _noise(samples, decay_s, lowest_hz, 11_000.0, random)
    partials = random.uniform(0.6 * lowest_hz, 11_000.0, 16)
    amplitudes = 0.05 * random.choice((-1.0, 1.0), partials.size)
    metal = decaying_sines(partials, amplitudes, np.full(partials.size, 0.8 * decay_s), samples)
    cymbal: np.ndarray = noise + metal
    return cymbal


def _noise(
    samples: int, decay_s: float, low_hz: float, high_hz: float, random: np.random.Generator
) -> np.ndarray:
    """A decaying burst of noise in a band, peak about 1."""
    time_s = np.arange(samples) / SAMPLE_RATE
    band = np.concatenate([high_pass(low_hz, SAMPLE_RATE), low_pass(high_hz, SAMPLE_RATE)])
    noise = scipy.signal.sosfilt(band, random.standard_normal(samples)) * np.exp(-time_s / decay_s)
    return np.asarray(noise / np.abs(noise).max())
