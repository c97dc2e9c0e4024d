from .report import (
    EvaluatedSong,
    Report,
    build_report,
    write_report,
    write_report_page,
)
from .song_comparison import compare_with_real_music, describe_mix, rounded
from .song_comparison_figure import comparison_figure
from .tables import (
    published_table,
    read_published,
    results_table,
    to_csv,
    to_latex,
    to_markdown,
)

__all__ = [
    "EvaluatedSong",
    "Report",
    "build_report",
    "compare_with_real_music",
    "comparison_figure",
    "describe_mix",
    "published_table",
    "read_published",
    "results_table",
    "rounded",
    "to_csv",
    "to_latex",
    "to_markdown",
    "write_report",
    "write_report_page",
]
