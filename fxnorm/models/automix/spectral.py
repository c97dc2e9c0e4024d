"""Convolutions of long signals with many short filters, block by block in the frequency domain.

A signal is cut into blocks of `hop` samples, transformed with a margin (overlap-save for the
convolutions, overlap-add for the transposed one). Mixing channels is then one small matrix product
per frequency bin, which takes far fewer operations than the same convolution in the time domain.

Everything here works on a few consecutive blocks and knows nothing of gradients; `front_end` and
`streaming` build on it. Kernels are prepared once with the `*_kernel` functions.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

#: Values a chunk of blocks holds: a few MB, which stay in the cache. The spectra of the kernels are
#: larger and are read once per chunk.
_CHUNK_VALUES = 2**20
#: On an accelerator few large chunks are faster.
_ACCELERATOR_CHUNK_VALUES = 2**26


@dataclass(frozen=True)
class Blocks:
    """How the front end's two convolutions and its pooling divide a signal.

    The kernels have K and 2 K taps, padded as "same" with one zero less on the left (K even). Block
    b owns the samples [b * hop, (b + 1) * hop); hop is a multiple of the pooling size.
    """

    kernel: int
    pool: int

    @property
    def lead(self) -> int:
        """Samples that the first convolution sees before the one it computes."""
        return (self.kernel - 1) // 2

    @property
    def envelope_lead(self) -> int:
        """Samples that the second convolution sees before the one it computes."""
        return self.kernel - 1

    @property
    def envelope_context(self) -> int:
        """Samples that the second convolution sees around a block, left and right together."""
        return 2 * self.kernel - 1

    @property
    def halo(self) -> int:
        """Input samples that matter before the first of a block."""
        return self.lead + self.envelope_lead

    @property
    def n_fft(self) -> int:
        """Length of the transforms."""
        return int(2 ** math.ceil(math.log2(max(2048, 4 * (3 * self.kernel + self.pool)))))

    @property
    def frames(self) -> int:
        """Pooled frames per block."""
        return (self.n_fft - 3 * self.kernel + 2) // self.pool

    @property
    def hop(self) -> int:
        """Samples per block."""
        return self.frames * self.pool

    def count(self, samples: int) -> int:
        """Blocks that cover `samples`."""
        return -(-samples // self.hop)

    def chunks(self, count: int, filters: int, device: torch.device) -> Iterator[slice]:
        """Divide `count` blocks into chunks to be worked on at once."""
        values = _CHUNK_VALUES if device.type == "cpu" else _ACCELERATOR_CHUNK_VALUES
        step = max(1, values // (filters * self.n_fft))
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def input_frames(self, x: Tensor) -> Tensor:
        """(C, T) to a view (blocks, C, n_fft): each block and what its convolutions see."""
        end = (self.count(x.shape[-1]) - 1) * self.hop + self.n_fft - self.halo - x.shape[-1]
        frames = F.pad(x, (self.halo, end)).unfold(-1, self.n_fft, self.hop)
        return frames.transpose(0, 1)

    def by_frame(self, samples: Tensor) -> Tensor:
        """(..., hop) to a view (..., frames, pool)."""
        return torch.unflatten(samples, -1, (self.frames, self.pool))


def analysis_kernel(weight: Tensor, blocks: Blocks) -> Tensor:
    """W1 (N, C, K) as `analyze` takes it, (bins, C, N)."""
    return kernel_bins(weight, blocks.n_fft).conj().resolve_conj()


def envelope_kernel(weight: Tensor, blocks: Blocks) -> Tensor:
    """W2 (N, 1, 2 K) as `envelope` takes it, (N, bins)."""
    kernel: Tensor = torch.fft.rfft(weight[:, 0], blocks.n_fft)
    return kernel.conj().resolve_conj()


def synthesis_kernel(weight: Tensor, blocks: Blocks) -> Tensor:
    """A decoder weight (N, C, K) as `synthesize` takes it, (bins, N, C)."""
    return kernel_bins(weight.transpose(0, 1), blocks.n_fft)


def analyze(
    input_frames: Tensor, kernel: Tensor, blocks: Blocks, first: int, samples: int
) -> Tensor:
    """The first convolution on some blocks, with what the second one needs around them.

    Args:
        input_frames: (blocks, C, n_fft).
        kernel: of `analysis_kernel`.
        blocks: kernel and pooling sizes.
        first: index of the first of these blocks.
        samples: length of the whole signal; outside of it the result is zero.

    Returns:
        (blocks, N, n_fft), beginning `envelope_lead` samples before the block; of these,
        hop + envelope_context count.
    """
    spectra = to_bins(input_frames, blocks.n_fft)
    p = from_bins(torch.bmm(spectra, kernel), blocks.n_fft)
    start = first * blocks.hop - blocks.envelope_lead
    clear_outside(p, start, blocks.hop, (0, samples))
    return p


def envelope(rectified: Tensor, kernel: Tensor, blocks: Blocks) -> Tensor:
    """The second convolution on some blocks.

    Args:
        rectified: magnitude of the result of `analyze`.
        kernel: of `envelope_kernel`.
        blocks: kernel and pooling sizes.

    Returns:
        (blocks, N, frames, pool), before softplus.
    """
    smooth = torch.fft.irfft(torch.fft.rfft(rectified).mul_(kernel), blocks.n_fft)
    return blocks.by_frame(smooth[..., : blocks.hop])


def synthesize(weighted: Tensor, kernel: Tensor, blocks: Blocks) -> Tensor:
    """The transposed convolution on some blocks.

    Args:
        weighted: (blocks, N, hop).
        kernel: of `synthesis_kernel`.
        blocks: kernel and pooling sizes.

    Returns:
        (blocks, C, hop + K - 1), beginning `lead` samples before the block, to be overlap-added.
    """
    spectra = torch.bmm(to_bins(weighted, blocks.n_fft), kernel)
    return from_bins(spectra, blocks.n_fft)[..., : blocks.hop + blocks.kernel - 1]


def overlap_add(pieces: Tensor, hop: int, out: Tensor) -> None:
    """Add (blocks, C, n) onto `out` (C, at least (blocks - 1) * hop + n); hop <= n <= 2 * hop."""
    count, channels, n = pieces.shape
    out[:, : count * hop] += pieces[..., :hop].transpose(0, 1).reshape(channels, count * hop)
    tails = out[:, hop : count * hop + n - hop].unfold(-1, n - hop, hop)
    tails += pieces[..., hop:].transpose(0, 1)


def clear_outside(rows: Tensor, first: int, hop: int, keep: tuple[int, int]) -> None:
    """Zero in place the samples outside of a range.

    Args:
        rows: (blocks, N, length).
        first: time of the first sample of the first row.
        hop: samples from one row to the next.
        keep: the first sample to keep and the first behind those.
    """
    length = rows.shape[-1]
    for index, row in enumerate(rows):
        offset = first + index * hop
        if offset < keep[0]:
            row[:, : keep[0] - offset] = 0.0
        if offset + length > keep[1]:
            row[:, max(0, keep[1] - offset) :] = 0.0


def to_bins(frames: Tensor, n_fft: int) -> Tensor:
    """Frames (blocks, channels, at most n_fft samples) to spectra (bins, blocks, channels)."""
    spectrum = torch.fft.rfft(frames, n_fft)
    count, channels, bins = spectrum.shape
    return _transpose(spectrum.reshape(count * channels, bins)).view(bins, count, channels)


def from_bins(spectra: Tensor, n_fft: int) -> Tensor:
    """The inverse of `to_bins`: (blocks, channels, n_fft)."""
    bins, count, channels = spectra.shape
    spectrum = _transpose(spectra.view(bins, count * channels)).view(count, channels, bins)
    frames: Tensor = torch.fft.irfft(spectrum, n_fft)
    return frames


def kernel_bins(weight: Tensor, n_fft: int) -> Tensor:
    """(outputs, inputs, taps) to spectra (bins, inputs, outputs)."""
    spectra: Tensor = torch.fft.rfft(weight, n_fft)
    return spectra.permute(2, 1, 0).contiguous()


def kernel_from_bins(spectra: Tensor, n_fft: int, taps: int) -> Tensor:
    """The inverse of `kernel_bins`."""
    weight: Tensor = torch.fft.irfft(spectra.permute(2, 1, 0), n_fft)
    return weight[..., :taps].contiguous()


def _transpose(matrix: Tensor) -> Tensor:
    # As 64-bit numbers: torch transposes those fast, complex ones slowly.
    return matrix.view(torch.float64).t().contiguous().view(torch.complex64)
