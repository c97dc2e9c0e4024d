"""The paper's stereo losses A and B: spectra of sum and difference after perceptual filters."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxnorm.audio import frame_count, sqrt_hann
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.losses.filters import FILTERS, taps

#: Frame length of the spectra and the step between frames, in samples.
N_FFT, HOP = 4096, 1024

#: Zeros that the filters see on both sides of a signal.
_FILTER_PADDING = 50
#: Added to magnitudes before the logarithm.
_LOG_FLOOR = 1e-30
#: Least denominator of loss A's ratio: a mono target has no difference signal.
_MIN_NORM = 1e-8


class StereoLoss(nn.Module):
    """What losses A and B share: filters, sum and difference, STFT magnitudes, guards.

    Args:
        guard_frames: STFT frames left out at both ends.
        filters: names out of `FILTERS`, applied in this order.
        sample_rate: in Hz.
        n_fft: frame length in samples, square-root periodic Hann window, one-sided.
        hop: step between frames in samples.
        precision: "double" filters in the time domain and computes spectra and value in double, as
            the released code does. "single" filters by FFT and computes in single throughout:
            several times faster, values within 1e-4 (A) and 1e-5 (B) relative, or 2e-3 where
            there is digital silence, whose logarithms are those of rounding; for training.
        shared_batch: the batch is divided among the processes of torch.distributed, each of which
            has as many items: what is a ratio over the batch is one over all of it.

    Raises:
        FxNormError: an unknown filter.
    """

    window: Tensor

    def __init__(
        self,
        *,
        guard_frames: int = 30,
        filters: Sequence[str] = FILTERS,
        sample_rate: int = SAMPLE_RATE,
        n_fft: int = N_FFT,
        hop: int = HOP,
        precision: Literal["single", "double"] = "double",
        shared_batch: bool = False,
    ) -> None:
        super().__init__()
        self.shared_batch = shared_batch
        self.guard_frames, self.n_fft, self.hop = guard_frames, n_fft, hop
        self.precision = precision
        dtype = torch.float64 if precision == "double" else torch.float32
        self.register_buffer("window", torch.tensor(sqrt_hann(n_fft), dtype=dtype), False)
        self.filter_taps = [torch.tensor(taps(name, sample_rate)) for name in filters]

    @property
    def least_samples(self) -> int:
        """Length of the shortest signal that leaves a frame between the guards."""
        return self.n_fft + 2 * self.guard_frames * self.hop

    def forward(self, mix: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Args:
            mix: (B, 2, T) float32, or stems (B, S, 2, T), each compared with its own target.
            target: the same shape.

        Returns:
            A scalar, float64 with precision "double". Gradients flow to `mix` (and to `target`
            where it requires them); neither is changed.

        Raises:
            FxNormError: different shapes, not stereo, or nothing left between the guards.
        """
        self._check(mix, target)
        spectra, targets = (self.magnitudes(audio.flatten(0, -3)) for audio in (mix, target))
        total = spectra.new_zeros(())
        for spectrum, wanted in zip(spectra, targets, strict=True):
            total = total + self.convergence(spectrum, wanted)
            logs = torch.log(_LOG_FLOOR + spectrum) - torch.log(_LOG_FLOOR + wanted)
            total = total + logs.abs().mean()
        return total

    def convergence(self, spectrum: Tensor, target: Tensor) -> Tensor:
        """The linear term of one pair of magnitude spectra (B, frames, bins)."""
        raise TypeError("use StereoLossA or StereoLossB")

    def magnitudes(self, audio: Tensor) -> Tensor:
        """Magnitudes of L + R and L - R between the guards: (2, B, frames, bins)."""
        audio = audio.float()  # A network under autocast may give half precision.
        start, count = self._kept(audio.shape[-1])
        if self.precision == "single":
            # Filter only what the kept frames see.
            reach = _FILTER_PADDING * len(self.filter_taps)
            begin, end = max(0, start - reach), start + (count - 1) * self.hop + self.n_fft + reach
            audio, start = audio[..., begin:end], start - begin
        pair = self.filtered(audio)
        left, right = pair[:, 0], pair[:, 1]
        signals = torch.stack([left + right, left - right])
        frames = _frames(signals[..., start:], self.n_fft, self.hop, count)
        magnitudes: Tensor = torch.fft.rfft(frames * self.window).abs()
        return magnitudes

    def filtered(self, audio: Tensor) -> Tensor:
        """All filters in series on (B, 2, T)."""
        for weight in self.filter_taps:
            if self.precision == "double":
                audio = _filter_directly(audio, weight)
            else:
                audio = _filter_by_fft(audio, weight)
        return audio

    def _kept(self, samples: int) -> tuple[int, int]:
        count = frame_count(samples, self.n_fft, self.hop) - 2 * self.guard_frames
        return self.guard_frames * self.hop, count

    def _check(self, mix: Tensor, target: Tensor) -> None:
        if mix.shape != target.shape or mix.ndim not in (3, 4) or mix.shape[-2] != 2:
            raise FxNormError(
                f"loss: mix {tuple(mix.shape)} and target {tuple(target.shape)} "
                "must both be (batch, 2, samples) or (batch, stems, 2, samples)"
            )
        if self._kept(mix.shape[-1])[1] < 1:
            raise FxNormError(
                f"loss: {mix.shape[-1]} samples leave no frame between the guards; give at least "
                f"{self.least_samples} or lower guard_frames ({self.guard_frames})"
            )


