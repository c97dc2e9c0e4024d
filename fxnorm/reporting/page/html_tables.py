"""Tables as HTML, sortable by column."""

import math
import re
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from fxnorm.reporting.page.rendering import minus_signs, render
from fxnorm.reporting.tables import Table

_NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_SIGNIFICANT_DIGITS = 3
_MOST_DECIMALS = 4


@dataclass(frozen=True)
class PageTable:
    """A table of the page."""

    name: str
    """What follows "Table 1." in bold."""
    frame: pd.DataFrame
    """Its cells. Numbers are shown with three significant digits of the column's largest value and
    sorted by their full value; text that begins with a number sorts by it. A named index is shown
    as the first columns; column levels become header rows."""
    caption: str
    """Plain text."""
    emphasis: pd.DataFrame | None = None
    """Cells to set in bold, with the frame's shape, index and columns."""


def page_table(table: Table) -> PageTable:
    """A table of `fxnorm.reporting.tables` for the page, the best cells in bold."""
    systems = pd.Index([name for name, _ in table.rows], name=table.row)
    columns = pd.MultiIndex.from_tuples([(column.group, column.label) for column in table.columns])
    texts = [[cell.text() for cell in cells] for _, cells in table.rows]
    best = [[cell.best for cell in cells] for _, cells in table.rows]
    return PageTable(
        table.title,
        pd.DataFrame(texts, index=systems, columns=columns),
        " ".join(table.notes),
        emphasis=pd.DataFrame(best, index=systems, columns=columns),
    )


def table_html(table: PageTable, number: int) -> Markup:
    """The table with its caption, as a figure."""
    frame, emphasis = table.frame, table.emphasis
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    marked = [set() if emphasis is None else _marked(emphasis, column) for column in frame.columns]
    columns = [_cells(frame.iloc[:, place], marks) for place, marks in enumerate(marked)]
    *levels, labels = zip(*_column_names(frame), strict=True)
    return render(
        "table.html",
        number=number,
        name=table.name,
        caption=table.caption,
        group_rows=[
            [_Group(name, len(list(members))) for name, members in groupby(level)]
            for level in levels
        ],
        columns=[
            _Header(label, bool(cells) and all(cell.sort_key is not None for cell in cells))
            for label, cells in zip(labels, columns, strict=True)
        ],
        rows=list(zip(*columns, strict=True)),
    )


class _Header(NamedTuple):
    label: str
    numeric: bool


class _Group(NamedTuple):
    name: str
    width: int


class _Cell(NamedTuple):
    """`sort_key` is None where the column is not numeric, and empty without a value."""

    text: str
    interval: str
    sort_key: str | None
    bold: bool


def _marked(emphasis: pd.DataFrame, column: Hashable) -> set[int]:
    if column not in emphasis.columns:
        return set()
    return {row for row, mark in enumerate(emphasis[column]) if mark}


def _column_names(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The levels of each column's name, the label last."""
    names: list[tuple[Any, ...]]
    names = [name if isinstance(name, tuple) else (name,) for name in frame.columns]
    # A reset index leaves its name in the first level and nothing below: show it at the bottom.
    return [(*("",) * (len(name) - 1), name[0]) if not any(name[1:]) else name for name in names]


def _cells(column: pd.Series, marks: set[int]) -> list[_Cell]:
    cells = []
    for row, (text, value) in enumerate(_texts_and_values(column)):
        main, _, interval = text.partition(" ± ")
        sort_key = None
        if value is not None:
            sort_key = "" if math.isnan(value) else repr(value)
        cells.append(_Cell(main, interval, sort_key, row in marks))
    return cells


def _texts_and_values(column: pd.Series) -> list[tuple[str, float | None]]:
    """Text and sort value of each cell; the value is None where the column is not numeric."""
    if pd.api.types.is_bool_dtype(column):
        return [("yes" if value else "no", None) for value in column]
    if pd.api.types.is_integer_dtype(column):
        return [(minus_signs(str(value)), float(value)) for value in column]
    if pd.api.types.is_float_dtype(column):
        decimals = _decimals(column)
        return [
            ("–", math.nan)
            if pd.isna(value)
            else (minus_signs(f"{value:.{decimals}f}"), float(value))
            for value in column
        ]
    texts = ["" if pd.isna(value) else str(value) for value in column]
    leading = [_NUMBER.match(text) for text in texts]
    if all(match or text in ("", "–", "-") for match, text in zip(leading, texts, strict=True)):
        values = [float(m.group().replace("−", "-")) if m else math.nan for m in leading]
        return [(text or "–", value) for text, value in zip(texts, values, strict=True)]
    return [(text, None) for text in texts]


def _decimals(column: pd.Series) -> int:
    largest = column.abs().replace(math.inf, math.nan).max()
    if pd.isna(largest) or largest == 0.0:
        return _SIGNIFICANT_DIGITS - 1
    decimals = _SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest))
    return min(max(decimals, 0), _MOST_DECIMALS)
