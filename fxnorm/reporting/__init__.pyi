from .report import (
    EvaluatedSong,
    Report,
    build_report,
    write_report,
    write_report_page,
)
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
    "published_table",
    "read_published",
    "results_table",
    "to_csv",
    "to_latex",
    "to_markdown",
    "write_report",
    "write_report_page",
]
