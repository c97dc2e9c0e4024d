"""A start for the Wave-U-Net: the sum of its stems.

The first level's shortcut leads from input to output. A signal that is raised by more than
its peaks passes ReLU whole, and what it was raised by goes in the difference to its opposite,
raised alike. So four features of the first level carry the sum and the difference of left and
right. Group normalisation would bring them to one level: what they are raised by is large against
the audio, and keeps the group's deviation where it is.

The positive and the negative half of a signal would pass as well. But training never leaves the two
quite alike, and the kink between them is heard where there is little else: above 16 kHz.
"""

from typing import TYPE_CHECKING

import torch

from fxnorm.errors import FxNormError
from fxnorm.models.waveunet.wave_u_net_config import CHANNELS_PER_GROUP

if TYPE_CHECKING:
    from fxnorm.models.waveunet.wave_u_net import WaveUNet

#: Sum and difference of left and right.
_SIDES = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) * 0.5**0.5
#: Features that carry them and their opposites: the first ones of the first level.
_CARRIERS = 4
#: What these are raised by: the peaks of the sum of normalised stems lie below.
_RAISED = 0.6
#: What is left of the random weights beside the direct path.
_SPARE = 0.03


@torch.no_grad()
def start_as_sum(net: "WaveUNet") -> None:
    """Make the untrained network's mix about the sum of the stems.

    Args:
        net: changed in place.

    Raises:
        FxNormError: the channels are not left and right.
    """
    if net.channels != 2:
        raise FxNormError(
            f"training.start: the Wave-U-Net starts with the sum of 2 channels, not {net.channels};"
            " set it to random"
        )
    opposites = torch.tensor([1.0, -1.0])
    into = torch.kron(_SIDES, opposites[:, None]).repeat(1, net.stems)
    through = 0.5 * torch.kron(torch.eye(2), torch.outer(opposites, opposites))
    _carry(net, "downsampling_blocks.0.pre_shortcut_convs.0", into)
    _carry(net, f"upsampling_blocks.{net.levels - 2}.post_shortcut_convs.0", through)
    weight = net.output_conv.weight
    weight.mul_(_SPARE)
    # Normalisation brings the other groups to a level far above the audio's.
    weight[:, CHANNELS_PER_GROUP:] = 0.0
    weight[:, :_CARRIERS, 0] = 0.5 * torch.kron(_SIDES, opposites[None, :])
    net.get_parameter("output_conv.bias").zero_()


def _carry(net: "WaveUNet", layer: str, matrix: torch.Tensor) -> None:
    """Let the first features of a layer be `matrix` (4, inputs) times its first inputs."""
    weight = net.get_parameter(f"{layer}.filter.weight")
    bias = net.get_parameter(f"{layer}.filter.bias")
    weight.mul_(_SPARE)
    weight[:_CARRIERS] = 0.0
    weight[:_CARRIERS, : matrix.shape[1], weight.shape[-1] // 2] = matrix
    bias.zero_()
    bias[:_CARRIERS] = _RAISED
    # Normalisation takes away the group's mean and deviation, which are about these.
    group = bias[:CHANNELS_PER_GROUP]
    net.get_parameter(f"{layer}.norm.weight")[:CHANNELS_PER_GROUP] = group.std(correction=0)
    net.get_parameter(f"{layer}.norm.bias")[:CHANNELS_PER_GROUP] = group.mean()
