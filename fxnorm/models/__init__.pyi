from .automix import AutomixNet
from .building import build, output_offset
from .config import (
    AutomixConfig,
    MixerConfig,
    NetworkConfig,
    WaveUNetConfig,
    WindowConfig,
)
from .released import import_model, import_released, read_released
from .storage import LoadedModel, load, save
from .streaming import mix_stream
from .transfer import calibrate_gain, scale_front_end, transfer_front_end
from .waveunet import WaveUNet

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
