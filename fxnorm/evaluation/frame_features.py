"""Per-frame features of a mix and its target, computed together in one pass of bounded memory.

Both signals go through in chunks of 32 hops; a chunk's short-time spectra serve every feature that
needs them. What is kept grows by about 60 numbers per 23 ms and signal.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy

from fxnorm.audio import frame_count, peak, sqrt_hann
from fxnorm.evaluation import kernels

HOP = 1024
N_FFT = 4096
N_FFT_POSITION = 2048
#: FFT length and hop of each resolution of the multi-resolution distance.
RESOLUTIONS = ((4096, 1024), (2048, 1024), (512, 256))
#: Parts that `measure` can be asked for.
PARTS = ("spectral", "panning", "dynamics", "distance")

_PEAK_DB = -1.0
_HOPS_PER_CHUNK = 32
_SAMPLES_AT_ONCE = 2**15
_LOW_PASS_HZ = 1000.0
_LOW_PASS_ORDER = 4
#: Where the 1-kHz low-pass has forgotten an edge: its slowest pole decays by e^-2400 per second.
_LOW_PASS_MEMORY_S = 0.03
_CONTRAST_EDGES_HZ = (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
_CONTRAST_QUANTILE = 0.02
_POSITION_EDGES_HZ = (0.0, 250.0, 2500.0)
_CHANNELS = 2


@dataclass
class SignalFeatures:
    """Features of one signal at a peak of -1 dBFS; see the kernels for columns and units."""

    shapes: np.ndarray
    """(channels, frames, columns) of `kernels.spectral_shapes`."""
    low_ratio: np.ndarray
    """(channels, frames): sum over bins of low-passed to whole magnitude."""
    position: np.ndarray
    """(frames of 2,048, 3): sum of SPS² in the low, middle and high band."""
    levels: np.ndarray
    """(channels, hops, 3): energy, peak and summed log magnitude."""


@dataclass
class Distance:
    """Sums over the song that make up the distances; levels as they are, not peak-normalised."""

    spectral: np.ndarray = field(default_factory=lambda: np.zeros((len(RESOLUTIONS), 3)))
    """Per resolution: (Y - X)², Y², |ln X - ln Y| summed over channels, frames and bins."""
    bins: np.ndarray = field(default_factory=lambda: np.zeros(len(RESOLUTIONS)))
    """Per resolution: how many bins were summed."""
    waveform: np.ndarray = field(default_factory=lambda: np.zeros((_CHANNELS, 4)))
    """(channels, 4): |x - y|, (x - y)², x², y² summed over samples."""


@dataclass(frozen=True)
class PairFeatures:
    """What `measure` returns."""

    mix: SignalFeatures
    target: SignalFeatures
    distance: Distance
    bin_hz: float
    """Width of a bin of 4,096 in Hz."""
    position_bins: np.ndarray
    """Number of bins in each band of `position`."""


def measure(
    mix: np.ndarray, target: np.ndarray, sample_rate: int, parts: Collection[str] = PARTS
) -> PairFeatures:
    """Measure a mix and its target side by side.

    Args:
        mix: (samples, 2).
        target: (samples, 2), as long as `mix`.
        sample_rate: in Hz, above 8,000.
        parts: which of `PARTS` are wanted; the arrays of the others stay zero.
    """
    passes = [_SignalPass(signal, sample_rate, frozenset(parts)) for signal in (mix, target)]
    distance = Distance()
    for first, last in _chunks(len(target)):
        for signal_pass in passes:
            signal_pass.measure(first, last)
        if "distance" in parts:
            _add_distance(distance, *passes)
            samples = slice(first * HOP, last * HOP)
            kernels.waveform_sums(mix[samples], target[samples], distance.waveform)
    return PairFeatures(
        passes[0].features,
        passes[1].features,
        distance,
        sample_rate / N_FFT,
        np.diff(passes[0].position_edges),
    )


class _SignalPass:
    """One signal going through chunk by chunk, and the scratch arrays that every chunk reuses."""

    def __init__(self, signal: np.ndarray, sample_rate: int, parts: frozenset[str]) -> None:
        self.signal = signal
        self.gain = _normalizing_gain(signal)
        self.parts = parts
        self.resolutions = [pair for pair in RESOLUTIONS if _is_needed(pair[0], parts)]
        #: magnitudes of the chunk last measured, by FFT length: (channels, frames, bins)
        self.magnitudes: dict[int, np.ndarray] = {}
        self.contrast_bands = contrast_bands(sample_rate)
        self.position_edges = position_edges(sample_rate)
        self.features = _empty_features(
            len(signal), len(self.contrast_bands), len(self.position_edges) - 1
        )
        self._low_pass, self._low_pass_rest = _low_pass(sample_rate)
        self._margin = int(_LOW_PASS_MEMORY_S * sample_rate)
        self._scratch = {
            n_fft: _Scratch(n_fft, _HOPS_PER_CHUNK * HOP // hop) for n_fft, hop in RESOLUTIONS
        }

    def measure(self, first: int, last: int) -> None:
        """Fill in the features of the frames that start in hops `first` to `last`."""
        samples = len(self.signal)
        start = first * HOP
        end = min(samples, (last - 1) * HOP + N_FFT)
        wide_start = max(0, start - self._margin)
        wide = self.signal[wide_start : min(samples, end + self._margin)]
        wide = np.array(wide.T, np.float64, order="C")
        wide *= self.gain
        inside = slice(start - wide_start, end - wide_start)
        block = wide[:, inside]
        for n_fft, hop in self.resolutions:
            frames = min(last * HOP // hop, frame_count(samples, n_fft, hop)) - start // hop
            self.magnitudes[n_fft] = self._scratch[n_fft].magnitudes(block, hop, max(0, frames))
        if "spectral" in self.parts:
            for channel, magnitude in enumerate(self.magnitudes[N_FFT]):
                shapes = self.features.shapes[channel, first : first + len(magnitude)]
                kernels.spectral_shapes(magnitude, self.contrast_bands, shapes)
        if "panning" in self.parts:
            left, right = self.magnitudes[N_FFT_POSITION]
            positions = self.features.position[first : first + len(left)]
            kernels.position_squares(left, right, self.position_edges, positions)
        if "dynamics" in self.parts:
            for channel in range(_CHANNELS):
                levels = self.features.levels[channel, first:last]
                kernels.level_blocks(block[channel], HOP, levels)
            self._add_low_ratios(first, self._low_passed(wide)[:, inside])

    def _add_low_ratios(self, first: int, low_passed: np.ndarray) -> None:
        whole = self.magnitudes[N_FFT]
        frames = whole.shape[1]
        ratios = self.features.low_ratio[:, first : first + frames]
        for channel, part, spectra in self._scratch[N_FFT].spectra(low_passed, HOP, frames):
            kernels.ratio_sums(spectra, whole[channel, part], ratios[channel, part])

    def _low_passed(self, audio: np.ndarray) -> np.ndarray:
        """Zero-phase low-pass; as `scipy.signal.filtfilt` on the whole signal.

        Chunks overlap by more than the filter remembers, so only at the signal's own ends does it
        show that every chunk is extended as filtfilt extends a signal.
        """
        padding = 3 * (_LOW_PASS_ORDER + 1)
        if audio.shape[1] <= padding:
            return audio
        head = 2.0 * audio[:, :1] - audio[:, padding:0:-1]
        tail = 2.0 * audio[:, -1:] - audio[:, -2 : -padding - 2 : -1]
        wide = np.concatenate([head, audio, tail], axis=1)
        for view in (wide, wide[:, ::-1]):
            state = self._low_pass_rest[:, None, :] * view[None, :, :1]
            kernels.two_biquads(view, self._low_pass, state)
        return wide[:, padding:-padding]


class _Scratch:
    """Arrays for the STFT of one chunk: allocating them anew costs as much as the FFT."""

    def __init__(self, n_fft: int, frames: int) -> None:
        bins = n_fft // 2 + 1
        few = _SAMPLES_AT_ONCE // n_fft
        self._window = sqrt_hann(n_fft)
        self._magnitudes = np.empty((_CHANNELS, frames, bins))
        self._frames = np.empty((few, n_fft))
        self._spectra = np.empty((few, bins), np.complex128)

    def spectra(
        self, audio: np.ndarray, hop: int, frames: int
    ) -> Iterator[tuple[int, slice, np.ndarray]]:
        """STFT of (channels, samples) in parts that stay in the cache: each replaces the last.

        Yields:
            The channel, its frames, and their spectra (frames, bins).
        """
        for channel, samples in enumerate(audio):
            for first in range(0, frames, len(self._frames)):
                part = slice(first, min(first + len(self._frames), frames))
                windowed = self._frames[: part.stop - first]
                kernels.windowed_frames(samples[first * hop :], self._window, hop, windowed)
                spectra = self._spectra[: part.stop - first]
                yield channel, part, np.fft.rfft(windowed, out=spectra)

    def magnitudes(self, audio: np.ndarray, hop: int, frames: int) -> np.ndarray:
        """Magnitudes (channels, frames, bins); overwritten by the next call."""
        for channel, part, spectra in self.spectra(audio, hop, frames):
            kernels.magnitudes(spectra, self._magnitudes[channel, part])
        return self._magnitudes[:, :frames]


def contrast_bands(sample_rate: int) -> np.ndarray:
    """First bin, end bin and number of extremes of each band of the spectral contrast.

    The bands and their overlaps are those of `librosa.feature.spectral_contrast` with fmin 250 Hz,
    4 bands and quantile 0.02: each takes one bin below its edge and gives up its last one, and the
    highest reaches to Nyquist.
    """
    frequency = np.arange(N_FFT // 2 + 1) * sample_rate / N_FFT
    bands = []
    edges = _CONTRAST_EDGES_HZ
    for index, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((frequency >= low) & (frequency <= high))
        start = inside[0] - (index > 0)
        is_last = index == len(edges) - 2
        end = len(frequency) if is_last else inside[-1] + 1
        extremes = max(1, int(np.rint(_CONTRAST_QUANTILE * (end - start))))
        bands.append((start, end if is_last else end - 1, extremes))
    return np.array(bands)


def position_edges(sample_rate: int) -> np.ndarray:
    """Bins of 2,048 at which the low, middle and high band begin, and where the last ends."""
    edges_hz = (*_POSITION_EDGES_HZ, sample_rate / 2)
    return np.array([int(hz * N_FFT_POSITION / sample_rate) for hz in edges_hz])


@lru_cache(maxsize=4)
def _low_pass(sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Second-order sections, and their state for a constant input of 1."""
    sections = scipy.signal.butter(_LOW_PASS_ORDER, _LOW_PASS_HZ, fs=sample_rate, output="sos")
    return sections, scipy.signal.sosfilt_zi(sections)


