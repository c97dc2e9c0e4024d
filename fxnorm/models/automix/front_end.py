"""The front end of the FxNorm-Automix network and its tied decoder, with their gradients.

Encoder: p = conv(x, W1), z = softplus(depthwise conv(|p|, W2)), largest z of each frame. Decoder:
p, weighted per filter and frame, through the transposed convolution with W1. They run at the full
sample rate and take nearly all of the network's time and memory. Besides working in the frequency
domain (`spectral`), these save both, and all are exact:

* softplus is monotone: pool first;
* the decoder's weights are constant over a frame and positive, and squeeze-excitation needs |p|
  only as sums over frames: no weighted copy of p is kept;
* going backwards, |p| and the weighted p are computed again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxnorm.models.automix.spectral import (
    Blocks,
    analysis_kernel,
    analyze,
    clear_outside,
    envelope,
    envelope_kernel,
    from_bins,
    kernel_bins,
    kernel_from_bins,
    overlap_add,
    synthesis_kernel,
    synthesize,
    to_bins,
)


class Encoded(NamedTuple):
    """What the encoder makes of (B, C, T), with F = T / pool frames."""

    p: Tensor
    """Signed filter outputs in blocks, (B, blocks, N, hop), zero behind the signal."""
    peaks: Tensor
    """The largest z of each frame, before softplus, (B, N, F)."""
    sums: Tensor
    """Sum of |p| over each frame, (B, N, F)."""
    indices: Tensor
    """Where in its frame each peak is, the first of equal ones, (B, N, F)."""


def encode(
    x: Tensor, weight_1: Tensor, weight_2: Tensor, blocks: Blocks, *, locate: bool = True
) -> Encoded:
    """Filter, rectify, smooth and pool.

    Args:
        x: (B, C, T), T a multiple of the pooling size.
        weight_1: (N, C, K).
        weight_2: (N, 1, 2 K).
        blocks: kernel and pooling sizes.
        locate: find the peaks' indices, which gradients and max-unpooling need; without, they
            are zero.
    """
    p, *pooled = _encode(x, weight_1, weight_2, blocks, locate)
    frames = x.shape[-1] // blocks.pool
    return Encoded(p, *(values.transpose(1, 2).flatten(2)[..., :frames] for values in pooled))


def decode(
    p: Tensor, scale: Tensor, weight: Tensor, blocks: Blocks, indices: Tensor | None = None
) -> Tensor:
    """Weight the filter outputs and apply the transposed convolution.

    As in the released network, the first `lead` and the last K - 1 - lead weighted samples are left
    out.

    Args:
        p: as in `Encoded`.
        scale: one weight per filter and frame, (B, N, F).
        weight: (N, C, K): W1, or W1 summed over the stems.
        blocks: kernel and pooling sizes.
        indices: if given, keep only this sample of each frame (max-unpooling), (B, N, F).

    Returns:
        (B, C, T), T = F * pool.
    """
    samples = scale.shape[-1] * blocks.pool
    index_blocks = None if indices is None else _to_blocks(indices, blocks)
    return _decode(p, _to_blocks(scale, blocks), weight, blocks, samples, index_blocks)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight_1: Tensor, weight_2: Tensor, blocks: Blocks, locate: bool
    ) -> tuple[Tensor, ...]:
        batch, _, samples = x.shape
        filters, count = weight_1.shape[0], blocks.count(samples)
        kernel_1 = analysis_kernel(weight_1, blocks)
        kernel_2 = envelope_kernel(weight_2, blocks)
        p = x.new_empty(batch, count, filters, blocks.hop)
        peaks = x.new_empty(batch, count, filters, blocks.frames)
        sums = torch.empty_like(peaks)
        indices = torch.zeros_like(peaks, dtype=torch.int64)
        for item in range(batch):
            frames = blocks.input_frames(x[item])
            for part in blocks.chunks(count, filters, x.device):
                local = analyze(frames[part], kernel_1, blocks, part.start, samples)
                own = local.narrow(-1, blocks.envelope_lead, blocks.hop)
                p[item, part] = own
                local.abs_()
                sums[item, part] = blocks.by_frame(own).sum(-1)
                smooth = envelope(local, kernel_2, blocks)
                if locate:
                    peaks[item, part], indices[item, part] = smooth.max(-1)
                else:
                    peaks[item, part] = smooth.amax(-1)
        ctx.blocks = blocks
        ctx.save_for_backward(x, weight_1, weight_2, p, indices)
        ctx.mark_non_differentiable(indices)
        return p, peaks, sums, indices

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_p: Tensor, grad_peaks: Tensor, grad_sums: Tensor, _: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, weight_1, weight_2, p, indices = ctx.saved_tensors
        blocks: Blocks = ctx.blocks
        n_fft, samples, filters = blocks.n_fft, x.shape[-1], weight_1.shape[0]
        count = blocks.count(samples)
        kernel_1 = synthesis_kernel(weight_1, blocks) if ctx.needs_input_grad[0] else None
        kernel_2 = torch.fft.rfft(weight_2[:, 0], n_fft)
        # Both weights' gradients are summed as conjugated spectra.
        bins_1 = torch.zeros_like(kernel_bins(weight_1, n_fft))
        bins_2 = torch.zeros_like(kernel_2)
        grad_x = x.new_zeros(*x.shape[:2], (count - 1) * blocks.hop + n_fft)
        for item in range(x.shape[0]):
            frames = blocks.input_frames(x[item])
            for part in blocks.chunks(count, filters, x.device):
                local = _with_context(p[item], part, blocks)
                one_hot = x.new_zeros(*grad_peaks[item, part].shape, blocks.pool)
                one_hot.scatter_(
                    -1, indices[item, part].unsqueeze(-1), grad_peaks[item, part].unsqueeze(-1)
                )
                spectrum = torch.fft.rfft(one_hot.flatten(-2), n_fft)
                bins_2 += (torch.fft.rfft(local.abs(), n_fft).conj() * spectrum).sum(0)
                grad_local = torch.fft.irfft(spectrum.mul_(kernel_2), n_fft)
                grad_local = grad_local[..., : local.shape[-1]]
                own = grad_local.narrow(-1, blocks.envelope_lead, blocks.hop)
                blocks.by_frame(own).add_(grad_sums[item, part].unsqueeze(-1))
                grad_local.mul_(local.sgn_())
                own.add_(grad_p[item, part])
                grad_bins = to_bins(grad_local, n_fft)
                input_bins = to_bins(frames[part], n_fft)
                bins_1 += torch.bmm(input_bins.conj().transpose(1, 2), grad_bins)
                if kernel_1 is not None:
                    pieces = from_bins(torch.bmm(grad_bins, kernel_1), n_fft)
                    pieces = pieces[..., : blocks.hop + 3 * blocks.kernel - 2]
                    overlap_add(pieces, blocks.hop, grad_x[item, :, part.start * blocks.hop :])
        return (
            None if kernel_1 is None else grad_x[..., blocks.halo : blocks.halo + samples],
            kernel_from_bins(bins_1.conj(), n_fft, blocks.kernel),
            torch.fft.irfft(bins_2.conj(), n_fft)[:, None, : 2 * blocks.kernel],
            None,
            None,
        )


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        p: Tensor,
        scale: Tensor,
        weight: Tensor,
        blocks: Blocks,
        samples: int,
        indices: Tensor | None,
    ) -> Tensor:
        batch, count, filters, hop = p.shape
        kernel = synthesis_kernel(weight, blocks)
        out = p.new_zeros(batch, weight.shape[1], count * hop + blocks.kernel - 1)
        for item in range(batch):
            for part in blocks.chunks(count, filters, p.device):
                mask = _mask(scale[item, part], indices, item, part, blocks)
                weighted = weigh(p[item, part], mask, blocks, part.start, samples)
                pieces = synthesize(weighted, kernel, blocks)
                overlap_add(pieces, hop, out[item, :, part.start * hop :])
        ctx.blocks, ctx.samples = blocks, samples
        ctx.save_for_backward(p, scale, weight, *([] if indices is None else [indices]))
        return out[..., blocks.lead : blocks.lead + samples]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        p, scale, weight, *rest = ctx.saved_tensors
        indices = rest[0] if rest else None
        blocks: Blocks = ctx.blocks
        n_fft, length = blocks.n_fft, blocks.hop + blocks.kernel - 1
        batch, count, filters, hop = p.shape
        kernel = analysis_kernel(weight, blocks)
        grad_p, grad_scale = torch.empty_like(p), torch.empty_like(scale)
        bins = torch.zeros_like(kernel)  # The weight's gradient, as a conjugated spectrum.
        end = (count - 1) * hop + length - blocks.lead - ctx.samples
        frames = F.pad(grad_out, (blocks.lead, end)).unfold(-1, length, hop).transpose(1, 2)
        for item in range(batch):
            for part in blocks.chunks(count, filters, p.device):
                own = p[item, part]
                mask = _mask(scale[item, part], indices, item, part, blocks)
                weighted = weigh(own, mask, blocks, part.start, ctx.samples)
                out_bins = to_bins(frames[item, part], n_fft)
                bins += torch.bmm(out_bins.conj().transpose(1, 2), to_bins(weighted, n_fft))
                local = from_bins(torch.bmm(out_bins, kernel), n_fft)[..., :hop]
                _clear_edges(local, blocks, part.start, ctx.samples)
                product = blocks.by_frame(own * local)
                if indices is None:
                    grad_scale[item, part] = product.sum(-1)
                else:
                    index = indices[item, part].unsqueeze(-1)
                    grad_scale[item, part] = product.gather(-1, index).squeeze(-1)
                torch.mul(blocks.by_frame(local), mask, out=blocks.by_frame(grad_p[item, part]))
        return (
            grad_p,
            grad_scale,
            kernel_from_bins(bins.conj(), n_fft, blocks.kernel),
            None,
            None,
            None,
        )


_encode: Callable[..., tuple[Tensor, ...]] = _Encode.apply
_decode: Callable[..., Tensor] = _Decode.apply


def weigh(own: Tensor, mask: Tensor, blocks: Blocks, first: int, samples: int) -> Tensor:
    """The decoder's input for some blocks.

    Args:
        own: filter outputs (blocks, N, hop).
        mask: (blocks, N, frames, 1 or pool).
        blocks: kernel and pooling sizes.
        first: index of the first of these blocks.
        samples: length of the whole signal.
    """
    weighted = (blocks.by_frame(own) * mask).flatten(-2)
    _clear_edges(weighted, blocks, first, samples)
    return weighted


def _clear_edges(weighted: Tensor, blocks: Blocks, first: int, samples: int) -> None:
    # The transposed convolution has no padding: the samples at the ends are left out.
    keep = (blocks.lead, samples - (blocks.kernel - 1 - blocks.lead))
    clear_outside(weighted, first * blocks.hop, blocks.hop, keep)


def _mask(scale: Tensor, indices: Tensor | None, item: int, part: slice, blocks: Blocks) -> Tensor:
    if indices is None:
        return scale.unsqueeze(-1)
    one_hot = scale.new_zeros(*scale.shape, blocks.pool)
    return one_hot.scatter_(-1, indices[item, part].unsqueeze(-1), scale.unsqueeze(-1))


def _with_context(p: Tensor, part: slice, blocks: Blocks) -> Tensor:
    """Blocks of p (blocks, N, hop) with what the second convolution sees around them."""
    lead = blocks.envelope_lead
    tail = blocks.envelope_context - lead
    around = p[max(0, part.start - 1) : part.stop + 1]
    before, after = around[..., blocks.hop - lead :], around[..., :tail]
    if part.start == 0:
        before = F.pad(before, (0, 0, 0, 0, 1, 0))
    if part.stop >= p.shape[0]:
        after = F.pad(after, (0, 0, 0, 0, 0, 1))
    size = part.stop - part.start
    return torch.cat([before[:size], p[part], after[-size:]], -1)


def _to_blocks(values: Tensor, blocks: Blocks) -> Tensor:
    """(B, N, F) to (B, blocks, N, frames), zero behind the last frame."""
    count = -(-values.shape[-1] // blocks.frames)
    whole = F.pad(values, (0, count * blocks.frames - values.shape[-1]))
    return torch.unflatten(whole, -1, (count, blocks.frames)).transpose(1, 2).contiguous()
