"""The paper's table of objective metrics: one source, written as CSV, Markdown and LaTeX."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fxnorm import tabulation
from fxnorm.errors import FxNormError
from fxnorm.evaluation.columns import TABLE_COLUMNS, Column
from fxnorm.evaluation.evaluation_config import EvaluationConfig
from fxnorm.evaluation.song_statistics import summarize_scores
from fxnorm.reporting.names import HUMAN, ordered_systems, system_name
from fxnorm.tabulation import TextTable

#: Markers of systems that differ from the baseline.
BETTER, WORSE = "†", "‡"

_PUBLISHED = Path(__file__).with_name("published_metrics.csv")
_PUBLISHED_PREFIX = "paper: "


@dataclass(frozen=True)
class Cell:
    """A mean over songs; NaN where there is none."""

    mean: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    best: bool = False
    marker: str = ""

    def text(self) -> str:
        """Mean ± half the width of its interval, then the marker."""
        if math.isnan(self.mean):
            return "–"
        half = (self.ci_high - self.ci_low) / 2.0
        interval = "" if math.isnan(half) else f" ± {half:.3f}"
        return f"{self.mean:.3f}{interval}{self.marker}"


#: What a row stands for, and its cells.
TableRow = tuple[str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Table:
    """Rows of cells, one per column; `title` and `notes` say what the numbers are.

    `row` is what a row stands for: a system, or a stem type.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()
    row: str = "system"


def results_table(
    summary: pd.DataFrame,
    test_set: str,
    config: EvaluationConfig | None = None,
    columns: tuple[Column, ...] = TABLE_COLUMNS,
    names: Mapping[str, str] = {},
) -> Table:
    """The paper's table for one test set: a row per system, the human mix (0) last.

    Args:
        summary: from `summarize_scores`, all systems.
        test_set: which rows of it.
        config: baseline, confidence and level of significance, for the markers and notes.
        columns: the paper's, or `FURTHER_COLUMNS`.
        names: display names of the systems, in the order of rows.

    Raises:
        FxNormError: no such test set in the summary.
    """
    config = config or EvaluationConfig()
    part = summary[summary["test_set"] == test_set]
    if part.empty:
        raise FxNormError(
            f"there are no scores of test set '{test_set}'; there are "
            f"{', '.join(sorted(summary['test_set'].unique())) or 'none'}"
        )
    by_key = {(row["system"], row["group"], row["metric"]): row for row in part.to_dict("records")}
    rows = [
        (
            system_name(system, names),
            tuple(_table_cell(by_key, system, column, config.significance) for column in columns),
        )
        for system in ordered_systems(part["system"], names)
    ]
    human = (HUMAN, tuple(Cell(0.0) for _ in columns))
    return Table(
        title=f"Objective metrics, {test_set} test set" if test_set else "Objective metrics",
        columns=columns,
        rows=(*_with_best_marked(rows), human),
        notes=_table_notes(part[_has_column(part, columns)], config, names),
    )


def stems_table(stems: pd.DataFrame, config: EvaluationConfig | None = None) -> Table:
    """The paper's columns for normalised stems against the engineer's: a row per stem type.

    Args:
        stems: scores of stems (see `evaluate_stems`).
        config: the interval.
    """
    config = config or EvaluationConfig()
    # A stem type takes the place of a system, and there is nothing to test it against.
    summary = summarize_scores(stems.rename(columns={"stem": "system"}).assign(test_set=""), config)
    table = results_table(summary, "", config)
    return replace(
        table,
        title="Normalised stems against the engineer's, wet test set",
        rows=_without_human(table, lambda cell: replace(cell, best=False)),
        notes=(
            "What normalisation took from every stem type: errors of the normalised stem against "
            "the engineer's where that is heard. "
            f"Mean over songs ± half the width of the {100 * config.confidence:g} % bootstrap "
            "interval",
            *table.notes[1:],
        ),
        row="stem",
    )


def published_table(
    summary: pd.DataFrame,
    test_set: str,
    names: Mapping[str, str] = {},
    *,
    our_data: str,
    same_songs: bool = False,
) -> Table:
    """Our systems' means beside those of the paper's published excerpts.

    Args:
        summary: from `summarize_scores`.
        test_set: which of our test sets.
        names: display names of our systems, in the order of rows.
        our_data: what our test set is, for the note, such as "generated songs".
        same_songs: whether it holds the paper's songs (MUSDB18's test partition).
    """
    ours = results_table(summary, test_set, names=names)
    published = read_published()
    means = published[published["statistic"] == "mean"].set_index("system")
    keys = [f"{column.group}/{column.metric}" for column in TABLE_COLUMNS]
    theirs = [
        (f"{_PUBLISHED_PREFIX}{system}", tuple(Cell(float(row.get(key, math.nan))) for key in keys))
        for system, row in means.iterrows()
    ]
    return Table(
        title=f"Our systems ({test_set or 'all songs'}) beside the paper's published excerpts",
        columns=TABLE_COLUMNS,
        rows=(*_without_human(ours, lambda cell: Cell(cell.mean)), *theirs),
        notes=_published_notes(our_data, same_songs),
    )


def read_published() -> pd.DataFrame:
    """Our metrics of the authors' published excerpts: system, statistic, then `group/metric`."""
    return pd.read_csv(_PUBLISHED, comment="#")


