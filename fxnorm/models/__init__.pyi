from .automix.automix_config import AutomixConfig
from .automix.automix_net import AutomixNet
from .automix.front_end_weights import scale_front_end, set_front_end, widen_front_end
from .automix.streaming import mix_stream, share_stream
from .building import Network, build
from .mixer_config import MixerConfig, NetworkConfig, WindowConfig
from .model_folder import LoadedModel, load, save
from .released_weights import import_model, import_released, read_released
from .settings_files import load_rooms, load_settings
from .start import calibrate_gain, start_as_sum
from .waveunet.wave_u_net import WaveUNet
from .waveunet.wave_u_net_config import WaveUNetConfig

__all__ = [
    "AutomixConfig",
    "AutomixNet",
    "LoadedModel",
    "MixerConfig",
    "Network",
    "NetworkConfig",
    "WaveUNet",
    "WaveUNetConfig",
    "WindowConfig",
    "build",
    "calibrate_gain",
    "import_model",
    "import_released",
    "load",
    "load_rooms",
    "load_settings",
    "mix_stream",
    "read_released",
    "save",
    "scale_front_end",
    "set_front_end",
    "share_stream",
    "start_as_sum",
    "widen_front_end",
]
