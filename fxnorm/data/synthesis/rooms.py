"""Impulse responses of rooms and plates, as shaped noise."""

from dataclasses import dataclass

import numpy as np
import scipy.fft

from fxnorm.conventions import SAMPLE_RATE

#: Octave bands whose decay is set one by one.
_BANDS_HZ = np.array([63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0])
_EARLY_REFLECTIONS = 14
_EARLY_S = 0.07


@dataclass(frozen=True)
class Room:
    """A room's acoustics."""

    reverberation_s: float
    """Time to fall by 60 dB in the middle octaves."""
    damping: float = 2.5
    """How much faster the top octave decays (1 = as fast)."""
    warmth: float = 1.2
    """Reverberation time of the lowest octave relative to the middle."""
    direct: float = 4.0
    """Level of the direct sound relative to the reverberation's first sample."""


def impulse_response(room: Room, random: np.random.Generator) -> np.ndarray:
    """Direct sound, early reflections and a decorrelated stereo tail of unit energy.

    Each octave of the tail is noise with an exponential decay of its own, after Moorer, "About
    This Reverberation Business", 1979: high frequencies die first, as in air and at walls.

    Args:
        room: its acoustics.
        random: draws noise and reflections.

    Returns:
        (samples, 2) float64 at 44.1 kHz; the direct sound comes first and is the peak.
    """
    times_s = reverberation_times(room)
    samples = round(1.1 * times_s.max() * SAMPLE_RATE)
    time_s = np.arange(samples) / SAMPLE_RATE
    spectrum = scipy.fft.rfft(random.standard_normal((samples, 2)), axis=0)
    weights = _octave_weights(samples)
    tail = np.zeros((samples, 2))
    for weight, reverberation_s in zip(weights, times_s, strict=True):
        band = scipy.fft.irfft(spectrum * weight[:, None], samples, axis=0)
        tail += band * np.exp(-6.908 * time_s / reverberation_s)[:, None]
    tail *= np.minimum(1.0, time_s / 0.012)[:, None]
    tail /= np.abs(tail).max()
    for _ in range(_EARLY_REFLECTIONS):
        when = random.uniform(0.004, _EARLY_S)
        strength = random.choice((-1.0, 1.0)) * (1.0 - when / (2.0 * _EARLY_S))
        tail[round(when * SAMPLE_RATE), int(random.integers(2))] += strength
    tail[0] = room.direct
    return np.asarray(tail / np.sqrt(np.sum(tail**2) / 2.0))


def reverberation_times(room: Room) -> np.ndarray:
    """Reverberation time of each octave from 63 Hz to 16 kHz in seconds, (9,)."""
    octaves = np.log2(_BANDS_HZ / 1000.0)
    low = room.warmth ** np.clip(-octaves / 4.0, 0.0, 1.0)
    high = room.damping ** np.clip(-octaves / 4.0, -1.0, 0.0)
    return room.reverberation_s * low * high


def _octave_weights(samples: int) -> np.ndarray:
    """Weights of each octave over the bins of a real FFT, adding up to 1: (9, bins)."""
    bins_hz = np.maximum(scipy.fft.rfftfreq(samples, 1.0 / SAMPLE_RATE), 1.0)
    octaves = np.log2(bins_hz)
    centers = np.log2(_BANDS_HZ)
    identity = np.eye(centers.size)
    return np.stack([np.interp(octaves, centers, row) for row in identity])