def to_frame(table: Table) -> pd.DataFrame:
    """Tidy: what a row stands for, group, column, metric, mean, ci_low, ci_high, best, marker."""
    return pd.DataFrame(
        [
            {
                table.row: name,
                "group": column.group,
                "column": column.label,
                "metric": column.metric,
                "mean": cell.mean,
                "ci_low": cell.ci_low,
                "ci_high": cell.ci_high,
                "best": cell.best,
                "marker": cell.marker,
            }
            for name, cells in table.rows
            for column, cell in zip(table.columns, cells, strict=True)
        ]
    )


def to_csv(table: Table) -> str:
    """`to_frame` as CSV, 6 significant digits."""
    return tabulation.to_csv(to_frame(table))


def to_markdown(table: Table) -> str:
    """Pipe table with the title above and the notes below; the best value in bold."""
    notes = "".join(f"- {note}\n" for note in table.notes)
    return f"**{table.title}**\n\n{tabulation.to_markdown(_text_table(table))}\n{notes}"


def to_latex(table: Table, label: str) -> str:
    """A `table*` for a document that loads booktabs and graphicx.

    Args:
        table: any.
        label: for `\\ref`.
    """
    caption = tabulation.latex(". ".join([table.title, *table.notes]))
    tabular = tabulation.to_latex(_text_table(table)).rstrip()
    return (
        "\\begin{table*}\n\\centering\n"
        f"\\caption{{{caption}}}\n\\label{{{label}}}\n"
        f"\\resizebox{{\\textwidth}}{{!}}{{%\n{tabular}}}\n"
        "\\end{table*}\n"
    )


def _text_table(table: Table) -> TextTable:
    rows = [(name, *(cell.text() for cell in cells)) for name, cells in table.rows]
    return TextTable(
        header=(table.row, *(column.label for column in table.columns)),
        rows=rows,
        alignment="l" + "r" * len(table.columns),
        groups=("", *(column.group for column in table.columns)),
        bold={
            (row, column)
            for row, (_, cells) in enumerate(table.rows)
            for column, cell in enumerate(cells, start=1)
            if cell.best
        },
        rules={row for row, (name, _) in enumerate(table.rows) if name == HUMAN},
    )


def _table_cell(
    by_key: dict[tuple[str, str, str], Any], system: str, column: Column, significance: float
) -> Cell:
    row = by_key.get((system, column.group, column.metric))
    if row is None:
        return Cell()
    marker = ""
    if row["p_holm"] < significance:
        # The direction of the ranks that were tested; the mean's can be another.
        marker = BETTER if row["rank_biserial"] > 0.0 else WORSE
    return Cell(row["mean"], row["ci_low"], row["ci_high"], marker=marker)


def _without_human(table: Table, change: Callable[[Cell], Cell]) -> tuple[TableRow, ...]:
    return tuple((name, tuple(map(change, cells))) for name, cells in table.rows if name != HUMAN)


def _with_best_marked(rows: Sequence[TableRow]) -> list[TableRow]:
    lowest = [
        min((cell.mean for cell in cells if not math.isnan(cell.mean)), default=math.nan)
        for cells in zip(*(cells for _, cells in rows), strict=True)
    ]
    return [
        (
            name,
            tuple(
                replace(cell, best=cell.mean == least)
                for cell, least in zip(cells, lowest, strict=True)
            ),
        )
        for name, cells in rows
    ]


def _has_column(part: pd.DataFrame, columns: Sequence[Column]) -> list[bool]:
    wanted = {(column.group, column.metric) for column in columns}
    return [key in wanted for key in zip(part["group"], part["metric"], strict=True)]


def _table_notes(
    part: pd.DataFrame, config: EvaluationConfig, names: Mapping[str, str]
) -> tuple[str, ...]:
    counts = part["songs"] + part["left_out"]
    songs = f"{counts.max():.0f} songs"
    if counts.min() < counts.max():
        songs = f"{counts.min():.0f} to {counts.max():.0f} songs, depending on the system"
    notes = [
        f"Errors against the human mix, 0 is best. Mean over {songs} ± half the width of "
        f"the {100 * config.confidence:g} % bootstrap interval; the best mean is bold"
    ]
    if part["p_holm"].notna().any():
        notes.append(
            f"{BETTER} better, {WORSE} worse than {system_name(config.baseline, names)} in the "
            f"same songs (Wilcoxon signed-rank, Holm over the systems, p < {config.significance:g})"
        )
    left_out = part[part["left_out"] > 0]
    if len(left_out):
        notes.append(
            f"In {len(left_out)} cells up to {left_out['left_out'].max():.0f} songs without a "
            "meaningful value are left out (see the notes of the scores)"
        )
    return tuple(notes)


def _published_notes(our_data: str, same_songs: bool) -> tuple[str, ...]:
    notes = [
        f"Our rows: {our_data}, whole songs. Rows '{_PUBLISHED_PREFIX}…': the same metrics of the "
        "authors' published 25-s excerpts of ten MUSDB18 test songs against the human mixes"
    ]
    if same_songs:
        notes.append(
            "Comparable with care: the songs come from the same test set, but theirs are ten "
            "excerpts at the levels at which the authors published them"
        )
    else:
        notes.append(
            "Not comparable as numbers: other songs. Comparable within each block: how the systems "
            "rank, and how far each lies from the normalised sum"
        )
    notes.append(
        "Loudness (LUFS) has no published counterpart, and peak depends on the level at which the "
        "excerpts were exported"
    )
    return tuple(notes)
