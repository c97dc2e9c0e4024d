"""Stereo position per frequency, and re-panning a stem to the data set's."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.fft

from fxnorm import scratch
from fxnorm.audio import frame_count, from_db, sqrt_hann, stft, to_stereo
from fxnorm.compiling import compiled
from fxnorm.conventions import (
    LARGEST_BAND_GAIN_DB,
    LONG_TERM_BINS,
    LONG_TERM_FFT,
    LONG_TERM_HOP,
    SAMPLE_RATE,
)
from fxnorm.errors import FxNormError
from fxnorm.normalization.matching.checks import require_bins, require_finite, require_rate
from fxnorm.normalization.matching.effect import Context, Curve, Effect, Feature, Outcome
from fxnorm.normalization.matching.rows import is_silent, sounding_frames
from fxnorm.normalization.matching.smoothing import moving_line
from fxnorm.stems import StemType, default_stem_type

#: FFT length and hop of re-panning, in samples.
N_FFT = 2048
HOP = 1024

_BINS = N_FFT // 2 + 1
_BATCH = 16
_SMOOTHING = 501
_SIDE_BAND_HZ = (50, 2500)
_NEAR_GAIN, _FAR_GAIN = 0.7, 0.3
#: Channels as alike as this are one.
_MONO_SPS = 1e-4
#: Mono leans to both sides from this bin on (86 Hz), in third octaves of two bins or more.
_FIRST_BIN_APART = 4
_BAND_RATIO = 2.0 ** (1.0 / 3.0)
_REFERENCE_FACTOR = 0.9
_ONE, _TWO = np.float32(1.0), np.float32(2.0)
_TINY = np.float32(1e-20)
_FRAME_GATE_POWER = np.float32(0.1)  # the largest bin below -10 dB


def position(audio: np.ndarray, n_fft: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Stereo position of every frame and bin (Avendano's panning index).

    Args:
        audio: (samples, 2).
        n_fft: frame and FFT length in samples.
        hop: step between frames in samples.

    Returns:
        (sps, phi), each (frames, n_fft // 2 + 1) float32. phi is the similarity of the channels,
        0 (one channel only) to 1 (equal, or both silent); sps = 1 − phi, positive to the right,
        negative to the left.

    Raises:
        FxNormError: not stereo, or not finite.
    """
    require_finite(audio)
    if audio.ndim != 2 or audio.shape[1] != 2:
        raise FxNormError(f"position: audio has shape {audio.shape}; give (samples, 2)")
    left, right = (stft(np.ascontiguousarray(audio[:, c]), n_fft, hop) for c in range(2))
    sps = np.empty(left.shape, np.float32)
    phi = np.empty(left.shape, np.float32)
    for frame in range(left.shape[0]):
        _position(left[frame], right[frame], sps[frame], phi[frame])
    return sps, phi


def match_panning(
    audio: np.ndarray,
    sample_rate: int,
    stem: str,
    reference_phi: np.ndarray,
    *,
    released_quirks: bool = False,
    max_gain_db: float = LARGEST_BAND_GAIN_DB,
) -> np.ndarray:
    """Pan a stem to one side and give every bin the reference's similarity of channels.

    Mono has no side. From 86 Hz on each of its third octaves leans to one, so that both sides have
    the same power: its channels are as alike as the reference's, it stays in the middle as a whole,
    and it is the same when its channels are added.

    Args:
        audio: (samples, 1 or 2) or (samples,); mono is repeated.
        sample_rate: 44,100 Hz, the rate that the reference is made for.
        stem: stem type, whose cut-off frequency (`fxnorm.stems`) ends the re-panning.
        reference_phi: (32,769,) mean phi of a 65,536-point FFT.
        released_quirks: as the released code does: no re-panning from frame 743 (drums: 278) on,
            all bins before it, gains without limit, mono to the right.
        max_gain_db: limit of a bin's gain; not used with `released_quirks`.

    Returns:
        (samples, 2) float32.

    Raises:
        FxNormError: another sample rate, a reference of another length, or audio that is not
            finite or has more than two channels.
    """
    require_rate(sample_rate)
    require_bins(reference_phi, "panning")
    require_finite(audio)
    channels = np.ascontiguousarray(to_stereo(audio).T, np.float32)
    repanned, _ = pan_channels(
        channels,
        default_stem_type(stem),
        reference_phi,
        released_quirks=released_quirks,
        max_gain_db=max_gain_db,
    )
    return np.ascontiguousarray(repanned.T)


