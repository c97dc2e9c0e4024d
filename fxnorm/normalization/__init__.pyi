from .dataset_features import DatasetFeatures
from .dataset_normalization import normalize_dataset, tabulate_reports
from .feature_measurement import measure_features
from .features_figure import features_figure, features_table
from .impulse_responses import ImpulseResponse, load_impulse_responses
from .matching.compression import match_compression
from .matching.equalization import match_equalization
from .matching.loudness import normalize_loudness
from .matching.onsets import detect_onsets, mean_peak
from .matching.panning import match_panning, position
from .normalization_config import NormalizationConfig
from .normalizer import FxNormalizer, NormalizedStem

__all__ = [
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
