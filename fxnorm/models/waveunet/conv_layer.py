"""Valid convolution, GroupNorm and ReLU of the Wave-U-Net as one operation, time-major.

With time first and channels last, a convolution of K taps is K plain matrix products without any
copy: rows t, t + K, t + 2 K, ... of the overlapping windows are a contiguous matrix. With many
channels that is as fast on a CPU as the framework's convolution and rounds less: its long sums and
GroupNorm's are otherwise the network's largest error. With few channels the framework is faster,
and on a GPU its convolution takes part in mixed precision.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

_EPS = 1e-5
#: Input channels from which on the matrix products pay.
_MANY_CHANNELS = 24


def conv_norm_relu(
    x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor, groups: int
) -> Tensor:
    """relu(group_norm(conv(x))).

    Args:
        x: (B, T, C).
        weight: (N, C, K).
        bias: (N,).
        scale: GroupNorm's weight, (N,).
        shift: GroupNorm's bias, (N,).
        groups: number of groups.

    Returns:
        (B, T - K + 1, N).
    """
    if x.device.type != "cpu" or x.shape[-1] < _MANY_CHANNELS:
        convolved = F.conv1d(x.transpose(1, 2), weight, bias)
        normed = F.group_norm(convolved, groups, scale, shift, _EPS)
        return F.relu(normed, inplace=True).transpose(1, 2)
    # Under autocast the layers before may have computed in half precision.
    x = x.to(weight.dtype).contiguous()
    return _conv_norm_relu(x, weight, bias, scale, shift, groups)


class _ConvNormRelu(torch.autograd.Function):
    # Per item and channel: centered = conv(x) - its mean over time, offset = that mean + bias - the
    # group's mean. So the normalised signal is (centered + offset) * rstd, without cancellation.

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor, groups: int
    ) -> Tensor:
        matrix = weight.permute(2, 1, 0).flatten(0, 1)
        centered = _convolve(x, matrix, weight.shape[-1])
        mean = centered.mean(1)
        centered -= mean.unsqueeze(1)
        variance = centered.square().mean(1)
        mean = torch.unflatten(mean + bias, -1, (groups, -1))
        offset = mean - mean.mean(-1, keepdim=True)
        variance = torch.unflatten(variance, -1, (groups, -1)) + offset.square()
        rstd = (variance.mean(-1, keepdim=True) + _EPS).rsqrt().expand_as(offset).flatten(1)
        offset = offset.flatten(1)
        gain = rstd * scale
        y = torch.addcmul((offset * gain + shift).unsqueeze(1), centered, gain.unsqueeze(1)).relu_()
        ctx.groups = groups
        ctx.save_for_backward(x, weight, scale, centered, offset, rstd, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, scale, centered, offset, rstd, y = ctx.saved_tensors
        samples, taps = y.shape[1], weight.shape[-1]
        grad = torch.ops.aten.threshold_backward(grad_y, y, 0.0)
        # Sums over time, (B, N): of the gradient, and of it times the normalised signal.
        grad_shift = grad.sum(1)
        grad_scale = ((grad * centered).sum(1) + offset * grad_shift) * rstd
        mean_1 = _group_mean(grad_shift * scale, ctx.groups) / samples
        mean_2 = _group_mean(grad_scale * scale, ctx.groups) / samples * rstd
        gain, constant = rstd * scale, rstd * (mean_1 + mean_2 * offset)
        grad_conv = grad.mul_(gain.unsqueeze(1))
        grad_conv.addcmul_(centered, (rstd * mean_2).unsqueeze(1), value=-1.0)
        grad_conv -= constant.unsqueeze(1)
        grad_bias = gain * grad_shift - constant * samples
        grad_x = None
        if ctx.needs_input_grad[0]:
            padded = F.pad(grad_conv, (0, 0, taps - 1, taps - 1))
            grad_x = _convolve(padded, weight.flip(-1).permute(2, 0, 1).flatten(0, 1), taps)
        grad_weight = _correlate(x, grad_conv, taps)
        return (
            grad_x,
            torch.unflatten(grad_weight, 0, (taps, -1)).permute(2, 1, 0),
            grad_bias.sum(0),
            grad_scale.sum(0),
            grad_shift.sum(0),
            None,
        )


_conv_norm_relu: Callable[..., Tensor] = _ConvNormRelu.apply


def _group_mean(values: Tensor, groups: int) -> Tensor:
    grouped = torch.unflatten(values, -1, (groups, -1))
    return grouped.mean(-1, keepdim=True).expand_as(grouped).flatten(1)


def _convolve(x: Tensor, matrix: Tensor, taps: int) -> Tensor:
    """(B, T, C) with (taps * C, N) to (B, T - taps + 1, N)."""
    length = x.shape[1] - taps + 1
    out = x.new_empty(x.shape[0], length, matrix.shape[1])
    for item, target in zip(x, out, strict=True):
        for phase in range(min(taps, length)):
            torch.mm(_windows(item, taps, phase, length), matrix, out=target[phase::taps])
    return out


def _correlate(x: Tensor, y: Tensor, taps: int) -> Tensor:
    """Sum over time and items of the windows of x (B, T, C) times y (B, T - taps + 1, N)."""
    length = y.shape[1]
    total = x.new_zeros(taps * x.shape[2], y.shape[2])
    for item, other in zip(x, y, strict=True):
        for phase in range(min(taps, length)):
            total.addmm_(_windows(item, taps, phase, length).t(), other[phase::taps])
    return total


def _windows(x: Tensor, taps: int, phase: int, length: int) -> Tensor:
    """Windows phase, phase + taps, ... of the first `length` of x (T, C): (count, taps * C)."""
    count = -(-(length - phase) // taps)
    return x[phase : phase + count * taps].view(count, taps * x.shape[1])
