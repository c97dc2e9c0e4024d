"""What a network does before it is trained: add the stems, as loud as the target."""

from torch import Tensor, no_grad

from fxnorm.errors import FxNormError
from fxnorm.models.automix import sum_start as automix_start
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.automix.front_end_weights import scale_front_end
from fxnorm.models.building import Network
from fxnorm.models.waveunet import sum_start as wave_u_net_start

#: Relative deviation of the level at which the calibration ends, and how often to try.
_TOLERANCE, _ROUNDS = 0.01, 30


def start_as_sum(net: Network) -> None:
    """Make an untrained network's mix the sum of the stems, in place.

    Training then begins at the baseline instead of where chance has put it.

    Raises:
        FxNormError: a network too small for it.
    """
    if isinstance(net, AutomixNet):
        automix_start.start_as_sum(net)
    else:
        wave_u_net_start.start_as_sum(net)


def calibrate_gain(net: Network, stems: Tensor, target_rms: float) -> float:
    """Scale an untrained network so that its mix has the wanted level.

    The Wave-U-Net's last convolution is scaled, of the mixing network the front end, before its
    tanh: a pretrained one was trained with one sample in 64 reaching the decoder, so the network
    starts far too loud and tanh saturates.

    Args:
        net: changed in place.
        stems: a typical batch of normalised stems (B, S, C, T).
        target_rms: wanted RMS of the mix, such as that of the target mixes.

    Returns:
        The gain.

    Raises:
        FxNormError: silent stems, a target that is not positive, or no convergence.
    """
    if target_rms <= 0.0:
        raise FxNormError(f"gain calibration: target RMS {target_rms} must be positive")
    training = net.training
    # Other than in evaluation, the Wave-U-Net does not clip.
    net.train(not isinstance(net, AutomixNet))
    gain = 1.0
    try:
        # The gates follow the level a little, so one step does not hit the target.
        for _ in range(_ROUNDS):
            rms = _rms_of_mix(net, stems)
            if not 0.0 < rms < float("inf"):
                raise FxNormError("gain calibration: silent or infinite mix; give audible stems")
            if abs(rms / target_rms - 1.0) <= _TOLERANCE:
                return gain
            gain *= target_rms / rms
            if isinstance(net, AutomixNet):
                scale_front_end(net, (target_rms / rms) ** 0.5)
            else:
                net.scale_output(target_rms / rms)
    finally:
        net.train(training)
    raise FxNormError("gain calibration: the mix's level does not settle; give other stems")


@no_grad()
def _rms_of_mix(net: Network, stems: Tensor) -> float:
    mix = net.before_tanh(stems) if isinstance(net, AutomixNet) else net(stems)
    return float(mix.square().mean().sqrt())
