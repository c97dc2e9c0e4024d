"""The mixing network's front end: taken from a pretraining, and scaled to a level."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fxnorm.errors import FxNormError
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.model_folder import require_same_layout

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
            f"{error}; give both networks the same stems, filters and kernel, or set transfer to "
            "null"
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


def calibrate_gain(
    net: AutomixNet, stems: Tensor, target_rms: float, *, tolerance: float = 0.01
) -> float:
    """Scale the front end so that the untrained mix has the wanted level.

    A pretrained front end was trained with one sample in 64 reaching the decoder, so the mixing
    network starts far too loud and tanh saturates.

    Args:
        net: the mixing network, changed in place.
        stems: a typical batch of normalised stems (B, S, C, T).
        target_rms: wanted RMS of the mix before tanh, such as that of the target mixes.
        tolerance: relative deviation of the RMS to stop at.

    Returns:
        The factor given to `scale_front_end`.

    Raises:
        FxNormError: silent stems, a target that is not positive, or no convergence.
    """
    if target_rms <= 0.0:
        raise FxNormError(f"gain calibration: target RMS {target_rms} must be positive")
    training = net.training
    net.eval()
    factor = 1.0
    try:
        # The gates follow the level a little, so one step does not hit the target.
        for _ in range(30):
            with torch.no_grad():
                rms = float(net.before_tanh(stems).square().mean().sqrt())
            if not 0.0 < rms < float("inf"):
                raise FxNormError("gain calibration: silent or infinite mix; give audible stems")
            if abs(rms / target_rms - 1.0) <= tolerance:
                return factor
            step = (target_rms / rms) ** 0.5
            scale_front_end(net, step)
            factor *= step
    finally:
        net.train(training)
    raise FxNormError("gain calibration: the mix's level does not settle; give other stems")