def pan_channels(
    channels: np.ndarray,
    stem_type: StemType,
    reference_phi: np.ndarray,
    *,
    released_quirks: bool = False,
    max_gain_db: float = LARGEST_BAND_GAIN_DB,
    strength: float = 1.0,
) -> tuple[np.ndarray, int]:
    """`match_panning` of (2, samples) at 44.1 kHz; other arguments as there.

    Args:
        channels: (2, samples) float32, contiguous.
        stem_type: whose cut-off frequency counts.
        strength: fraction of every gain (in dB) to apply.

    Returns:
        (2, samples) float32 and the stem's side: 1 right, -1 left, 0 both.
    """
    samples = channels.shape[1]
    spectra, sps = _spectra_and_sps(channels, skip_silence=not released_quirks)
    side = _side(sps, mono_to_the_right=released_quirks)
    phi = reference_curve(reference_phi)
    cutoff = int(stem_type.panning_cutoff_hz * N_FFT / SAMPLE_RATE)
    if side:
        sides = np.full(_BINS, side)
    else:
        far = np.where(np.arange(_BINS) < cutoff, _alike(phi), _FAR_GAIN)
        # Of a bin's power p, (1 - far)² p comes to one side and far² p to the other.
        sides = _balanced_sides(_left_power(spectra) * (1.0 - 2.0 * far))
    offset = _leaning(np.full(_BINS, _FAR_GAIN), sides)
    if side:
        wanted = _leaning(np.clip(phi + 1e-30, 0.0, 1.0) / 2.0, sides)
    else:
        # What a bin is divided by when its channels differ by the offset alone.
        here = _leaning(np.full(_BINS, _far_gain(np.float32(_FAR_GAIN / _NEAR_GAIN))), sides)
        wanted = _leaning(_alike(phi), sides) * here / offset
    # The released code applies the cut-off along the axis of frames.
    bins, frames = (_BINS, cutoff) if released_quirks else (cutoff, spectra.shape[0])
    limit = np.inf if released_quirks else from_db(max_gain_db)
    out = scratch.empty((2, samples))
    for block in scratch.blocks(samples):
        out[:, block] = 0.0
    window = sqrt_hann(N_FFT).astype(np.float32)
    gains = np.empty((2, _BINS), np.float32)
    for first in range(0, spectra.shape[0], _BATCH):
        batch = spectra[first : first + _BATCH]
        if is_silent(batch):
            continue
        _repan(
            batch,
            offset.astype(np.float32),
            sides,
            wanted.astype(np.float32),
            bins,
            frames - first,
            np.float32(limit),
            np.float32(strength),
            gains,
        )
        _overlap_add(scipy.fft.irfft(batch, n=N_FFT, axis=2), window, first, out)
    return out, side


def reference_curve(reference_phi: np.ndarray) -> np.ndarray:
    """The data set's 32,769 values of phi as the 1,025 values that re-panning uses."""
    groups = (reference_phi.shape[0] - 1) // (_BINS - 1)
    means = np.asarray(reference_phi[:-1], np.float64).reshape(-1, groups).mean(axis=1)
    return _REFERENCE_FACTOR * np.append(means, reference_phi[-1])


def _spectra_and_sps(channels: np.ndarray, *, skip_silence: bool) -> tuple[np.ndarray, np.ndarray]:
    """Spectra (frames, 2, 1025) of the signal padded by one frame, and SPS averaged over frames.

    Transformed in double: in single precision empty bands cancel to exact zeros in one channel
    only, which re-panning without a limit lifts by hundreds of decibels.
    """
    count = frame_count(channels.shape[1] + 2 * N_FFT, N_FFT, HOP)
    window = sqrt_hann(N_FFT)
    spectra = scratch.empty((count, 2, _BINS), np.complex64)
    sounding = np.ones(count, bool)
    if skip_silence and channels.shape[1] >= N_FFT:
        inner = sounding_frames(channels, N_FFT, HOP)
        # One frame of padding is two hops.
        sounding[2 : 2 + len(inner)] = inner
    frames = np.empty((_BATCH, 2, N_FFT))
    work, total = np.empty((2, _BINS), np.float32), np.zeros(_BINS)
    for first in range(0, count, _BATCH):
        batch = spectra[first : first + _BATCH]
        start = first * HOP - N_FFT
        if is_silent(channels[:, max(0, start) : start + _BATCH * HOP + N_FFT]):
            batch[:] = 0.0
            continue
        _cut_frames(channels, first, window, frames[: len(batch)])
        exact = scipy.fft.rfft(frames[: len(batch)], axis=2)
        # As real numbers, which numpy rounds several times faster than complex ones.
        batch.view(np.float32)[:] = exact.view(np.float64)
        _add_positions(batch, sounding[first : first + _BATCH], work, total)
    return spectra, total / count


