"""Tones and envelopes, computed a whole note at a time."""

import numpy as np
import scipy.fft

from fxnorm.compiling import compiled
from fxnorm.conventions import SAMPLE_RATE

_TABLE = 4096
#: No partial is rendered above this frequency.
_HIGHEST_HZ = 17_000.0


def frequency_hz(pitch: float) -> float:
    """Equal temperament, MIDI 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def sample_count(duration_s: float) -> int:
    """Samples in a duration."""
    return round(duration_s * SAMPLE_RATE)


def decaying_partials(
    frequency: float,
    amplitudes: np.ndarray,
    decay_s: np.ndarray,
    samples: int,
    inharmonicity: float = 0.0,
) -> np.ndarray:
    """Sum of exponentially decaying partials: a struck or plucked string, bar or bell.

    Args:
        frequency: fundamental in Hz.
        amplitudes: of partials 1, 2, …
        decay_s: time constant of each partial.
        samples: length.
        inharmonicity: B of a stiff string, f_k = k f sqrt(1 + B k²).

    Returns:
        (samples,) float64.
    """
    order = np.arange(1, amplitudes.size + 1)
    partials = order * frequency * np.sqrt(1.0 + inharmonicity * order**2)
    return decaying_sines(partials, amplitudes, decay_s, samples)


def decaying_sines(
    partials: np.ndarray, amplitudes: np.ndarray, decay_s: np.ndarray, samples: int
) -> np.ndarray:
    """Sum of exponentially decaying sines.

    Args:
        partials: frequencies in Hz.
        amplitudes: at the start.
        decay_s: time constants.
        samples: length.

    Returns:
        (samples,) float64.
    """
    audible = (partials < _HIGHEST_HZ) & (np.abs(amplitudes) > 1e-4)
    # A partial is over once it has fallen by 60 dB.
    lengths = np.minimum(samples, np.round(6.9 * decay_s * SAMPLE_RATE)).astype(np.int64)
    angles = 2.0 * np.pi * partials[audible] / SAMPLE_RATE
    decays = np.exp(-1.0 / (decay_s[audible] * SAMPLE_RATE))
    tone = np.zeros(samples)
    _add_decaying_sines(tone, amplitudes[audible], angles, decays, lengths[audible])
    return tone


def periodic_tone(cycles: np.ndarray, amplitudes: np.ndarray, highest_hz: float) -> np.ndarray:
    """A steady waveform read at a running phase.

    Args:
        cycles: (samples,) phase in cycles.
        amplitudes: of harmonics 1, 2, …
        highest_hz: highest fundamental that `cycles` runs at, which limits the harmonics used.

    Returns:
        (samples,) float64.
    """
    harmonics = max(1, min(amplitudes.size, int(_HIGHEST_HZ / highest_hz)))
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : harmonics + 1] = -0.5j * _TABLE * amplitudes[:harmonics]
    table = scipy.fft.irfft(spectrum)
    table = np.append(table, table[0])
    position = (cycles - np.floor(cycles)) * _TABLE
    index = position.astype(np.int32)
    # Rounding can bring the fraction of a cycle up to 1.
    np.minimum(index, _TABLE - 1, out=index)
    fraction = position - index
    low = table[index]
    wave: np.ndarray = low + fraction * (table[index + 1] - low)
    return wave


def envelope(samples: int, attack_s: float, release_s: float) -> np.ndarray:
    """Raised-cosine attack and release around a level of 1, (samples,) float64."""
    shape = np.ones(samples)
    attack = min(sample_count(attack_s), samples // 2)
    release = min(sample_count(release_s), samples - attack)
    shape[:attack] = 0.5 - 0.5 * np.cos(np.pi * np.arange(attack) / max(1, attack))
    shape[samples - release :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, release + 1) / release)
    return shape


def smooth_noise(samples: int, rate_hz: float, random: np.random.Generator) -> np.ndarray:
    """Slow random movement of unit variance, (samples,): noise at `rate_hz`, interpolated."""
    points = max(2, int(samples / SAMPLE_RATE * rate_hz) + 2)
    values = random.standard_normal(points)
    return np.interp(np.linspace(0.0, points - 1.0, samples), np.arange(points), values)


@compiled
def _add_decaying_sines(
    tone: np.ndarray,
    amplitudes: np.ndarray,
    angles: np.ndarray,
    decays: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Two-term recursions of amplitude · decay^n · sin(n · angle), in place.

    Each step waits for the one before; four partials at a time fill the wait.
    """
    state = np.zeros((4, 4))
    for group in range(0, angles.shape[0], 4):
        state[:] = 0.0
        length = 0
        for k in range(group, min(group + 4, angles.shape[0])):
            state[k - group, 0] = 2.0 * decays[k] * np.cos(angles[k])
            state[k - group, 1] = -decays[k] * decays[k]
            state[k - group, 3] = amplitudes[k] * decays[k] * np.sin(angles[k])
            length = max(length, lengths[k])
        a0, b0, x0, y0 = state[0]
        a1, b1, x1, y1 = state[1]
        a2, b2, x2, y2 = state[2]
        a3, b3, x3, y3 = state[3]
        for n in range(1, length):
            tone[n] += (y0 + y1) + (y2 + y3)
            x0, y0 = y0, a0 * y0 + b0 * x0
            x1, y1 = y1, a1 * y1 + b1 * x1
            x2, y2 = y2, a2 * y2 + b2 * x2
            x3, y3 = y3, a3 * y3 + b3 * x3
