"""The generated multitrack data set: songs composed, performed and mixed by rules."""

from fxnorm.data.synthesis.config import Balance, EngineerConfig, SynthesisConfig
from fxnorm.data.synthesis.generation import synthesize
from fxnorm.data.synthesis.overview import overview_figure

__all__ = ["Balance", "EngineerConfig", "SynthesisConfig", "overview_figure", "synthesize"]
