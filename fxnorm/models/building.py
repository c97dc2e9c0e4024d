"""Networks from their configuration."""

from torch import nn

from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.mixer_config import AutomixConfig, MixerConfig, WaveUNetConfig
from fxnorm.models.waveunet.wave_u_net import WaveUNet


def build(config: AutomixConfig | WaveUNetConfig) -> AutomixNet | WaveUNet:
    """An untrained network; draws from torch's global generator.

    Raises:
        FxNormError: sizes that don't go together.
    """
    sizes = config.model_dump(exclude={"kind"})
    return AutomixNet(**sizes) if isinstance(config, AutomixConfig) else WaveUNet(**sizes)


def output_offset(net: nn.Module, config: MixerConfig) -> int:
    """Input sample that a network's output sample 0 is to be placed at."""
    return 0 if config.released_alignment else int(net.output_offset)  # type: ignore[arg-type]
