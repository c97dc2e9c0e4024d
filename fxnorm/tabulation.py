"""Tables as text: CSV, Markdown and LaTeX."""

import csv
import io
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fxnorm.documents import read_text
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    import pandas as pd

_LATEX_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "†": r"\textsuperscript{\dag}", "‡": r"\textsuperscript{\ddag}",
    "±": r"$\pm$", "–": "--", "…": r"\ldots{}",
}  # fmt: skip

#: A backslash would take away the one put before the sign after it.
_TAGS = re.compile(r"[\\|]|<(?=[A-Za-z/!?])")
_TAGS_AND_LINKS = re.compile(rf"{_TAGS.pattern}|\[")
_LINK = re.compile(r"\]\s*[(\[:]")

#: What a spreadsheet program computes, with or without apostrophes that we have put before it. In
#: East Asia, wide signs do as well. "+0.3" and "-0.3 dB" are numbers and text.
_FORMULA = re.compile(
    r"'*(?:[=@\t\r\n\uff1d\uff20\uff0b\uff0d]|[+-](?![\d.])|[+-].*[|!(])", re.DOTALL
)

_DELIMITERS = (",", ";", "\t")
#: Row 1 is the header.
_FIRST_ROW = 2
#: Numbers from here on are damage: no integer of 64 bits, and squares that overflow.
_LARGEST = 2.0**63


@dataclass(frozen=True)
class TextTable:
    """A table of text."""

    header: Sequence[str]
    """A label per column."""
    rows: Sequence[Sequence[str]]
    """A text per column each."""
    alignment: str
    """`l` or `r` per column."""
    groups: Sequence[str] = ()
    """What several columns have in common, "" for nothing, per column."""
    bold: Collection[tuple[int, int]] = ()
    """(row, column) of emphasised cells."""
    rules: Collection[int] = ()
    """Rows with a line above them in LaTeX."""


@dataclass(frozen=True)
class CsvTable:
    """A table of text from a file."""

    columns: tuple[str, ...]
    """Their names."""
    rows: list[tuple[int, Mapping[str, str]]]
    """Number of each, as spreadsheets count them, and its cells by column."""


def to_csv(frame: "pd.DataFrame", digits: int | None = 6) -> str:
    """A frame without its index; see `csv_text`."""
    return csv_text(list(frame.columns), frame.itertuples(index=False, name=None), digits)


