from .generation import synthesize
from .overview import overview_figure
from .synthesis_config import Balance, EngineerConfig, SynthesisConfig

__all__ = ["Balance", "EngineerConfig", "SynthesisConfig", "overview_figure", "synthesize"]
