from .evaluation_config import EvaluationConfig
from .metrics import (
    GROUPS,
    MixScores,
    compare,
    dynamics_metrics,
    loudness_metrics,
    panning_metrics,
    spectral_metrics,
)
from .mix_evaluation import (
    SongMix,
    evaluate_mix,
    evaluate_mixes,
    evaluate_stems,
    read_stem_scores,
)
from .scoring import read_scores, score_mixes, score_stems, write_scores
from .song_statistics import headline, improvement, nested_summary, summarize
from .trimming import trim_silence

__all__ = [
    "GROUPS",
    "EvaluationConfig",
    "MixScores",
    "SongMix",
    "compare",
    "dynamics_metrics",
    "evaluate_mix",
    "evaluate_mixes",
    "evaluate_stems",
    "headline",
    "improvement",
    "loudness_metrics",
    "nested_summary",
    "panning_metrics",
    "read_scores",
    "read_stem_scores",
    "score_mixes",
    "score_stems",
    "spectral_metrics",
    "summarize",
    "trim_silence",
    "write_scores",
]
