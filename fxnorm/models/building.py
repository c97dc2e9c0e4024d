"""Networks from their configuration."""

from fxnorm.models.automix.automix_config import AutomixConfig
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.waveunet.wave_u_net import WaveUNet
from fxnorm.models.waveunet.wave_u_net_config import WaveUNetConfig

Network = AutomixNet | WaveUNet


def build(config: AutomixConfig | WaveUNetConfig) -> Network:
    """An untrained network; draws from torch's global generator."""
    return AutomixNet(config) if isinstance(config, AutomixConfig) else WaveUNet(config)
