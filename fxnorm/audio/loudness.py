"""Loudness and true peak after ITU-R BS.1770."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from fxnorm import scratch
from fxnorm.audio.convolution import convolved
from fxnorm.audio.filters import high_pass, high_shelf
from fxnorm.audio.levels import db, peak
from fxnorm.compiling import compiled

#: What is quieter does not count (ITU-R BS.1770-4).
ABSOLUTE_GATE_LUFS = -70.0
#: What rounding and dither to 16 bits add to a true peak is less.
TRUE_PEAK_MARGIN_DB = 0.01
#: The shortest signal that has a loudness, in seconds.
BLOCK_S = 0.4
#: Window of the short-term loudness, in seconds.
SHORT_TERM_S = 3.0

#: Takes off the filters' gain at 1 kHz (ITU-R BS.1770-4).
_OFFSET_LUFS = -0.691
_STEPS_PER_BLOCK = 4
_RELATIVE_GATE_LU = -10.0
#: A gain moves blocks across the absolute gate, so that the loudness does not quite follow it.
_GAIN_ITERATIONS = 8
_OVERSAMPLING = 4
#: Samples that the interpolation filter sees on either side.
_OVERSAMPLING_REACH = 10
_OVERSAMPLED_AT_ONCE = 2**18
_Five = tuple[float, float, float, float, float]


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
    return loudness_by_gain(audio, sample_rate, offset)(0.0)


def loudness_by_gain(
    audio: np.ndarray, sample_rate: int, offset: float = 0.0
) -> Callable[[float], float]:
    """`integrated_loudness` of the same audio after a gain in dB, without making it.

    Not the loudness plus the gain: the absolute gate stays where it is, and other blocks pass it.
    """
    if audio.shape[0] < BLOCK_S * sample_rate:
        return lambda gain_db: -math.inf
    power = _block_power(audio[:, None] if audio.ndim == 1 else audio, sample_rate, offset)
    weights = np.array([1.0, 1.0, 1.0, 1.41, 1.41])[: power.shape[0], None]
    total = (weights * power).sum(axis=0)
    return lambda gain_db: _gated(total * 10.0 ** (gain_db / 10.0))


def gain_to_loudness(loudness: Callable[[float], float], target_lufs: float) -> float:
    """The gain in dB that brings audio to a loudness of at least -60 LUFS.

    Args:
        loudness: of the audio by gain, from `loudness_by_gain`.
        target_lufs: to reach.

    Returns:
        NaN for audio that has no loudness.
    """
    if not math.isfinite(loudness(0.0)):
        return math.nan
    gain_db = 0.0
    for _ in range(_GAIN_ITERATIONS):
        gain_db += target_lufs - loudness(gain_db)
    return gain_db


def channel_loudness(audio: np.ndarray, sample_rate: int, offset: float = 0.0) -> list[float]:
    """`integrated_loudness` of each channel on its own; arguments as there."""
    if audio.shape[0] < BLOCK_S * sample_rate:
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
    energy = _weighted_energy(signal, sample_rate, 0.0, bounds)
    total = energy[: signal.shape[1]].sum(axis=0)
    width = round(SHORT_TERM_S / hop_s)
    whole = total[: samples // hop]
    if whole.shape[0] < width:
        power, times_s = np.array([total.sum() / samples]), np.array([0.5 * samples / sample_rate])
    else:
        windows = np.lib.stride_tricks.sliding_window_view(whole, width).sum(axis=-1)
        power = windows / (width * hop)
        times_s = np.arange(power.shape[0]) * hop / sample_rate + 0.5 * SHORT_TERM_S
    with np.errstate(divide="ignore"):
        return times_s, np.maximum(_OFFSET_LUFS + 10.0 * np.log10(power), ABSOLUTE_GATE_LUFS)


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
    step_s = BLOCK_S / _STEPS_PER_BLOCK
    blocks = round((samples / sample_rate - BLOCK_S) / step_s) + 1
    # The bounds are rounded as pyloudnorm rounds them.
    steps = np.arange(blocks + _STEPS_PER_BLOCK) / _STEPS_PER_BLOCK
    bounds = np.minimum((BLOCK_S * steps * sample_rate).astype(np.int64), samples)
    pairs = [audio[:, first : first + 2] for first in range(0, channels, 2)]
    energy = np.concatenate([_weighted_energy(pair, sample_rate, offset, bounds) for pair in pairs])
    blockwise = np.lib.stride_tricks.sliding_window_view(energy, _STEPS_PER_BLOCK, axis=1)
    energies: np.ndarray = blockwise[:channels].sum(axis=-1)
    return energies / (BLOCK_S * sample_rate)


def _gated(power: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        loudness = _OFFSET_LUFS + 10.0 * np.log10(power)
    loud = loudness >= ABSOLUTE_GATE_LUFS
    if not loud.any():
        return -math.inf
    gate = _OFFSET_LUFS + 10.0 * math.log10(power[loud].mean()) + _RELATIVE_GATE_LU
    kept = power[(loudness > gate) & (loudness > ABSOLUTE_GATE_LUFS)]
    return _OFFSET_LUFS + 10.0 * math.log10(kept.mean()) if kept.size else -math.inf


@lru_cache(maxsize=8)
def _k_weighting(sample_rate: int) -> tuple[_Five, _Five]:
    """b0, b1, b2, a1, a2 of the shelf and of the high-pass."""
    shelf = high_shelf(1500.0, 4.0, sample_rate, math.sqrt(0.5))
    sections = np.concatenate([shelf, high_pass(38.0, sample_rate, 0.5)])
    first, second = np.delete(sections, 3, axis=1).tolist()  # a0, which is 1.
    return tuple(first), tuple(second)


#: A signal is filtered in so many stretches side by side, in the processor's vectors: a recursive
#: filter waits for its own last value. Each stretch begins where the filters have forgotten what
#: was before: 0.2 s leave 1e-19 of it.
_STRETCHES = 8
_MEMORY_S = 0.2
_LANES = 2 * _STRETCHES
_TILE = 90  # a tenth of a second at 44.1 kHz is a multiple


def _weighted_energy(
    audio: np.ndarray, sample_rate: int, offset: float, bounds: np.ndarray
) -> np.ndarray:
    """Sums of squares of the K-weighted channels between successive bounds, (2, bounds - 1).

    The second row of a single channel is the first one again.
    """
    energy = np.zeros((2, bounds.shape[0] - 1))
    early = math.ceil(_MEMORY_S * sample_rate / bounds[1])
    # Made here, as that takes long to compile.
    work, stretches = np.zeros((5 + _TILE) * _LANES), np.zeros((3, _STRETCHES), np.int64)
    filters = _k_weighting(sample_rate)
    _weigh(*_in_memory(audio), offset, filters, bounds, early, work, stretches, energy)
    return energy


def _in_memory(audio: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Where the samples of one or two channels lie: a flat view, and the distances in it between
    successive samples and between the channels.

    One type for every order of samples and channels: the loop is compiled once.
    """
    if audio.strides[0] < audio.itemsize or any(
        stride < 0 or stride % audio.itemsize for stride in audio.strides
    ):
        audio = np.ascontiguousarray(audio)
    hop, apart = (stride // audio.itemsize for stride in audio.strides)
    apart *= audio.shape[1] - 1
    span = (audio.shape[0] - 1) * hop + apart + 1
    flat = np.lib.stride_tricks.as_strided(audio, (span,), (audio.itemsize,), writeable=False)
    return flat, hop, apart


@compiled
def _weigh(
    flat: np.ndarray,
    hop: int,
    apart: int,
    offset: float,
    coefficients: tuple[_Five, _Five],
    bounds: np.ndarray,
    early: int,
    work: np.ndarray,
    stretches: np.ndarray,
    energy: np.ndarray,
) -> None:
    """Write `energy`; every stretch begins `early` blocks before its own, or with the signal."""
    left, right = flat[::hop], flat[apart::hop]
    blocks = bounds.shape[0] - 1
    each = -(-blocks // _STRETCHES)
    block, start, size = stretches[0], stretches[1], stretches[2]
    for step in range(-early, each):
        common = bounds[blocks]
        for k in range(_STRETCHES):
            block[k] = k * each + step
            # A stretch without a block goes over the first one, in vain.
            own = block[k] if 0 <= block[k] < blocks else 0
            start[k], size[k] = bounds[own], bounds[own + 1] - bounds[own]
            common = min(common, size[k])
            # Where the signal begins everything is zero, at every block the sums, in the last row.
            for row in range(0 if block[k] <= 0 else 4, 5):
                work[row * _LANES + k] = work[row * _LANES + _STRETCHES + k] = 0.0
        common -= common % _TILE
        for first in range(0, common, _TILE):
            for k in range(_STRETCHES):
                begin = start[k] + first
                parts = left[begin : begin + _TILE], right[begin : begin + _TILE]
                _take(*parts, offset, work[5 * _LANES + k :])
            _filter_lanes(work, coefficients)
        for k in range(_STRETCHES):
            # Blocks are neither whole tiles nor all of one length.
            for n in range(start[k] + common, start[k] + size[k]):
                _filter_sample(work, coefficients, left[n] + offset, k)
                _filter_sample(work, coefficients, right[n] + offset, _STRETCHES + k)
            if step >= 0 and block[k] < blocks:
                energy[0, block[k]] = work[4 * _LANES + k]
                energy[1, block[k]] = work[4 * _LANES + _STRETCHES + k]


@compiled
def _take(left: np.ndarray, right: np.ndarray, offset: float, lane: np.ndarray) -> None:
    """Write samples of a stretch into its lane and into that of the other channel."""
    for t in range(left.shape[0]):
        lane[t * _LANES] = left[t] + offset
        lane[t * _LANES + _STRETCHES] = right[t] + offset


@compiled
def _filter_lanes(work: np.ndarray, coefficients: tuple[_Five, _Five]) -> None:
    """Both filters on a tile of samples.

    `work` holds rows of a value per lane: two states of each filter, the sum of squares, and then
    the samples. One array, with distances known in advance, is what the compiler vectorises.
    """
    for t in range(_TILE):
        for lane in range(_LANES):
            _filter_sample(work, coefficients, work[(5 + t) * _LANES + lane], lane)


@compiled
def _filter_sample(
    work: np.ndarray, coefficients: tuple[_Five, _Five], x: float, lane: int
) -> None:
    (b0, b1, b2, a1, a2), (c0, c1, c2, d1, d2) = coefficients
    y = b0 * x + work[lane]
    work[lane] = (b1 * x + work[_LANES + lane]) - a1 * y
    work[_LANES + lane] = b2 * x - a2 * y
    out = c0 * y + work[2 * _LANES + lane]
    work[2 * _LANES + lane] = (c1 * y + work[3 * _LANES + lane]) - d1 * out
    work[3 * _LANES + lane] = c2 * y - d2 * out
    work[4 * _LANES + lane] += out * out
