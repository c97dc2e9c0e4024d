"""The level of a network's mix before it is trained."""

from torch import Tensor, no_grad

from fxnorm.errors import FxNormError
from fxnorm.models.network import Network, evaluating

#: Relative deviation of the level at which the calibration ends, and how often to try.
_TOLERANCE, _ROUNDS = 0.01, 30


def calibrate_gain(net: Network, stems: Tensor, target_rms: float) -> float:
    """Scale an untrained network so that its mix has the wanted level.

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
    gain = 1.0
    with evaluating(net):
        # The gates follow the level a little, so one step does not hit the target.
        for _ in range(_ROUNDS):
            rms = _rms_of_mix(net, stems)
            if not 0.0 < rms < float("inf"):
                raise FxNormError("gain calibration: silent or infinite mix; give audible stems")
            if abs(rms / target_rms - 1.0) <= _TOLERANCE:
                return gain
            gain *= target_rms / rms
            net.scale_mix(target_rms / rms)
    raise FxNormError("gain calibration: the mix's level does not settle; give other stems")


@no_grad()
def _rms_of_mix(net: Network, stems: Tensor) -> float:
    return float(net.unbounded(stems).square().mean().sqrt())
