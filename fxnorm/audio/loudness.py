"""Loudness and true peak after ITU-R BS.1770."""

import math
from functools import lru_cache

import numba
import numpy as np
import pyloudnorm
import scipy.signal

from fxnorm.audio.levels import db, peak

_BLOCK_S = 0.4
_STEPS_PER_BLOCK = 4
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0


def integrated_loudness(audio: np.ndarray, sample_rate: int, offset: float = 0.0) -> float:
    """Gated integrated loudness (ITU-R BS.1770-4, 0.4-s blocks, 75 % overlap).

    The filters are pyloudnorm's K-weighting, the value agrees with its `Meter`; both filters and
    the blocks' energies are one compiled pass here.

    Args:
        audio: (samples, channels) or (samples,), at most 5 channels.
        sample_rate: in Hz.
        offset: added to every sample.

    Returns:
        LUFS; -inf for silence, for anything below the absolute gate of -70 LUFS, and for less
        than one block (0.4 s), which the standard does not define.
    """
    samples = audio.shape[0]
    if samples < _BLOCK_S * sample_rate or not audio.any():
        return -math.inf
    signal = audio[:, None] if audio.ndim == 1 else audio
    seconds = samples / sample_rate
    step_s = _BLOCK_S / _STEPS_PER_BLOCK
    blocks = round((seconds - _BLOCK_S) / step_s) + 1
    # The bounds are rounded as pyloudnorm rounds them.
    steps = np.arange(blocks + _STEPS_PER_BLOCK) / _STEPS_PER_BLOCK
    bounds = np.minimum((_BLOCK_S * steps * sample_rate).astype(np.int64), samples)
    energy = np.empty((signal.shape[1], bounds.shape[0] - 1))
    coefficients = _k_weighting(sample_rate)
    for channel in range(signal.shape[1]):
        _weighted_energy(signal[:, channel], offset, coefficients, bounds, energy[channel])
    blockwise = np.lib.stride_tricks.sliding_window_view(energy, _STEPS_PER_BLOCK, axis=1).sum(-1)
    weights = np.array([1.0, 1.0, 1.0, 1.41, 1.41])[: signal.shape[1], None]
    return _gated((weights * blockwise).sum(axis=0) / (_BLOCK_S * sample_rate))


def true_peak_db(audio: np.ndarray) -> float:
    """True peak in dBTP: the peak after 4-times oversampling (ITU-R BS.1770-4, annex 2).

    Args:
        audio: (samples, channels) or (samples,), at 44.1 or 48 kHz.
    """
    if audio.shape[0] == 0:
        return float(db(0.0))
    oversampled = scipy.signal.resample_poly(np.asarray(audio, np.float64), 4, 1, axis=0)
    return float(db(max(peak(oversampled), peak(audio))))


def _gated(power: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        loudness = -0.691 + 10.0 * np.log10(power)
    loud = loudness >= _ABSOLUTE_GATE_LUFS
    if not loud.any():
        return -math.inf
    gate = -0.691 + 10.0 * math.log10(power[loud].mean()) + _RELATIVE_GATE_LU
    kept = power[(loudness > gate) & (loudness > _ABSOLUTE_GATE_LUFS)]
    return -0.691 + 10.0 * math.log10(kept.mean()) if kept.size else -math.inf


@lru_cache(maxsize=8)
def _k_weighting(sample_rate: int) -> np.ndarray:
    """(2, 5): b0, b1, b2, a1, a2 of the shelf and of the high-pass."""
    filters = pyloudnorm.Meter(sample_rate, block_size=_BLOCK_S)._filters.values()
    return np.array([[*stage.passband_gain * stage.b, *stage.a[1:]] for stage in filters])


@numba.njit(cache=True, nogil=True)
def _weighted_energy(signal, offset, coefficients, bounds, energy):  # type: ignore[no-untyped-def]
    """Sum of squares of the K-weighted signal between successive bounds."""
    b0, b1, b2, a1, a2 = coefficients[0]
    c0, c1, c2, d1, d2 = coefficients[1]
    s1 = s2 = z1 = z2 = 0.0
    for block in range(bounds.shape[0] - 1):
        total = 0.0
        for n in range(bounds[block], bounds[block + 1]):
            x = signal[n] + offset
            y = b0 * x + s1
            s1 = b1 * x - a1 * y + s2
            s2 = b2 * x - a2 * y
            out = c0 * y + z1
            z1 = c1 * y - d1 * out + z2
            z2 = c2 * y - d2 * out
            total += out * out
        energy[block] = total
