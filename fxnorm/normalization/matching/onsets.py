"""Onsets by high-frequency content, and the mean level of the peaks that follow them.

The detector is aubio 0.4.9's `onset("hfc", 1024, 1024, rate)`, re-implemented from its behaviour:
high-frequency content of log magnitudes, a short zero-phase smoother, a median-and-mean adaptive
threshold, a parabola through the three values around a peak, a silence gate and a minimum
distance. Positions agree with aubio's except for ±1 sample in about one of 2,500, where the
rounding inside a single-precision FFT decides. Sums keep aubio's order and precision.
"""

import math

import numpy as np
import scipy.fft

from fxnorm.audio import db
from fxnorm.compiling import compiled
from fxnorm.normalization.matching.checks import require_finite
from fxnorm.normalization.matching.rows import is_silent

#: Frame, hop and FFT length in samples.
FRAME = 1024
#: Peaks above this percentile of a channel's peak levels are the strongest.
PERCENTILE = 75.0

_BINS = FRAME // 2 + 1
_BATCH = 32  # frames per transform: their spectra stay in the second-level cache
_DELAY = 4403  # floor(4.3 hops): detection latency that is taken off positions
_MINIMUM_INTERVAL_S = 0.05
_THRESHOLD = np.float32(0.058)
_SILENCE_DB = np.float32(-70.0)
#: Smoothing filter b0 + b1 z⁻¹ + b2 z⁻² over 1 + a1 z⁻¹; a1 is positive in aubio too.
_B0, _B1, _B2 = 0.15998789, 0.31997577, 0.15998789
_A1 = 0.23484048
_TINY = 2e-42


