from .automix.automix_net import AutomixNet
from .automix.streaming import mix_stream
from .automix.transfer import calibrate_gain, scale_front_end, transfer_front_end
from .building import build, output_offset
from .mixer_config import (
    AutomixConfig,
    MixerConfig,
    NetworkConfig,
    WaveUNetConfig,
    WindowConfig,
)
from .model_folder import LoadedModel, load, save
from .released_weights import import_model, import_released, read_released
from .settings_files import load_settings
from .waveunet.wave_u_net import WaveUNet

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
    "load_settings",
    "mix_stream",
    "output_offset",
    "read_released",
    "save",
    "scale_front_end",
    "transfer_front_end",
]
