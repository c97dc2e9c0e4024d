"""Networks from their configuration."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.network import Network
from fxnorm.models.network_config import BaseNetworkConfig
from fxnorm.models.waveunet.wave_u_net import WaveUNet

#: By the kind of their configurations.
_NETWORKS: dict[str, Callable[[Any], Network]] = {"automix": AutomixNet, "wave-u-net": WaveUNet}


def build(config: BaseNetworkConfig) -> Network:
    """An untrained network; draws from torch's global generator."""
    return _NETWORKS[config.kind](config)


def layout(config: BaseNetworkConfig) -> Mapping[str, Tensor]:
    """A network's weights by name and shape, without memory for them."""
    with torch.device("meta"):
        return build(config).state_dict()