def _chunks(samples: int) -> Iterator[tuple[int, int]]:
    hops = -(-samples // HOP)
    for first in range(0, hops, _HOPS_PER_CHUNK):
        yield first, min(first + _HOPS_PER_CHUNK, hops)


def _normalizing_gain(signal: np.ndarray) -> float:
    highest = peak(signal)
    return 10.0 ** (_PEAK_DB / 20.0) / highest if highest > 0.0 else 1.0


def _is_needed(n_fft: int, parts: frozenset[str]) -> bool:
    needing = {N_FFT: {"spectral", "dynamics"}, N_FFT_POSITION: {"panning"}}
    return not parts.isdisjoint({"distance"} | needing.get(n_fft, set()))


def _empty_features(samples: int, contrast_bands: int, position_bands: int) -> SignalFeatures:
    frames = frame_count(samples, N_FFT, HOP)
    position_frames = frame_count(samples, N_FFT_POSITION, HOP)
    columns = kernels.SHAPE_COLUMNS + 2 * contrast_bands
    return SignalFeatures(
        shapes=np.zeros((_CHANNELS, frames, columns)),
        low_ratio=np.zeros((_CHANNELS, frames)),
        position=np.zeros((position_frames, position_bands)),
        levels=np.zeros((_CHANNELS, samples // HOP, 3)),
    )


def _add_distance(distance: Distance, mix: _SignalPass, target: _SignalPass) -> None:
    for index, (n_fft, _) in enumerate(RESOLUTIONS):
        x, y = mix.magnitudes[n_fft], target.magnitudes[n_fft]
        distance.spectral[index] += kernels.distance_sums(x, y, 1.0 / mix.gain, 1.0 / target.gain)
        distance.bins[index] += y.size
