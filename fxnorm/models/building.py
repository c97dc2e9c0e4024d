"""Networks from their configuration."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fxnorm.models.automix.automix_config import AutomixConfig
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.waveunet.wave_u_net import WaveUNet
from fxnorm.models.waveunet.wave_u_net_config import WaveUNetConfig

Network = AutomixNet | WaveUNet


def build(config: AutomixConfig | WaveUNetConfig) -> Network:
    """An untrained network; draws from torch's global generator."""
    return AutomixNet(config) if isinstance(config, AutomixConfig) else WaveUNet(config)


def layout(config: AutomixConfig | WaveUNetConfig) -> Mapping[str, Tensor]:
    """A network's weights by name and shape, without memory for them."""
    with torch.device("meta"):
        return build(config).state_dict()
