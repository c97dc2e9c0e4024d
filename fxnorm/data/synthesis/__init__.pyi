from .generation import synthesize as synthesize
from .synthesis_config import Balance as Balance
from .synthesis_config import EngineerConfig as EngineerConfig
from .synthesis_config import SynthesisConfig as SynthesisConfig
