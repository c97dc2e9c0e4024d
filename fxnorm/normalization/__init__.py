"""Effect normalisation: stems brought to a data set's average spectrum, dynamics and position."""

from typing import Any

from fxnorm.normalization.compression import match_compression
from fxnorm.normalization.config import DEFAULT_EFFECTS, EFFECT_ORDER, NormalizationConfig
from fxnorm.normalization.dataset import normalize_dataset, tabulate_reports
from fxnorm.normalization.equalization import match_equalization
from fxnorm.normalization.features import DatasetFeatures
from fxnorm.normalization.impulse_responses import ImpulseResponse, load_impulse_responses
from fxnorm.normalization.loudness import normalize_loudness
from fxnorm.normalization.measure import measure_features
from fxnorm.normalization.normalizer import FxNormalizer, NormalizedStem
from fxnorm.normalization.onsets import detect_onsets, mean_peak
from fxnorm.normalization.panning import match_panning, position

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


def __getattr__(name: str) -> Any:
    # Imported on first use: matplotlib and pandas are slow to load, and few need them.
    if name in ("features_figure", "features_table"):
        from fxnorm.normalization import figures

        return getattr(figures, name)
    raise AttributeError(f"module 'fxnorm.normalization' has no attribute {name!r}")
