"""Loudness and true peak after ITU-R BS.1770."""

import math
from functools import lru_cache

import numpy as np

from fxnorm import scratch
from fxnorm.audio.convolution import convolved
from fxnorm.audio.levels import db, peak
from fxnorm.compiling import compiled

#: What is quieter does not count (ITU-R BS.1770-4).
ABSOLUTE_GATE_LUFS = -70.0

_BLOCK_S = 0.4
_STEPS_PER_BLOCK = 4
_SHORT_TERM_S = 3.0
_RELATIVE_GATE_LU = -10.0
_OVERSAMPLING = 4
# Samples that the interpolation filter sees on either side.
_OVERSAMPLING_REACH = 10
_OVERSAMPLED_AT_ONCE = 2**18


def integrated_loudness(audio: np.ndarray, sample_rate: int, offset: float = 0.0) -> float:
    """Gated integrated loudness (ITU-R BS.1770-4, 0.4-s blocks, 75 % overlap).

    The filters and the value are those of pyloudnorm's `Meter`, which would import all of
    scipy.signal; filters and block energies are one compiled pass here.

    Args:
        audio: (samples, channels) or (samples,), at most 5 channels.
        sample_rate: in Hz.
        offset: added to every sample.

    Returns:
        LUFS; -inf for silence, for anything below the absolute gate of -70 LUFS, and for less
        than one block (0.4 s), which the standard does not define.
    """
    if audio.shape[0] < _BLOCK_S * sample_rate or peak(audio) == 0.0:
        return -math.inf
    power = _block_power(audio[:, None] if audio.ndim == 1 else audio, sample_rate, offset)
    weights = np.array([1.0, 1.0, 1.0, 1.41, 1.41])[: power.shape[0], None]
    return _gated((weights * power).sum(axis=0))


def channel_loudness(audio: np.ndarray, sample_rate: int, offset: float = 0.0) -> list[float]:
    """`integrated_loudness` of each channel on its own; arguments as there."""
    silent = audio.shape[0] < _BLOCK_S * sample_rate
    if silent or peak(audio) == 0.0:
        return [-math.inf] * audio.shape[1]
    return [_gated(power) for power in _block_power(audio, sample_rate, offset)]


