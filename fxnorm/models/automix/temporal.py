"""The temporal network on pooled frames: dilated depthwise-separable convolutions in series."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fxnorm import scratch

#: GroupNorm's epsilon in this network.
EPS = 1e-8
#: Frames worked on at once where no gradient is needed: they stay in the cache.
_FRAMES = 1024


class Pointwise(nn.Conv1d):
    """A convolution of one tap, as the matrix product that it is: faster, and without copies.

    Args:
        inputs: channels of (B, inputs, F).
        outputs: channels of (B, outputs, F).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, F) to (B, outputs, F)."""
        weight = self.weight.squeeze(-1).expand(x.shape[0], -1, -1)
        return torch.baddbmm(self.get_parameter("bias").unsqueeze(-1), weight, x)


class Depthwise(nn.Conv1d):
    """A depthwise convolution of few taps as a sum of shifted signals, several times faster.

    Args:
        channels: of (B, channels, F), in and out.
        kernel: taps, odd.
        dilation: frames between them.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__(channels, channels, kernel, dilation=dilation, groups=channels)

    @property
    def reach(self) -> int:
        """Frames that it sees on either side."""
        return (self.kernel_size[0] - 1) * self.dilation[0] // 2

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, F) to the same shape; zeros lie outside the signal."""
        bias = self.get_parameter("bias")
        return _depthwise_sum(x, self.weight, bias, self.dilation[0])


class _DepthwiseSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        x = x.to(weight.dtype)  # Under autocast the layer before may have computed in half.
        reach = (weight.shape[-1] - 1) * dilation // 2
        padded = F.pad(x, (reach, reach))
        ctx.dilation, ctx.reach = dilation, reach
        ctx.save_for_backward(padded, weight)
        return _sum_of_shifted(padded, weight, bias, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        padded, weight = ctx.saved_tensors
        grad_padded = F.pad(grad, (ctx.reach, ctx.reach))
        grad_x = _sum_of_shifted(grad_padded, weight.flip(-1), weight.new_zeros(()), ctx.dilation)
        grad_weight = [
            (grad * padded[..., start : start + grad.shape[-1]]).sum((0, 2))
            for start in range(0, 2 * ctx.reach + 1, ctx.dilation)
        ]
        return grad_x, torch.stack(grad_weight, -1).unsqueeze(1), grad.sum((0, 2)), None


_depthwise_sum: Callable[..., Tensor] = _DepthwiseSum.apply


def _sum_of_shifted(padded: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """The convolution (..., channels, F) of (..., channels, F + 2 reach)."""
    taps = weight.shape[-1]
    frames = padded.shape[-1] - (taps - 1) * dilation
    y = torch.addcmul(bias.unsqueeze(-1), padded[..., :frames], weight[..., 0])
    for tap in range(1, taps):
        y.addcmul_(padded[..., tap * dilation : tap * dilation + frames], weight[..., tap])
    return y


class TemporalBlock(nn.Module):
    """Dilated depthwise-separable convolution with a skip and a residual output.

    Args:
        bottleneck: channels in and of the residual output.
        skip: channels of the skip output.
        hidden: channels in between.
        kernel: taps of the depthwise convolution, odd.
        dilation: frames between its taps.
    """

    def __init__(
        self, *, bottleneck: int, skip: int, hidden: int, kernel: int, dilation: int
    ) -> None:
        super().__init__()
        self.conv1x1 = Pointwise(bottleneck, hidden)
        self.nonlinearity1 = nn.PReLU()
        self.norm1 = nn.GroupNorm(1, hidden, eps=EPS)
        self.depthwise_conv = Depthwise(hidden, kernel, dilation)
        self.nonlinearity2 = nn.PReLU()
        self.norm2 = nn.GroupNorm(1, hidden, eps=EPS)
        self.skip_out = Pointwise(hidden, skip)
        self.res_out = Pointwise(hidden, bottleneck)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, bottleneck, F) to the skip output (B, skip, F) and the hidden signal behind it.

        The residual output is `x + res_out(hidden)`; the last block of a network has no use for it.
        """
        y = self.norm1(self.nonlinearity1(self.conv1x1(x)))
        y = self.norm2(self.nonlinearity2(self.depthwise_conv(y)))
        return self.skip_out(y), y


