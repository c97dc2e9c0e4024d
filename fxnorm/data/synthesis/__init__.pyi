from .generation import synthesize
from .synthesis_config import Balance, EngineerConfig, SynthesisConfig

__all__ = ["Balance", "EngineerConfig", "SynthesisConfig", "synthesize"]