def short_term_loudness(
    audio: np.ndarray, sample_rate: int, hop_s: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Short-term loudness: 3-s window, not gated (EBU Tech 3341).

    Args:
        audio: (samples, channels) or (samples,), mono or stereo.
        sample_rate: in Hz.
        hop_s: step between windows in seconds, of which 3 is a multiple.

    Returns:
        Centre of each window in seconds, and LUFS, not below the absolute gate of -70. One window
        over everything for less than 3 s.
    """
    signal = audio[:, None] if audio.ndim == 1 else audio
    samples = signal.shape[0]
    hop = round(hop_s * sample_rate)
    bounds = np.append(np.arange(0, samples, hop), samples).astype(np.int64)
    energy = np.zeros((2, bounds.shape[0] - 1))
    _weighted_energy(signal[:, 0], signal[:, -1], 0.0, _k_weighting(sample_rate), bounds, energy)
    total = energy[: signal.shape[1]].sum(axis=0)
    width = round(_SHORT_TERM_S / hop_s)
    whole = total[: samples // hop]
    if whole.shape[0] < width:
        power, times_s = np.array([total.sum() / samples]), np.array([0.5 * samples / sample_rate])
    else:
        windows = np.lib.stride_tricks.sliding_window_view(whole, width).sum(axis=-1)
        power = windows / (width * hop)
        times_s = np.arange(power.shape[0]) * hop / sample_rate + 0.5 * _SHORT_TERM_S
    with np.errstate(divide="ignore"):
        return times_s, np.maximum(-0.691 + 10.0 * np.log10(power), ABSOLUTE_GATE_LUFS)


def true_peak_db(audio: np.ndarray) -> float:
    """True peak in dBTP: the peak after 4-times oversampling (ITU-R BS.1770-4, annex 2).

    Args:
        audio: (samples, channels) or (samples,), at 44.1 or 48 kHz.
    """
    if audio.shape[0] == 0:
        return float(db(0.0))
    highest = peak(audio)
    for block in scratch.blocks(audio.shape[0], _OVERSAMPLED_AT_ONCE):
        around = slice(max(0, block.start - _OVERSAMPLING_REACH), block.stop + _OVERSAMPLING_REACH)
        part = audio[around] if audio.ndim == 2 else audio[around, None]
        for between in _interpolators():
            highest = max(highest, peak(convolved(part, between, _OVERSAMPLING_REACH)))
    return float(db(highest))


@lru_cache(maxsize=1)
def _interpolators() -> list[np.ndarray]:
    """Responses (20, 1) that give the values a quarter, half and three quarters of a sample on."""
    taps = np.arange(-_OVERSAMPLING * _OVERSAMPLING_REACH, _OVERSAMPLING * _OVERSAMPLING_REACH + 1)
    low_pass = np.sinc(taps / _OVERSAMPLING) * np.kaiser(taps.size, 5.0)
    low_pass *= _OVERSAMPLING / low_pass.sum()
    return [low_pass[shift::_OVERSAMPLING, None] for shift in range(1, _OVERSAMPLING)]


def _block_power(audio: np.ndarray, sample_rate: int, offset: float) -> np.ndarray:
    """Mean square of the K-weighted channels in every block, (channels, blocks)."""
    samples, channels = audio.shape
    step_s = _BLOCK_S / _STEPS_PER_BLOCK
    blocks = round((samples / sample_rate - _BLOCK_S) / step_s) + 1
    # The bounds are rounded as pyloudnorm rounds them.
    steps = np.arange(blocks + _STEPS_PER_BLOCK) / _STEPS_PER_BLOCK
    bounds = np.minimum((_BLOCK_S * steps * sample_rate).astype(np.int64), samples)
    energy = np.empty((channels + channels % 2, bounds.shape[0] - 1))
    coefficients = _k_weighting(sample_rate)
    for first in range(0, channels, 2):
        second = min(first + 1, channels - 1)
        _weighted_energy(
            audio[:, first],
            audio[:, second],
            offset,
            coefficients,
            bounds,
            energy[first : first + 2],
        )
    blockwise = np.lib.stride_tricks.sliding_window_view(energy, _STEPS_PER_BLOCK, axis=1)
    return blockwise[:channels].sum(axis=-1) / (_BLOCK_S * sample_rate)


def _gated(power: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        loudness = -0.691 + 10.0 * np.log10(power)
    loud = loudness >= ABSOLUTE_GATE_LUFS
    if not loud.any():
        return -math.inf
    gate = -0.691 + 10.0 * math.log10(power[loud].mean()) + _RELATIVE_GATE_LU
    kept = power[(loudness > gate) & (loudness > ABSOLUTE_GATE_LUFS)]
    return -0.691 + 10.0 * math.log10(kept.mean()) if kept.size else -math.inf


@lru_cache(maxsize=8)
def _k_weighting(sample_rate: int) -> np.ndarray:
    """(2, 5): b0, b1, b2, a1, a2 of the shelf and of the high-pass, after the Audio EQ Cookbook."""
    a, q = 10.0 ** (4.0 / 40.0), math.sqrt(0.5)
    omega = 2.0 * math.pi * 1500.0 / sample_rate
    cos, slope = math.cos(omega), math.sqrt(a) * math.sin(omega) / q
    shelf = np.array(
        [
            a * ((a + 1.0) + (a - 1.0) * cos + slope),
            -2.0 * a * ((a - 1.0) + (a + 1.0) * cos),
            a * ((a + 1.0) + (a - 1.0) * cos - slope),
            2.0 * ((a - 1.0) - (a + 1.0) * cos),
            (a + 1.0) - (a - 1.0) * cos - slope,
        ]
    ) / ((a + 1.0) - (a - 1.0) * cos + slope)
    omega = 2.0 * math.pi * 38.0 / sample_rate
    cos, alpha = math.cos(omega), math.sin(omega)
    sides = 0.5 * (1.0 + cos)
    high_pass = np.array([sides, -2.0 * sides, sides, -2.0 * cos, 1.0 - alpha]) / (1.0 + alpha)
    return np.stack([shelf, high_pass])


@compiled
def _weighted_energy(
    left: np.ndarray,
    right: np.ndarray,
    offset: float,
    coefficients: np.ndarray,
    bounds: np.ndarray,
    energy: np.ndarray,
) -> None:
    """Sums of squares of two K-weighted channels between successive bounds.

    A recursive filter waits for its own last value: two channels at once take the time of one.
    """
    b0, b1, b2, a1, a2 = coefficients[0]
    c0, c1, c2, d1, d2 = coefficients[1]
    l1 = l2 = l3 = l4 = 0.0
    r1 = r2 = r3 = r4 = 0.0
    for block in range(bounds.shape[0] - 1):
        total_left = total_right = 0.0
        for n in range(bounds[block], bounds[block + 1]):
            x_left, x_right = left[n] + offset, right[n] + offset
            y_left, y_right = b0 * x_left + l1, b0 * x_right + r1
            l1, r1 = (b1 * x_left + l2) - a1 * y_left, (b1 * x_right + r2) - a1 * y_right
            l2, r2 = b2 * x_left - a2 * y_left, b2 * x_right - a2 * y_right
            out_left, out_right = c0 * y_left + l3, c0 * y_right + r3
            l3, r3 = (c1 * y_left + l4) - d1 * out_left, (c1 * y_right + r4) - d1 * out_right
            l4, r4 = c2 * y_left - d2 * out_left, c2 * y_right - d2 * out_right
            total_left += out_left * out_left
            total_right += out_right * out_right
        energy[0, block], energy[1, block] = total_left, total_right