def csv_text(
    columns: Sequence[str], rows: Iterable[Iterable[Any]], digits: int | None = None
) -> str:
    """A table as CSV; missing numbers are empty.

    Spreadsheet programs would take names that begin with "=" and the like for formulas: they get an
    apostrophe in front, which `read_csv_table` takes away.

    Args:
        columns: their names.
        rows: cells of each.
        digits: significant ones of floats; None for as many as they need.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(value, digits) for value in row] for row in rows)
    return text.getvalue()


def _csv_cell(value: Any, digits: int | None) -> Any:
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return float(value) if digits is None else f"{value:.{digits}g}"
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _with_formula(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read_csv(
    path: str | os.PathLike[str], columns: Sequence[str], numbers: Mapping[str, type], remedy: str
) -> "pd.DataFrame":
    """Read a table of numbers and text, in which only empty numbers are missing.

    Args:
        path: of the file.
        columns: that it must have, in order.
        numbers: those of them that are no text, with their types.
        remedy: ends messages.

    Raises:
        FxNormError: see `read_csv_table`; or other columns, or anything but finite numbers where
            numbers belong.
    """
    import pandas as pd

    table = read_csv_table(path, remedy)
    if table.columns != tuple(columns):
        raise FxNormError(f"{path}: the columns must be {', '.join(columns)}; {remedy}")
    cells: dict[str, list[str | float]] = {name: [] for name in columns}
    for number, row in table.rows:
        for name, cell in row.items():
            try:
                cells[name].append(_finite_number(cell, numbers[name]) if name in numbers else cell)
            except ValueError:
                raise FxNormError(
                    f"{path}, row {number}: '{name}' can't be '{cell}'; {remedy}"
                ) from None
    return pd.DataFrame(
        {name: pd.Series(values, dtype=numbers.get(name, str)) for name, values in cells.items()}
    )


def read_csv_table(path: str | os.PathLike[str], remedy: str) -> CsvTable:
    """Read a CSV file in UTF-8, with or without byte order mark.

    Spreadsheet programs separate by semicolons where the comma is the decimal sign: such files,
    and those with tabs, are read too, with their decimal commas. Not by pandas, which shifts rows
    that are too long and fills those that are too short. Apostrophes that `csv_text` put before
    formulas are taken away.

    Args:
        path: of the file.
        remedy: ends messages, such as "save the results again".

    Raises:
        FxNormError: no such file, or not such a table.
    """
    text = read_text(path, remedy)
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FxNormError(f"{path}: not a CSV table ({error}); {remedy}") from error
    columns = tuple(name.strip() for name in lines[0]) if lines else ()
    if not columns or "" in columns or len(set(columns)) < len(columns):
        raise FxNormError(
            f"{path}: not a CSV table (its first row does not name every column once); {remedy}"
        )
    rows: list[tuple[int, Mapping[str, str]]] = []
    for number, cells in enumerate(lines[1:], start=_FIRST_ROW):
        if cells and len(cells) != len(columns):
            raise FxNormError(
                f"{path}, row {number}: has {len(cells)} cells in place of {len(columns)}; {remedy}"
            )
        if cells:
            cells = cells if delimiter == "," else [_point(cell) for cell in cells]
            texts = (_with_formula(cell) for cell in cells)
            rows.append((number, dict(zip(columns, texts, strict=True))))
    return CsvTable(columns, rows)


def _point(cell: str) -> str:
    return cell.replace(",", ".") if re.fullmatch(r"-?\d+,\d+", cell) else cell


def _finite_number(cell: str, kind: type) -> float:
    """A finite number; NaN for nothing where numbers may be missing.

    Raises:
        ValueError: it is something else.
    """
    if cell == "" and kind is float:
        return math.nan
    number: float = kind(cell)
    if not abs(number) < _LARGEST:
        raise ValueError
    return number


def to_markdown(table: TextTable) -> str:
    """A pipe table; a column's group stands before its label."""
    groups = table.groups or [""] * len(table.header)
    header = [
        f"{group}: {label}" if group else label
        for group, label in zip(groups, table.header, strict=True)
    ]
    rules = ["---:" if side == "r" else "---" for side in table.alignment]
    rows = [
        [
            f"**{without_tags(text)}**" if (row, column) in table.bold else without_tags(text)
            for column, text in enumerate(cells)
        ]
        for row, cells in enumerate(table.rows)
    ]
    lines = [[without_tags(label) for label in header], rules, *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def to_latex(table: TextTable) -> str:
    """A `tabular` for a document that loads booktabs; groups span their columns."""
    lines = [rf"\begin{{tabular}}{{{table.alignment}}}", r"\toprule"]
    if table.groups:
        lines += _latex_groups(table.groups)
    lines += [_ampersands([latex(label) for label in table.header]), r"\midrule"]
    for row, cells in enumerate(table.rows):
        if row in table.rules:
            lines.append(r"\midrule")
        texts = [
            rf"\textbf{{{latex(text)}}}" if (row, column) in table.bold else latex(text)
            for column, text in enumerate(cells)
        ]
        lines.append(_ampersands(texts))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def latex(text: str) -> str:
    """Plain text for LaTeX: what LaTeX takes for commands is escaped."""
    return "".join(_LATEX_SYMBOLS.get(character, character) for character in text)


def _latex_groups(groups: Sequence[str]) -> list[str]:
    spans, rules, first = [], [], 1
    for name, members in groupby(groups):
        width = len(list(members))
        if name:
            spans.append(rf"\multicolumn{{{width}}}{{c}}{{{latex(name)}}}")
            rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        else:
            spans += [""] * width
        first += width
    return [_ampersands(spans), "".join(rules)]


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def without_tags(text: str) -> str:
    """Text of ours with names in it, for Markdown: no cells, tags or links come from them."""
    return (_TAGS_AND_LINKS if _LINK.search(text) else _TAGS).sub(r"\\\g<0>", text)
