"""Training steps where the tensors' device is not the CPU.

Torch's meta device computes shapes only and refuses to mix with tensors of another device, or to
give a value to Python: what a step makes on the wrong device, or waits for, shows without a GPU.
"""

import pytest
import torch

from fxnorm.losses import StereoLossA, StereoLossB
from fxnorm.models import AutomixConfig, AutomixNet, WaveUNet, WaveUNetConfig
from fxnorm.training.validation import align

# On that device the LSTM takes long per latent frame: few, long ones.
SIZES = {"filters": 8, "bottleneck": 12, "skip": 6, "hidden": 10, "blocks": 2, "repeats": 1}
AUTOMIX = AutomixConfig(pool=1024, **SIZES)
PRETRAINING = AUTOMIX.model_copy(update={"pretraining": True})
WAVE_U_NET = WaveUNetConfig(filters=24, levels=2)


@pytest.mark.parametrize(
    "net",
    [
        pytest.param(AutomixNet(AUTOMIX), id="mix"),
        pytest.param(AutomixNet(PRETRAINING), id="pretraining"),
        pytest.param(WaveUNet(WAVE_U_NET), id="wave-u-net"),
    ],
)
@pytest.mark.parametrize("loss", [StereoLossA, StereoLossB])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_step_stays_on_its_device(net, loss, precision):
    net = net.to("meta")
    loss = loss(guard_frames=1, precision=precision).to("meta")
    stems = torch.empty(2, 4, 2, 16384, device="meta")
    target = stems if net.pretraining else stems.sum(1)
    mix = net(stems)
    loss(mix, align(target, mix, net.output_offset)).backward()
    trained = [weights for weights in net.parameters() if weights.requires_grad]
    assert trained
    assert all(weights.grad.shape == weights.shape for weights in trained)


@pytest.mark.parametrize("net", [AutomixNet(AUTOMIX), WaveUNet(WAVE_U_NET)])
def test_evaluation_stays_on_its_device(net):
    with torch.no_grad():
        mix = net.to("meta").eval()(torch.empty(1, 4, 2, 8192, device="meta"))
    assert (mix.device.type, mix.shape[:2]) == ("meta", (1, 2))
