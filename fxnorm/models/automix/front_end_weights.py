"""The mixing network's front end: taken from a pretraining, scaled to a level, and widened."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fxnorm.errors import FxNormError
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.weights import require_same_layout

_NAMES = ("conv_1.weight", "conv_2.0.weight")


def set_front_end(net: AutomixNet, front_end: Mapping[str, Tensor]) -> None:
    """Copy the two convolutions of the front end from a pretrained network, and nothing else.

    Args:
        net: the mixing network, changed in place.
        front_end: the pretrained network's weights by name.

    Raises:
        FxNormError: one of them is missing or has another shape.
    """
    state = net.state_dict()
    expected = {name: state[name] for name in _NAMES}
    found = {name: front_end[name] for name in _NAMES if name in front_end}
    try:
        require_same_layout(found, expected, "pretrained front end")
    except FxNormError as error:
        raise FxNormError(
            f"{error}; give both networks the same stems, filters and kernel, or leave "
            "training.front_end empty"
        ) from error
    net.load_state_dict(state | found)


def scale_front_end(net: AutomixNet, factor: float) -> None:
    """Scale the first convolution by `factor` and the second by its inverse, in place.

    The latent network sees the same: the second convolution works on the magnitude of the first.
    The decoder shares the first convolution's weight, so the mix before its tanh scales with the
    factor squared (as far as squeeze-excitation, which sees the factor, leaves its gates).
    """
    with torch.no_grad():
        net.conv_1.weight.mul_(factor)
        net.weight_2.div_(factor)


def widen_front_end(net: AutomixNet, factor: float) -> None:
    """Scale what the first convolution takes of each stem's side signal, in place.

    The decoder shares its weight: the side of the mix scales with the factor squared, as far as
    the latent network, which sees the factor, leaves its mask.
    """
    with torch.no_grad():
        pairs = net.conv_1.weight.unflatten(1, (-1, 2))
        middle = pairs.mean(2, keepdim=True)
        net.conv_1.weight.copy_((middle + factor * (pairs - middle)).flatten(1, 2))
