"""Tables as HTML, sortable by column."""

import math
import re
from collections.abc import Hashable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from fxnorm.reporting.tables import Table

_NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_SIGNIFICANT_DIGITS = 3
_MOST_DECIMALS = 4


@dataclass(frozen=True)
class PageTable:
    """A table of the page.

    Attributes:
        name: what follows "Table 1." in bold.
        frame: its cells. Numbers are shown with three significant digits of the column's largest
            value and sorted by their full value; text that begins with a number sorts by it.
            A named index is shown as the first columns; column levels become header rows.
        caption: plain text.
        emphasis: cells to set in bold, with the frame's shape, index and columns.
    """

    name: str
    frame: pd.DataFrame
    caption: str
    emphasis: pd.DataFrame | None = None


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


def table_html(table: PageTable, number: int) -> str:
    """The table with its caption, as a figure."""
    frame, emphasis = table.frame, table.emphasis
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    marked = [set() if emphasis is None else _marked(emphasis, column) for column in frame.columns]
    columns = [_cells(frame.iloc[:, position]) for position in range(frame.shape[1])]
    rows = []
    for row in range(len(frame)):
        cells = "".join(
            _cell(*column[row], row in marks, first=position == 0)
            for position, (column, marks) in enumerate(zip(columns, marked, strict=True))
        )
        rows.append(f"<tr>{cells}</tr>")
    numeric = [bool(column) and all(value is not None for _, value in column) for column in columns]
    label, name = f"Table {number}", escape(table.name)
    return (
        '<figure class="table">\n'
        f"<figcaption><b>{label}. {name}.</b> {escape(table.caption)}</figcaption>\n"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}: {name}">'
        f"<table>\n<thead>\n{_header(frame, numeric)}\n</thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody>\n</table></div>\n</figure>"
    )


def _marked(emphasis: pd.DataFrame, column: Hashable) -> set[int]:
    if column not in emphasis.columns:
        return set()
    return {row for row, mark in enumerate(emphasis[column]) if mark}


def _header(frame: pd.DataFrame, numeric: list[bool]) -> str:
    names: list[tuple[Any, ...]]
    names = [name if isinstance(name, tuple) else (name,) for name in frame.columns]
    # A reset index leaves its name in the first level and nothing below: show it at the bottom.
    names = [(*("",) * (len(n) - 1), n[0]) if not any(n[1:]) else n for n in names]
    rows = []
    for level in range(len(names[0]) - 1):
        rows.append(f"<tr>{_groups([name[level] for name in names])}</tr>")
    cells = []
    for name, is_numeric in zip(names, numeric, strict=True):
        style = ' class="number"' if is_numeric else ""
        cells.append(
            f'<th scope="col"{style}><button type="button">{escape(str(name[-1]))}</button></th>'
        )
    rows.append(f'<tr class="sort">{"".join(cells)}</tr>')
    return "\n".join(rows)


def _groups(names: list[Any]) -> str:
    cells = []
    start = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or names[end] != names[start]:
            tag = "th" if names[start] else "td"
            scope = ' scope="colgroup"' if names[start] else ""
            text = escape(str(names[start]))
            cells.append(f'<{tag} colspan="{end - start}"{scope}>{text}</{tag}>')
            start = end
    return "".join(cells)


def _cells(column: pd.Series) -> list[tuple[str, float | None]]:
    """Text and sort value of each cell; the value is None where the column is not numeric."""
    if pd.api.types.is_bool_dtype(column):
        return [("yes" if value else "no", None) for value in column]
    if pd.api.types.is_integer_dtype(column):
        return [(_minus(str(value)), float(value)) for value in column]
    if pd.api.types.is_float_dtype(column):
        decimals = _decimals(column)
        return [
            ("–", math.nan) if pd.isna(value) else (_minus(f"{value:.{decimals}f}"), float(value))
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


def _cell(text: str, value: float | None, marked: bool, *, first: bool) -> str:
    main, plus_minus, interval = text.partition(" ± ")
    content = f"<b>{escape(main)}</b>" if marked else escape(main)
    if plus_minus:
        content += f" <small>± {escape(interval)}</small>"
    if value is None:
        return f'<th scope="row">{content}</th>' if first else f"<td>{content}</td>"
    sort_key = "" if math.isnan(value) else repr(value)
    return f'<td class="number" data-value="{sort_key}">{content}</td>'


def _minus(text: str) -> str:
    return text.replace("-", "−")