def detect_onsets(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Onset positions of one channel.

    Args:
        samples: (samples,), full scale = 1; a last incomplete frame of 1,024 is not analysed.
        sample_rate: in Hz; sets the minimum distance of 50 ms and nothing else.

    Returns:
        Strictly increasing sample positions, int64.
    """
    samples = np.ascontiguousarray(samples, np.float32)
    return onsets_from_descriptor(samples, high_frequency_content(samples), sample_rate)


def mean_peak(
    audio: np.ndarray, sample_rate: int, percentile: float = PERCENTILE
) -> tuple[float, float] | None:
    """Mean and standard deviation of the levels of the strongest peaks, one peak per onset.

    Args:
        audio: (samples, channels) or (samples,).
        sample_rate: in Hz.
        percentile: peaks above this percentile of a channel's peak levels count.

    Returns:
        (mean, standard deviation) in dB, averaged over channels; None when a channel has no onset.

    Raises:
        FxNormError: audio that is not finite.
    """
    require_finite(audio)
    signal = audio[:, None] if audio.ndim == 1 else audio
    results = []
    for channel in range(signal.shape[1]):
        samples = np.ascontiguousarray(signal[:, channel], np.float32)
        onsets = detect_onsets(samples, sample_rate)
        if onsets.size == 0:
            return None
        results.append(peak_statistics(segment_peaks_db(samples, onsets), percentile))
    mean, deviation = np.mean(results, axis=0)
    return float(mean), float(deviation)


def segment_peaks_db(samples: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Peak level between each onset and the next (or the end), in dB, (onsets,) float64."""
    highest = np.maximum.reduceat(samples, onsets)
    lowest = np.minimum.reduceat(samples, onsets)
    peaks_db: np.ndarray = db(np.maximum(highest, -lowest).astype(np.float64))
    return peaks_db


def peak_statistics(levels_db: np.ndarray, percentile: float) -> tuple[float, float]:
    """Mean and population standard deviation of the levels above their percentile.

    Where none lies above it (a single onset, or equal levels) all levels count.
    """
    kept = levels_db[levels_db > np.percentile(levels_db, percentile)]
    if kept.size == 0:
        kept = levels_db
    return float(kept.mean()), float(kept.std())


def high_frequency_content(samples: np.ndarray) -> np.ndarray:
    """The onset descriptor of every whole frame, (frames,) float32.

    Args:
        samples: (samples,) float32, contiguous.
    """
    count = samples.shape[0] // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME)
    descriptor = np.empty(count, np.float32)
    work = np.empty((6, _BINS), np.float32)
    bits = work.view(np.int32)
    for start in range(0, count, _BATCH):
        batch = frames[start : start + _BATCH]
        if is_silent(batch):
            descriptor[start : start + _BATCH] = 0.0
            continue
        spectra = scipy.fft.rfft(batch * _HANN, axis=1)
        _weighted_log_sums(spectra, work, bits, descriptor[start : start + _BATCH])
    return descriptor


def onsets_from_descriptor(
    samples: np.ndarray, descriptor: np.ndarray, sample_rate: int
) -> np.ndarray:
    """Pick the onsets of `samples` whose `high_frequency_content` is given."""
    interval = np.float32(np.float32(_MINIMUM_INTERVAL_S) * np.float32(sample_rate))
    distance = math.floor(interval + np.float32(0.5))
    starts = np.arange(descriptor.shape[0]) * FRAME
    after = _above_threshold(descriptor)
    peak, before = (np.append(np.zeros(lag, np.float32), after)[: after.size] for lag in (1, 2))
    is_peak = (peak > before) & (peak > after) & (peak > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = _ONE + _HALF * (before - after) / (before - _TWO * peak + after)
        refined = starts + np.floor(shift * np.float32(FRAME) + _HALF)
    picked = np.flatnonzero(is_peak | (starts <= _DELAY))
    frames = samples[: after.size * FRAME].reshape(-1, FRAME)
    last, positions = 0, list[int]()
    for t in picked[~_silent(frames[picked])].tolist():
        start, new = t * FRAME, int(refined[t]) if is_peak[t] else 0
        if is_peak[t] and last + distance < new:
            last = max(_DELAY, new)
            positions.append(last - _DELAY)
        elif not is_peak[t] and (start == 0 or last + distance < start):
            last = start + _DELAY
            positions.append(start)
    return np.array(positions, np.int64)


def _above_threshold(descriptor: np.ndarray) -> np.ndarray:
    """How far each value, two frames late, lies above its adaptive threshold; float32."""
    padded = np.append(np.zeros(7, np.float32), descriptor)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 7)[1:].T
    smooth = _smoothed(_smoothed(windows)[::-1])[::-1]
    # numpy would add the seven in an order of its own.
    mean = sum(smooth[1:], start=smooth[0]) / np.float32(7.0)
    above: np.ndarray = (smooth[5] - np.sort(smooth, axis=0)[3]) - mean * _THRESHOLD
    return above


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The smoothing filter from rest along the first axis; the state is double."""
    smoothed = np.empty(values.shape, np.float32)
    u1 = u2 = y1 = np.zeros(values.shape[1])
    for out, value in zip(smoothed, values, strict=True):
        u = np.where(np.abs(value) < _TINY, 0.0, value.astype(np.float64))
        out[:] = y = _B0 * u + _B1 * u1 - _A1 * y1 + _B2 * u2
        u2, u1, y1 = u1, u, y
    return smoothed


def _hann() -> np.ndarray:
    phase = (2.0 * np.pi * np.arange(FRAME) / FRAME).astype(np.float32)
    return (0.5 * (1.0 - np.cos(phase).astype(np.float64))).astype(np.float32)


_HANN = _hann()

#: Coefficients of fdlibm's single-precision logarithm (error below one unit in the last place).
_LG1, _LG2 = np.float32(0.66666662693), np.float32(0.40000972152)
_LG3, _LG4 = np.float32(0.28498786688), np.float32(0.24279078841)
_LN2_HIGH, _LN2_LOW = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_MANTISSA_BITS = np.int32(0x007FFFFF)
_ONE, _TWO, _HALF = np.float32(1.0), np.float32(2.0), np.float32(0.5)


@compiled
def _weighted_log_sums(
    spectra: np.ndarray, work: np.ndarray, work_bits: np.ndarray, sums: np.ndarray
) -> None:
    """Σ (k + 1) ln(1 + |X[k]|) of every row, all of it in single and the sum left to right.

    The logarithm is written out so that the compiler vectorises it; four rows are summed side by
    side because a sum in fixed order waits for each addition. `work_bits` is `work`, (6, bins), as
    integers: to make that view here would take long to compile.
    """
    terms, argument, exponent = work[:4], work[4], work[5]
    bits = work_bits[4]
    for row in range(0, spectra.shape[0], 4):
        rows = min(4, spectra.shape[0] - row)
        for lane in range(rows):
            spectrum = spectra[row + lane]
            for k in range(_BINS):
                re, im = spectrum[k].real, spectrum[k].imag
                argument[k] = np.sqrt(re * re + im * im) + _ONE
            for k in range(_BINS):
                shifted = np.int32(bits[k] - _SQRT_HALF_BITS)
                exponent[k] = np.float32(np.int32(shifted >> np.int32(23)))
                bits[k] = np.int32(np.int32(shifted & _MANTISSA_BITS) + _SQRT_HALF_BITS)
            for k in range(_BINS):
                f = argument[k] - _ONE
                s = f / (_TWO + f)
                z = s * s
                w = z * z
                r = z * (_LG1 + w * _LG3) + w * (_LG2 + w * _LG4)
                h = _HALF * f * f
                e = exponent[k]
                log = s * (h + r) + e * _LN2_LOW - h + f + e * _LN2_HIGH
                terms[lane, k] = np.float32(np.int32(k + 1)) * log
        a = b = c = d = np.float32(0.0)
        for k in range(_BINS):
            a += terms[0, k]
            b += terms[1, k]
            c += terms[2, k]
            d += terms[3, k]
        sums[row] = a
        if rows > 1:
            sums[row + 1] = b
        if rows > 2:
            sums[row + 2] = c
        if rows > 3:
            sums[row + 3] = d


def _silent(frames: np.ndarray) -> np.ndarray:
    mean = np.einsum("ij,ij->i", frames, frames) / np.float32(FRAME)
    with np.errstate(divide="ignore"):
        silent: np.ndarray = np.float32(10.0) * np.log10(mean) < _SILENCE_DB
    return silent
