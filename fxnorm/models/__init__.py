"""The networks, their configuration, and files that hold them."""

from fxnorm.models.automix import AutomixNet
from fxnorm.models.config import (
    AutomixConfig,
    MixerConfig,
    NetworkConfig,
    WaveUNetConfig,
    WindowConfig,
    build,
    output_offset,
)
from fxnorm.models.released import import_model, import_released, read_released
from fxnorm.models.storage import LoadedModel, load, save
from fxnorm.models.streaming import mix_stream
from fxnorm.models.transfer import calibrate_gain, scale_front_end, transfer_front_end
from fxnorm.models.waveunet import WaveUNet

__all__ = [
    "AutomixConfig",
    "AutomixNet",
    "LoadedModel",
    "MixerConfig",
    "NetworkConfig",
    "WaveUNet",
    "WaveUNetConfig",
    "WindowConfig",
    "build",
    "calibrate_gain",
    "import_model",
    "import_released",
    "load",
    "mix_stream",
    "output_offset",
    "read_released",
    "save",
    "scale_front_end",
    "transfer_front_end",
]
