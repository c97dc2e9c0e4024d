from .compression import match_compression
from .config import DEFAULT_EFFECTS, EFFECT_ORDER, NormalizationConfig
from .dataset import normalize_dataset, tabulate_reports
from .equalization import match_equalization
from .features import DatasetFeatures
from .figures import features_figure, features_table
from .impulse_responses import ImpulseResponse, load_impulse_responses
from .loudness import normalize_loudness
from .measure import measure_features
from .normalizer import FxNormalizer, NormalizedStem
from .onsets import detect_onsets, mean_peak
from .panning import match_panning, position

__all__ = [
    "DEFAULT_EFFECTS",
    "EFFECT_ORDER",
    "DatasetFeatures",
    "FxNormalizer",
    "ImpulseResponse",
    "NormalizationConfig",
    "NormalizedStem",
    "detect_onsets",
    "features_figure",
    "features_table",
    "load_impulse_responses",
    "match_compression",
    "match_equalization",
    "match_panning",
    "mean_peak",
    "measure_features",
    "normalize_dataset",
    "normalize_loudness",
    "position",
    "tabulate_reports",
]
