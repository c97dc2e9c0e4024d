"""A start for the Wave-U-Net: the sum of its stems.

The first level's shortcut leads from the input to the output. ReLU lets a signal pass as the
difference of its positive and its negative half, so a pair of features each carries the sum and the
difference of left and right. Group normalisation would bring them to one level: a constant feature
beside them, large against the audio, keeps the group's deviation where it is.
"""

from typing import TYPE_CHECKING

import torch

from fxnorm.errors import FxNormError
from fxnorm.models.waveunet.wave_u_net_config import CHANNELS_PER_GROUP

if TYPE_CHECKING:
    from fxnorm.models.waveunet.wave_u_net import WaveUNet

#: Sum and difference of left and right.
_SIDES = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) * 0.5**0.5
#: Features that carry both, each in two halves: the first ones of the first level.
_PAIRS = 4
#: The feature of the same group that is constant, 1.
_CONSTANT = CHANNELS_PER_GROUP - 1
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
    halves = torch.tensor([1.0, -1.0])
    into = torch.kron(_SIDES, halves[:, None]).repeat(1, net.stems)
    through = torch.kron(torch.eye(2), torch.outer(halves, halves))
    _carry(net, "downsampling_blocks.0.pre_shortcut_convs.0", into)
    _carry(net, f"upsampling_blocks.{net.levels - 2}.post_shortcut_convs.0", through)
    weight = net.output_conv.weight
    weight.mul_(_SPARE)
    weight[:, :_PAIRS, 0] = torch.kron(_SIDES, halves[None, :])
    weight[:, _CONSTANT] = 0.0
    net.get_parameter("output_conv.bias").zero_()


def _carry(net: "WaveUNet", layer: str, matrix: torch.Tensor) -> None:
    """Let the first features of a layer be `matrix` (4, inputs) times its first inputs."""
    weight = net.get_parameter(f"{layer}.filter.weight")
    bias = net.get_parameter(f"{layer}.filter.bias")
    weight.mul_(_SPARE)
    bias.zero_()
    weight[:_PAIRS] = 0.0
    weight[:_PAIRS, : matrix.shape[1], weight.shape[-1] // 2] = matrix
    weight[_CONSTANT], bias[_CONSTANT] = 0.0, 1.0
    # The group without audio: seven features at 0 and the constant one.
    group = torch.zeros(CHANNELS_PER_GROUP)
    group[_CONSTANT] = 1.0
    net.get_parameter(f"{layer}.norm.weight")[:CHANNELS_PER_GROUP] = group.std(correction=0)
    net.get_parameter(f"{layer}.norm.bias")[:CHANNELS_PER_GROUP] = group.mean()
