from .comparison import compare, describe_mix, rounded
from .config import Balance, EngineerConfig, SynthesisConfig
from .figures import comparison_figure
from .generation import synthesize
from .overview import overview_figure

__all__ = [
    "Balance",
    "EngineerConfig",
    "SynthesisConfig",
    "compare",
    "comparison_figure",
    "describe_mix",
    "overview_figure",
    "rounded",
    "synthesize",
]
