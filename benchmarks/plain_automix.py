"""The FxNorm-Automix network and loss B written down layer by layer, for comparison.

Shares weights with `fxnorm.models.AutomixNet` and nothing else: every step of the forward pass is
one framework call on a whole tensor.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxnorm.models import AutomixNet


def plain_forward(net: AutomixNet, x: Tensor, *, explicit_padding: bool) -> Tensor:
    """The mix of (B, S, C, T).

    Args:
        net: where the weights come from.
        x: normalised stems.
        explicit_padding: pad with zeros before the front end's convolutions instead of leaving
            "same" padding of even kernels to the framework, whose way is slow.
    """
    batch, stems, channels, samples = x.shape
    repeats: Any = net.repeats
    last: Any = net.output
    weight_1, weight_2 = net.conv_1.weight, net.weight_2
    kernel, filters = weight_1.shape[-1], weight_1.shape[0]
    p = _convolve(x.flatten(1, 2), weight_1, 1, explicit_padding)
    z = F.softplus(_convolve(p.abs(), weight_2, filters, explicit_padding))
    q, _ = F.max_pool1d(z, net.blocks.pool, return_indices=True)

    latent = _layer(net.bottleneck_conv1x1, net.layerNorm(q))
    total = torch.zeros(())
    for repeat in repeats:
        for block in repeat:
            hidden = block.norm1(block.nonlinearity1(_layer(block.conv1x1, latent)))
            hidden = block.norm2(block.nonlinearity2(_layer(block.depthwise_conv, hidden)))
            total = total + _layer(block.skip_out, hidden)
            latent = latent + _layer(block.res_out, hidden)
    output = _layer(last[1], last[0](total))
    hidden, _ = net.blstm(F.softplus(output).transpose(1, 2))
    mask = F.softplus(hidden).transpose(1, 2)

    v = F.interpolate(mask, scale_factor=net.blocks.pool, mode="nearest") * p
    gate = net.se_block.net(v.abs().mean(-1))
    v = v * gate.unsqueeze(-1)
    left = (kernel - 1) // 2
    v = v[..., left : samples - (kernel - 1 - left)]
    y = F.conv_transpose1d(v, weight_1).view(batch, stems, channels, samples)
    return torch.tanh(y.sum(1))


def plain_loss_b(mix: Tensor, target: Tensor, taps: list[Tensor], guard_frames: int) -> Tensor:
    """Loss B of two (B, 2, T), filtered directly, spectra in double precision."""
    window = torch.hann_window(4096, dtype=torch.float64).sqrt()
    spectra = []
    for audio in (mix, target):
        filtered = audio
        for weight in taps:
            rows = F.conv1d(filtered.flatten(0, 1).unsqueeze(1), weight[None, None], padding=50)
            filtered = rows[..., : audio.shape[-1]].view(audio.shape)
        left, right = filtered[:, 0], filtered[:, 1]
        for signal in (left + right, left - right):
            frames = signal.unfold(-1, 4096, 1024) * window
            magnitude = torch.fft.rfft(frames).abs()
            spectra.append(magnitude[:, guard_frames : magnitude.shape[1] - guard_frames])
    total = torch.zeros((), dtype=torch.float64)
    for x, y in zip(spectra[:2], spectra[2:], strict=True):
        total = total + F.mse_loss(x, y)
        total = total + (torch.log(1e-30 + x) - torch.log(1e-30 + y)).abs().mean()
    return total


def _layer(layer: nn.Conv1d, x: Tensor) -> Tensor:
    """A convolution of odd length by the framework's own layer, whatever ours does instead."""
    reach = (layer.kernel_size[0] - 1) * layer.dilation[0] // 2
    return F.conv1d(x, layer.weight, layer.bias, 1, reach, layer.dilation, layer.groups)


def _convolve(x: Tensor, weight: Tensor, groups: int, explicit_padding: bool) -> Tensor:
    if not explicit_padding:
        return F.conv1d(x, weight, padding="same", groups=groups)
    taps = weight.shape[-1]
    left = (taps - 1) // 2
    return F.conv1d(F.pad(x, (left, taps - 1 - left)), weight, groups=groups)
