from .config import EvaluationConfig
from .evaluation import (
    SongMix,
    evaluate_mix,
    evaluate_mixes,
    evaluate_stems,
    load_evaluations,
    read_stem_scores,
    write_stem_scores,
)
from .metrics import (
    GROUPS,
    MixScores,
    compare,
    dynamics_metrics,
    loudness_metrics,
    panning_metrics,
    spectral_metrics,
)
from .scoring import read_scores, score_mixes, score_stems, write_scores
from .statistics import improvement, nested_summary, summarize
from .tables import (
    published_table,
    read_published,
    results_table,
    to_csv,
    to_latex,
    to_markdown,
)
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
    "improvement",
    "load_evaluations",
    "loudness_metrics",
    "nested_summary",
    "panning_metrics",
    "published_table",
    "read_published",
    "read_scores",
    "read_stem_scores",
    "results_table",
    "score_mixes",
    "score_stems",
    "spectral_metrics",
    "summarize",
    "to_csv",
    "to_latex",
    "to_markdown",
    "trim_silence",
    "write_scores",
    "write_stem_scores",
]
