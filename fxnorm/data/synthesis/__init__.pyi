from .config import Balance, EngineerConfig, SynthesisConfig
from .generation import synthesize
from .overview import overview_figure

__all__ = ["Balance", "EngineerConfig", "SynthesisConfig", "overview_figure", "synthesize"]
