"""The latent network on long songs: the same result in bounded memory, for songs on a CPU.

The norms need moments of the whole song, so it goes through layer by layer, some frames at a time.
What lies between the layers is in `fxnorm.scratch`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from fxnorm import scratch
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.automix.latent import run_lstm
from fxnorm.models.automix.temporal import Moments, room, run_in_place

#: Frames from which on this takes less memory than it costs.
LONG_FRAMES = 2**16
_FRAMES = 2**13


def scale_in_parts(net: AutomixNet, peaks: Tensor, sums: Tensor) -> Tensor:
    """`AutomixNet.scale` of one song, to rounding.

    Args:
        net: in evaluation mode, on a CPU.
        peaks: of `Encoded`, (1, N, F).
        sums: of `Encoded`, (1, N, F).
    """
    mask = _mask_in_parts(net, peaks[0])
    parts = _parts(mask.shape[1])
    weighted = torch.stack([(mask[:, part] * sums[0, :, part]).sum(-1) for part in parts]).sum(0)
    mean_magnitude = weighted / (sums.shape[-1] * net.blocks.pool)
    gates = net.se_block(mean_magnitude[None])[0].unsqueeze(-1)
    for part in parts:
        mask[:, part] *= gates
    return mask[None]


def _mask_in_parts(net: AutomixNet, peaks: Tensor) -> Tensor:
    """`AutomixNet.mask` of (N, F)."""
    filters, frames = peaks.shape
    parts = _parts(frames)
    moments = Moments()
    for part in parts:
        moments.add(F.softplus(peaks[:, part]))
    scale, shift = moments.norm(net.layerNorm)
    bottleneck, output = net.bottleneck_conv1x1, net.output
    latent = room(peaks.t(), bottleneck.out_channels)
    weight, bias = bottleneck.weight[..., 0].t(), bottleneck.get_parameter("bias")
    for part in parts:
        normed = torch.addcmul(shift, F.softplus(peaks[:, part]).t(), scale)
        torch.addmm(bias, normed, weight, out=latent[part])
    total = run_in_place(latent, net.temporal_blocks)
    hidden = room(total, filters)
    for part in parts:
        hidden[part] = F.softplus(output(total[part].t()[None]))[0].t()
    mask = run_lstm(net.blstm, hidden[None])[0]
    for part in parts:
        mask[part] = F.softplus(mask[part])
    return mask.t()


def _parts(frames: int) -> list[slice]:
    return list(scratch.blocks(frames, _FRAMES))