def _side(mean_sps: np.ndarray, *, mono_to_the_right: bool) -> int:
    """1 right, -1 left, 0 for mono, which leans to both."""
    course = moving_line(mean_sps, _SMOOTHING)
    low, high = (hz * N_FFT // SAMPLE_RATE for hz in _SIDE_BAND_HZ)
    if not mono_to_the_right and np.abs(course[low:high]).max() < _MONO_SPS:
        return 0
    return int(np.sign(np.sign(course[low:high] + 1e-10).mean()))


def _left_power(spectra: np.ndarray) -> np.ndarray:
    """Sum of the left channel's power over all frames, (bins,)."""
    total = np.zeros(_BINS)
    for frames in scratch.blocks(spectra.shape[0], _BATCH):
        left = spectra[frames, 0]
        total += np.sum(left.real**2 + left.imag**2, axis=0, dtype=np.float64)
    return total


def _balanced_sides(leaning: np.ndarray) -> np.ndarray:
    """1 or -1 for each band so that all of them lean to no side, 0 below the bands, (bins,).

    Args:
        leaning: by how much one side has more power than the other, of each bin.
    """
    edges = [_FIRST_BIN_APART]
    while edges[-1] < _BINS:
        edges.append(max(edges[-1] + 2, round(_BAND_RATIO * edges[-1])))
    bands = [slice(*band) for band in pairwise(edges)]
    sides, total = np.zeros(_BINS, int), 0.0
    for band in sorted(bands, key=lambda band: -leaning[band].sum()):
        sides[band] = 1 if total <= 0.0 else -1
        total += sides[band.start] * leaning[band].sum()
    return sides


def _alike(phi: np.ndarray) -> np.ndarray:
    """Gains of the far side, those of the near one being 1 less them, that give mono `phi`."""
    phi = np.clip(phi, 1e-6, 1.0)
    ratio = (1.0 - np.sqrt(1.0 - phi**2)) / phi
    gains: np.ndarray = ratio / (1.0 + ratio)
    return gains


def _leaning(far: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Gains (2, bins) of left and right, whose sum is 1, from those of the far side."""
    far = np.where(sides == 0, 0.5, far)
    return np.where(sides > 0, [far, 1.0 - far], [1.0 - far, far])


@compiled
def _cut_frames(channels: np.ndarray, first: int, window: np.ndarray, frames: np.ndarray) -> None:
    """Windowed frames from `first` on of the signal with N_FFT zeros at both ends."""
    for row in range(frames.shape[0]):
        start = (first + row) * HOP - N_FFT
        begin, end = max(0, -start), max(0, min(N_FFT, channels.shape[1] - start))
        for channel in range(2):
            frame = frames[row, channel]
            for n in range(begin):
                frame[n] = 0.0
            for n in range(end, N_FFT):
                frame[n] = 0.0
            own, weights = channels[channel, start + begin : start + end], window[begin:end]
            for n in range(own.shape[0]):
                frame[begin + n] = own[n] * weights[n]


@compiled
def _add_positions(
    spectra: np.ndarray, counted: np.ndarray, work: np.ndarray, total: np.ndarray
) -> None:
    """Add the SPS of the frames that count to `total`."""
    sps, phi = work[0], work[1]
    for row in range(spectra.shape[0]):
        if counted[row]:
            _position(spectra[row, 0], spectra[row, 1], sps, phi)
            for k in range(total.shape[0]):
                total[k] += sps[k]


@compiled
def _position(left: np.ndarray, right: np.ndarray, sps: np.ndarray, phi: np.ndarray) -> None:
    for k in range(left.shape[0]):
        a = _magnitude(left[k]) + _TINY
        b = _magnitude(right[k]) + _TINY
        # The ratio of the smaller to the larger never under- or overflows when squared.
        ratio = min(a, b) / max(a, b)
        phi[k] = _TWO * ratio / (_ONE + ratio * ratio)
        sps[k] = _ONE - phi[k] if b > a else phi[k] - _ONE


@compiled
def _repan(
    spectra: np.ndarray,
    offset: np.ndarray,
    sides: np.ndarray,
    wanted: np.ndarray,
    bins: int,
    frames: int,
    limit: np.float32,
    strength: np.float32,
    gains: np.ndarray,
) -> None:
    """Offset pan; re-panning of the first `bins` bins of the first `frames` frames. In place."""
    # One loop writes gains, the next applies them: both at once would not be vectorised.
    for frame in range(spectra.shape[0]):
        left, right = spectra[frame, 0], spectra[frame, 1]
        repanned = bins if frame < frames and _is_loud(left, right, offset) else 0
        _match(left[:repanned], right[:repanned], offset, sides, wanted, limit, gains)
        for k in range(repanned, left.shape[0]):
            gains[0, k], gains[1, k] = offset[0, k], offset[1, k]
        if strength != _ONE:
            for k in range(left.shape[0]):
                gains[0, k] **= strength
                gains[1, k] **= strength
        for k in range(left.shape[0]):
            left[k] = left[k] * gains[0, k]
            right[k] = right[k] * gains[1, k]


@compiled
def _match(
    left: np.ndarray,
    right: np.ndarray,
    offset: np.ndarray,
    sides: np.ndarray,
    wanted: np.ndarray,
    limit: np.float32,
    gains: np.ndarray,
) -> None:
    """Gains of one frame that give each bin the wanted position."""
    for k in range(left.shape[0]):
        a = _magnitude(left[k]) * offset[0, k] + _TINY
        b = _magnitude(right[k]) * offset[1, k] + _TINY
        far = _far_gain(min(a, b) / max(a, b))
        here_left, here_right = far, _ONE - far
        if sides[k] < 0:
            here_left, here_right = here_right, here_left
        gains[0, k] = offset[0, k] * min(wanted[0, k] / (here_left + _TINY), limit)
        gains[1, k] = offset[1, k] * min(wanted[1, k] / (here_right + _TINY), limit)


@compiled
def _is_loud(left: np.ndarray, right: np.ndarray, offset: np.ndarray) -> bool:
    """Whether |L + R|² of the loudest bin reaches the gate after the offset pan."""
    loudest = np.float32(0.0)
    for k in range(left.shape[0]):
        re = left[k].real * offset[0, k] + right[k].real * offset[1, k]
        im = left[k].imag * offset[0, k] + right[k].imag * offset[1, k]
        loudest = max(loudest, re * re + im * im)
    return bool(loudest >= _FRAME_GATE_POWER)


@compiled
def _far_gain(ratio: np.float32) -> np.float32:
    """The method's gain of the far side, for the ratio of the softer channel to the louder one."""
    return ratio / (_ONE + ratio * ratio)


@compiled
def _magnitude(value: np.complex64) -> np.float32:
    magnitude: np.float32 = np.sqrt(value.real * value.real + value.imag * value.imag)
    return magnitude


@compiled
def _overlap_add(frames: np.ndarray, window: np.ndarray, first: int, out: np.ndarray) -> None:
    """Add windowed frames to the signal without the zeros at its ends.

    The squared windows of the two frames over a sample sum to 1: no division is needed.
    """
    for row in range(frames.shape[0]):
        start = (first + row) * HOP - N_FFT
        begin, end = max(0, -start), max(0, min(N_FFT, out.shape[1] - start))
        for channel in range(2):
            own, weights = out[channel, start + begin : start + end], window[begin:end]
            frame = frames[row, channel, begin:end]
            for n in range(own.shape[0]):
                own[n] += frame[n] * weights[n]


def smooth(phi: np.ndarray, stem_type: StemType) -> np.ndarray:
    """Moving-line smoothing of a mean phi, the same for all stem types."""
    return moving_line(phi, _SMOOTHING)


def _measure(channels: np.ndarray) -> np.ndarray:
    """phi averaged over frames, (32,769,) float64."""
    window = sqrt_hann(LONG_TERM_FFT)
    count = frame_count(channels.shape[1], LONG_TERM_FFT, LONG_TERM_HOP)
    total = np.zeros(LONG_TERM_BINS)
    sps, phi = (np.empty(LONG_TERM_BINS, np.float32) for _ in range(2))
    for start in range(0, count * LONG_TERM_HOP, LONG_TERM_HOP):
        spectra = scipy.fft.rfft(channels[:, start : start + LONG_TERM_FFT] * window, axis=1)
        left, right = spectra.astype(np.complex64)
        _position(left, right, sps, phi)
        total += phi
    return total / count


def _apply(channels: np.ndarray, context: Context) -> Outcome:
    repanned, side = pan_channels(
        channels,
        context.stem_type,
        context.reference,
        released_quirks=context.config.released_quirks,
        max_gain_db=context.config.panning_max_gain_db,
        strength=context.strength,
    )
    return Outcome(repanned, {"side": {1: "right", -1: "left", 0: "both"}[side]})


def _describe(facts: Mapping[str, Any]) -> str:
    return "spread to both sides" if facts["side"] == "both" else f"leaning {facts['side']}"


PANNING = Effect(
    _apply,
    _describe,
    Feature(
        shape=(LONG_TERM_BINS,),
        limits=(-1.0, 2.0),
        measure=_measure,
        title="Similarity of left and right",
        label="φ (1 = centre, 0 = one side)",
        smooth=smooth,
        numbers=lambda reference: {"phi_mean": float(reference.mean())},
        curve=Curve("phi", np.asarray),
    ),
)
