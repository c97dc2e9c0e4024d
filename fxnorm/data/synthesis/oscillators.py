"""Tones and envelopes, computed a whole note at a time."""

import numpy as np

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
        (samples,) float32.
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
        (samples,) float32.
    """
    audible = (partials < _HIGHEST_HZ) & (np.abs(amplitudes) > 1e-4)
    # A partial is over once it has fallen by 60 dB.
    lengths = np.minimum(samples, np.round(6.9 * decay_s * SAMPLE_RATE)).astype(np.int64)
    tone = np.zeros(samples)
    for k in np.flatnonzero(audible):
        angle = 2.0 * np.pi * partials[k] / SAMPLE_RATE
        _add_decaying_sine(
            tone[: lengths[k]], amplitudes[k], angle, np.exp(-1.0 / (decay_s[k] * SAMPLE_RATE))
        )
    return tone.astype(np.float32)


def periodic_tone(cycles: np.ndarray, amplitudes: np.ndarray, highest_hz: float) -> np.ndarray:
    """A steady waveform read at a running phase.

    Args:
        cycles: (samples,) phase in cycles.
        amplitudes: of harmonics 1, 2, …
        highest_hz: highest fundamental that `cycles` runs at, which limits the harmonics used.

    Returns:
        (samples,) float32.
    """
    harmonics = max(1, min(amplitudes.size, int(_HIGHEST_HZ / highest_hz)))
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : harmonics + 1] = -0.5j * _TABLE * amplitudes[:harmonics]
    table = np.fft.irfft(spectrum).astype(np.float32)
    table = np.append(table, table[0])
    position = (cycles - np.floor(cycles)) * _TABLE
    index = position.astype(np.int32)
    # Rounding can bring the fraction of a cycle up to 1.
    np.minimum(index, _TABLE - 1, out=index)
    fraction = (position - index).astype(np.float32)
    low = table[index]
    return low + fraction * (table[index + 1] - low)


def envelope(samples: int, attack_s: float, release_s: float) -> np.ndarray:
    """Raised-cosine attack and release around a level of 1, (samples,) float32."""
    shape = np.ones(samples, np.float32)
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
def _add_decaying_sine(tone: np.ndarray, amplitude: float, angle: float, decay: float) -> None:
    """Two-term recursion of amplitude · decay^n · sin(n · angle), in place."""
    first = 2.0 * decay * np.cos(angle)
    second = -decay * decay
    before, now = 0.0, amplitude * decay * np.sin(angle)
    for n in range(1, tone.shape[0]):
        tone[n] += now
        before, now = now, first * now + second * before