class StereoLossA(StereoLoss):
    """Loss A: spectral convergence, one ratio over the whole batch, plus log-magnitude L1."""

    def convergence(self, spectrum: Tensor, target: Tensor) -> Tensor:
        """||target - spectrum|| / ||target||."""
        norms = torch.stack(
            [torch.linalg.vector_norm(part) for part in (target - spectrum, target)]
        )
        if self.shared_batch:
            norms = _norms_over_processes(norms)
        return norms[0] / norms[1].clamp_min(_MIN_NORM)


class StereoLossB(StereoLoss):
    """Loss B: mean squared error of the magnitudes plus log-magnitude L1."""

    def convergence(self, spectrum: Tensor, target: Tensor) -> Tensor:
        """mean((spectrum - target)^2)."""
        return F.mse_loss(spectrum, target)


def _norms_over_processes(norms: Tensor) -> Tensor:
    """Norms of what all processes have together, from those of what each has.

    Gradients are scaled by the number of processes, as their mean over these is what is used.
    """
    squares = norms.square()
    total = squares.detach().clone()
    torch.distributed.all_reduce(total)
    own = torch.distributed.get_world_size() * (squares - squares.detach())
    return (total + own).sqrt()


def _frames(signals: Tensor, n_fft: int, hop: int, count: int) -> Tensor:
    """The first `count` frames of (..., T): (..., count, n_fft)."""
    if n_fft % hop:
        return signals.unfold(-1, n_fft, hop)[..., :count, :]
    # The same from whole hops: the gradient is a few additions, not a scatter.
    overlap = n_fft // hop
    hops = torch.unflatten(signals[..., : (count + overlap - 1) * hop], -1, (-1, hop))
    return torch.cat([hops[..., shift : shift + count, :] for shift in range(overlap)], -1)


def _filter_directly(audio: Tensor, weight: Tensor) -> Tensor:
    samples = audio.shape[-1]
    kernel = weight.to(audio)[None, None]
    rows = F.conv1d(audio.reshape(-1, 1, samples), kernel, padding=_FILTER_PADDING)
    return rows[..., :samples].reshape(audio.shape)


def _filter_by_fft(audio: Tensor, weight: Tensor) -> Tensor:
    samples = audio.shape[-1]
    n_fft = _fast_length(samples + 2 * _FILTER_PADDING)
    response = torch.fft.rfft(weight.to(audio), n_fft).conj()
    spectrum = torch.fft.rfft(F.pad(audio, (_FILTER_PADDING, 0)), n_fft)
    filtered: Tensor = torch.fft.irfft(spectrum * response, n_fft)[..., :samples]
    return filtered * _is_heard(audio, weight)


def _is_heard(audio: Tensor, weight: Tensor) -> Tensor:
    """Where the filter sees anything but zeros; elsewhere FFTs leave noise, seen by logarithms."""
    samples = audio.shape[-1]
    places = weight.nonzero()
    first, last = (int(places[end]) - _FILTER_PADDING for end in (0, -1))
    sounding = F.pad((audio != 0.0).cumsum(-1), (1, 0))
    times = torch.arange(samples, device=audio.device)
    after, before = ((times + shift).clamp(0, samples) for shift in (last + 1, first))
    return sounding[..., after] > sounding[..., before]


def _fast_length(samples: int) -> int:
    """The next length of the form 2^a, 3 * 2^a or 5 * 2^a."""
    power = 1 << (samples - 1).bit_length()
    return min(size for size in (power, power // 4 * 3, power // 8 * 5) if size >= samples)
