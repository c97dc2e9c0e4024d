"""Matching a stem's long-term spectrum to the data set's, channel by channel."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft

from fxnorm import scratch
from fxnorm.audio import channel_loudness, db, frame_count, from_db, peak_db, sqrt_hann
from fxnorm.compiling import compiled
from fxnorm.conventions import (
    GATE_DB,
    LONG_TERM_BINS,
    LONG_TERM_FFT,
    LONG_TERM_HOP,
    PADDING,
    SAMPLE_RATE,
    WORKING_LEVEL_LUFS,
)
from fxnorm.normalization.matching import loudness
from fxnorm.normalization.matching.checks import require_bins, require_finite, require_rate
from fxnorm.normalization.matching.effect import (
    CHANNEL_NAMES,
    Context,
    Curve,
    Effect,
    Feature,
    Outcome,
)
from fxnorm.normalization.matching.rows import is_silent, sounding_frames, times
from fxnorm.normalization.matching.smoothing import moving_line
from fxnorm.stems import StemType

_TAPS = 1001
#: scipy's firwin2 interpolates the wanted response on a grid of 1,025 points for 1,001 taps, so of
#: the 32,769 bins only every 32nd matters.
_GRID_FFT = 2048
_GRID_STEP = LONG_TERM_FFT // _GRID_FFT
#: Frames whose spectra lie in memory at a time: six minutes of audio.
_FRAMES_AT_ONCE = 1024
#: So many frames are transformed at once in the processor's vectors.
_FRAMES_SIDE_BY_SIDE = 4
_BLOCK = 16_384
_BLOCKS_PER_BATCH = 4
#: Where the input is silent the block-wise filter leaves rounding noise, which would count as
#: signal in position measurements; 1e-10 is -200 dBFS.
_ROUNDING_NOISE = 1e-10


@dataclass(frozen=True)
class EqualizedChannel:
    """A channel after equalisation and what was done to it."""

    samples: np.ndarray
    """(samples,) float32, a row of the array of all channels."""
    level_gain_db: float | None
    """Gain that brought it to -30 LUFS; None when the channel was left alone."""
    response_db: np.ndarray | None = None
    """Gain of the filter from 0 Hz to half the sample rate, (1,025,); none when the channel was
    left alone."""

    @property
    def largest_boost_db(self) -> float:
        """Largest gain of the filter over frequency."""
        return 0.0 if self.response_db is None else float(self.response_db.max())


def match_equalization(
    audio: np.ndarray,
    sample_rate: int,
    reference_spectrum: np.ndarray,
    *,
    max_boost_db: float | None = None,
) -> np.ndarray:
    """Filter each channel so that its mean magnitude spectrum becomes the reference.

    Each channel is brought to -30 LUFS on its own and keeps that level; channels with a peak of
    -50 dBFS or less are left alone.

    Args:
        audio: (samples, channels) or (samples,).
        sample_rate: 44,100 Hz, the rate that the reference is made for.
        reference_spectrum: (32,769,) mean magnitudes of a 65,536-point FFT at -30 LUFS.
        max_boost_db: limit of the filter's gain. None, the default, is the published method, which
            has no limit; the chain has one (`NormalizationConfig.eq_max_boost_db`).

    Returns:
        float32, shaped like `audio`.

    Raises:
        FxNormError: another sample rate, a reference of another length, or audio that is not
            finite.
    """
    require_rate(sample_rate)
    require_finite(audio)
    signal = audio[:, None] if audio.ndim == 1 else audio
    channels = np.ascontiguousarray(signal.T, np.float32)
    results = equalize_channels(channels, reference_spectrum, max_boost_db)
    return np.stack([result.samples for result in results], axis=1).reshape(audio.shape)


def equalize_channels(
    channels: np.ndarray,
    reference_spectrum: np.ndarray,
    max_boost_db: float | None,
    strength: float = 1.0,
    *,
    skip_silence: bool = False,
    out: np.ndarray | None = None,
) -> list[EqualizedChannel]:
    """`match_equalization` of channels at 44.1 kHz; other arguments as there.

    Args:
        channels: (channels, samples) float32, contiguous.
        strength: fraction of the level change and of the filter's response (in dB) to apply.
        skip_silence: measure what sounds: silent stretches beyond the chain's padding don't count.
        out: array like `channels` for the result; a new one if not given.
    """
    require_bins(reference_spectrum, "equalisation")
    loudnesses = channel_loudness(channels.T, SAMPLE_RATE, offset=loudness.MEASUREMENT_OFFSET)
    out = scratch.empty(channels.shape) if out is None else out
    return [
        _equalize(samples, lufs, reference_spectrum, max_boost_db, strength, skip_silence, row)
        for samples, lufs, row in zip(channels, loudnesses, out, strict=True)
    ]


def _equalize(
    samples: np.ndarray,
    measured_lufs: float,
    reference_spectrum: np.ndarray,
    max_boost_db: float | None,
    strength: float,
    skip_silence: bool,
    out: np.ndarray,
) -> EqualizedChannel:
    if peak_db(samples) <= GATE_DB:
        out[:] = samples
        return EqualizedChannel(out, None)
    gain = loudness.loudness_gain(samples, measured_lufs, WORKING_LEVEL_LUFS)
    spectrum = _mean_magnitude(samples, gain, skip_silence)
    ratio = (reference_spectrum[::_GRID_STEP] + 1e-30) / (spectrum + 1e-30)
    if max_boost_db is not None:
        ratio = np.minimum(ratio, from_db(max_boost_db))
    # The root, because the filter acts twice: forwards and backwards.
    wanted = np.sqrt(ratio) ** strength
    taps = _linear_phase(wanted)
    _filter_twice(samples, gain**strength, taps, out)
    return EqualizedChannel(out, float(db(gain**strength)), strength * db(ratio))


def _linear_phase(wanted: np.ndarray) -> np.ndarray:
    """Taps with the wanted gain at 1,025 frequencies, as `scipy.signal.firwin2` makes them."""
    around = np.roll(scipy.fft.irfft(wanted), _TAPS // 2)
    taps: np.ndarray = around[:_TAPS] * np.hamming(_TAPS)
    return taps


def mean_spectrum(samples: np.ndarray) -> np.ndarray:
    """Mean over frames of the magnitude spectrum, every bin: (32,769,) float64.

    Transformed in single precision, whose noise lies 130 dB below the signal.

    Args:
        samples: (samples,) float32; zero-padded to one frame where shorter.
    """
    samples = _at_least_one_frame(samples)
    window = sqrt_hann(LONG_TERM_FFT).astype(np.float32)
    count = frame_count(samples.shape[0], LONG_TERM_FFT, LONG_TERM_HOP)
    total = np.zeros(LONG_TERM_BINS)
    frames = np.lib.stride_tricks.sliding_window_view(samples, LONG_TERM_FFT)[::LONG_TERM_HOP]
    for few in scratch.blocks(count, _FRAMES_SIDE_BY_SIDE):
        total += np.abs(scipy.fft.rfft(frames[few] * window)).sum(axis=0)
    return total / count


def _at_least_one_frame(samples: np.ndarray) -> np.ndarray:
    missing = LONG_TERM_FFT - samples.shape[0]
    return np.pad(samples, (0, missing)) if missing > 0 else samples


def _mean_magnitude(samples: np.ndarray, gain: float, skip_silence: bool) -> np.ndarray:
    """Mean magnitudes of the 65,536-point STFT of samples times a gain, every 32nd bin, (1,025,).

    Those bins are the DFT of the windowed frame folded to 2,048 samples.
    """
    samples = _at_least_one_frame(samples)
    count = frame_count(samples.shape[0], LONG_TERM_FFT, LONG_TERM_HOP)
    counted = np.ones(count, bool)
    if skip_silence:
        counted = sounding_frames(samples[None], LONG_TERM_FFT, LONG_TERM_HOP)
    total, window = np.zeros(_GRID_FFT // 2 + 1), sqrt_hann(LONG_TERM_FFT)
    for frames in scratch.blocks(count, _FRAMES_AT_ONCE):
        folded = np.empty((frames.stop - frames.start, _GRID_FFT))
        _fold(samples[frames.start * LONG_TERM_HOP :], np.float32(gain), window, folded)
        total += np.abs(scipy.fft.rfft(folded, axis=1))[counted[frames]].sum(axis=0)
    if not skip_silence:
        return total / count
    # The first frame of padding counts as it does in the data set's average, and the last if whole.
    own: int = samples.shape[0] - 2 * PADDING
    padded = 1 + (own % LONG_TERM_HOP == 0)
    sounding = int(counted.sum())
    return total / max(1, sounding + min(padded, count - sounding))


@compiled
def _fold(samples: np.ndarray, gain: np.float32, window: np.ndarray, folded: np.ndarray) -> None:
    # With the gain rounded to single, here and before the filter, as in the reference: in almost
    # empty bands the rounding noise decides the filter's gain.
    for frame in range(folded.shape[0]):
        row = folded[frame]
        for k in range(_GRID_FFT):
            row[k] = 0.0
        for first in range(0, LONG_TERM_FFT, _GRID_FFT):
            start = frame * LONG_TERM_HOP + first
            for k in range(_GRID_FFT):
                row[k] += (samples[start + k] * gain) * window[first + k]


def _filter_twice(samples: np.ndarray, gain: float, taps: np.ndarray, filtered: np.ndarray) -> None:
    """Forward-backward filtering of samples times a gain, in double, to `filtered`.

    As scipy's filtfilt with odd extension: a linear-phase FIR run both ways is one zero-phase
    filter with the response |FFT(taps)|², here by overlap-save on the extended signal.
    """
    reach = taps.shape[0] - 1
    # Repeated for real and imaginary parts: numpy would make complex numbers of it.
    response = np.repeat(np.abs(scipy.fft.rfft(taps, _BLOCK)) ** 2, 2)
    step = _BLOCK - 2 * reach
    count = math.ceil(samples.shape[0] / step)
    blocks = np.empty((_BLOCKS_PER_BATCH, _BLOCK))
    for first in range(0, count, _BLOCKS_PER_BATCH):
        rows = min(_BLOCKS_PER_BATCH, count - first)
        for row in range(rows):
            part = np.float32(gain) * _extended(samples, reach, (first + row) * step)
            blocks[row, : part.shape[0]] = part
            blocks[row, part.shape[0] :] = 0.0
        if is_silent(blocks[:rows]):
            filtered[first * step :][: rows * step] = 0.0
            continue
        spectra = scipy.fft.rfft(blocks[:rows], axis=1)
        spectra.view(np.float64)[:] *= response
        kept = scipy.fft.irfft(spectra, n=_BLOCK, axis=1, overwrite_x=True)
        for row in range(rows):
            _store(kept[row, reach:-reach], filtered[(first + row) * step :][:step])


@compiled
def _store(values: np.ndarray, out: np.ndarray) -> None:
    """Round to single; what is rounding noise of the transform becomes zero."""
    for n in range(out.shape[0]):
        out[n] = values[n] if abs(values[n]) > _ROUNDING_NOISE else 0.0


def _extended(samples: np.ndarray, reach: int, start: int) -> np.ndarray:
    """A block, from `start`, of the signal with `reach` samples mirrored oddly at both ends."""
    count = samples.shape[0]
    begin, end = start - reach, min(start - reach + _BLOCK, count + reach)
    if begin >= 0 and end <= count:
        return samples[begin:end]
    if count <= 2 * _BLOCK:
        return np.pad(samples, reach, mode="reflect", reflect_type="odd")[start : end + reach]
    # Only one end is near: the other does not matter here.
    first = 0 if begin < 0 else begin - reach
    near = samples[first : first + 2 * _BLOCK] if begin < 0 else samples[first:]
    padded = np.pad(near, reach, mode="reflect", reflect_type="odd")
    return padded[begin - first + reach : end - first + reach]


def smooth(spectrum: np.ndarray, stem_type: StemType) -> np.ndarray:
    """Moving-line smoothing of a mean spectrum."""
    return moving_line(spectrum, stem_type.eq_smoothing_bins)


def _measure(channels: np.ndarray) -> np.ndarray:
    """Mean magnitude spectrum of a stem at -30 LUFS."""
    lufs = loudness.measure(channels.T, SAMPLE_RATE)
    gain = loudness.loudness_gain(channels, lufs, WORKING_LEVEL_LUFS)
    spectra = [mean_spectrum(times(channel, gain)) for channel in channels]
    mean: np.ndarray = np.mean(spectra, axis=0)
    return mean


def _apply(channels: np.ndarray, context: Context) -> Outcome:
    limit = None if context.config.released_quirks else context.config.eq_max_boost_db
    equalized = scratch.empty(channels.shape)
    results = equalize_channels(
        channels,
        context.reference,
        limit,
        context.strength,
        skip_silence=not context.config.released_quirks,
        out=equalized,
    )
    report = {
        name: {"level_gain_db": r.level_gain_db, "largest_boost_db": r.largest_boost_db}
        for name, r in zip(CHANNEL_NAMES, results, strict=True)
    }
    named = zip(CHANNEL_NAMES, results, strict=True)
    curves = {name: r.response_db for name, r in named if r.response_db is not None}
    return Outcome(equalized, report, curves=curves)


def _describe(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{side} untouched"
        if fact["level_gain_db"] is None
        else f"{side} {fact['level_gain_db']:+.1f} dB (band boost up to "
        f"{fact['largest_boost_db']:.1f} dB)"
        for side, fact in facts.items()
    )


EQUALIZATION = Effect(
    _apply,
    _describe,
    Feature(
        shape=(LONG_TERM_BINS,),
        limits=(-1e6, 1e6),
        measure=_measure,
        title="Spectrum at −30 LUFS",
        label="mean magnitude (dB)",
        smooth=smooth,
        curve=Curve("eq_db", db),
    ),
)