def temporal_blocks(x: Tensor, blocks: Sequence[TemporalBlock]) -> Tensor:
    """Run the blocks in series on (B, bottleneck, F); return the sum of their skip outputs.

    Without gradients, on a CPU: the same result to rounding, in less time and memory.
    """
    if not torch.is_grad_enabled() and x.device.type == "cpu":
        # Under autocast the layer before may have computed in half precision.
        x = x.to(blocks[0].conv1x1.weight.dtype)
        copies = (item.t().clone(memory_format=torch.contiguous_format) for item in x)
        return torch.stack([run_in_place(copy, blocks).t() for copy in copies])
    total: Tensor
    total, hidden = blocks[0](x)
    for previous, block in pairwise(blocks):
        x = x + previous.res_out(hidden)
        skip, hidden = block(x)
        total = total + skip
    return total


def run_in_place(x: Tensor, blocks: Sequence[TemporalBlock]) -> Tensor:
    """`temporal_blocks` of one item (F, bottleneck) on a CPU, time-major, which is overwritten.

    Some frames at a time. A norm needs the mean and variance of the whole signal, so a block is
    three passes over it.
    """
    frames = x.shape[0]
    parts = [slice(at, min(at + _FRAMES, frames)) for at in range(0, frames, _FRAMES)]
    hidden, filtered = (room(x, blocks[0].conv1x1.out_channels) for _ in range(2))
    total = room(x, blocks[0].skip_out.out_channels)
    for part in parts:
        total[part] = 0.0
    for block in blocks:
        moments = Moments()
        weight, bias = block.conv1x1.weight[..., 0].t(), block.conv1x1.get_parameter("bias")
        for part in parts:
            torch.addmm(bias, x[part], weight, out=hidden[part])
            moments.add(F.leaky_relu_(hidden[part], block.nonlinearity1.weight.item()))
        scale, shift = moments.norm(block.norm1)
        moments = Moments()
        for part in parts:
            normed = _normed_with_context(hidden, part, scale, shift, block.depthwise_conv.reach)
            _filter(normed, block.depthwise_conv, filtered[part])
            moments.add(F.leaky_relu_(filtered[part], block.nonlinearity2.weight.item()))
        scale, shift = moments.norm(block.norm2)
        outputs = [(total, block.skip_out), (x, block.res_out)]
        for output, layer in outputs[:1] if block is blocks[-1] else outputs:
            matrix = layer.weight[..., 0].t()
            offset = shift @ matrix + layer.get_parameter("bias")
            matrix = scale.unsqueeze(-1) * matrix
            for part in parts:
                output[part].addmm_(filtered[part], matrix).add_(offset)
    return total


def room(x: Tensor, channels: int) -> Tensor:
    """A tensor (F, channels) for what is made of x (F, ...)."""
    if x.dtype != torch.float32:
        return x.new_empty(x.shape[0], channels)
    return torch.from_numpy(scratch.empty((x.shape[0], channels)))


class Moments:
    """Mean and variance of a signal that comes in parts."""

    def __init__(self) -> None:
        self._count, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, part: Tensor) -> None:
        """Count a part in."""
        self._count += part.numel()
        self._sum += part.sum().item()
        self._squares += part.square().sum().item()

    def norm(self, norm: nn.GroupNorm) -> tuple[Tensor, Tensor]:
        """What a norm multiplies the channels by, and what it adds then."""
        mean = self._sum / self._count
        variance = max(0.0, self._squares / self._count - mean**2)
        scale = norm.weight / math.sqrt(variance + norm.eps)
        return scale, norm.bias - mean * scale


def _normed_with_context(
    x: Tensor, part: slice, scale: Tensor, shift: Tensor, reach: int
) -> Tensor:
    """Frames of x (F, channels), normed, and `reach` around them; zeros lie outside the signal."""
    start, stop = part.start - reach, part.stop + reach
    normed = torch.addcmul(shift, x[max(0, start) : stop], scale)
    missing = max(0, -start), max(0, stop - x.shape[0])
    return F.pad(normed, (0, 0, *missing)) if any(missing) else normed


def _filter(padded: Tensor, layer: Depthwise, out: Tensor) -> None:
    """Write the depthwise convolution of (F + 2 reach, channels) to `out` (F, channels)."""
    taps, step = layer.weight[:, 0].t().contiguous(), layer.dilation[0]
    frames = len(out)
    torch.addcmul(layer.get_parameter("bias"), padded[:frames], taps[0], out=out)
    for index, tap in enumerate(taps[1:], 1):
        out.addcmul_(padded[index * step : index * step + frames], tap)
