"""Tables as text: CSV, Markdown and LaTeX."""

import io
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from fxnorm.documents import read_text
from fxnorm.errors import FxNormError

_LATEX_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "†": r"\textsuperscript{\dag}", "‡": r"\textsuperscript{\ddag}",
    "±": r"$\pm$", "–": "--", "…": r"\ldots{}",
}  # fmt: skip


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        header: a label per column.
        rows: a text per column each.
        alignment: `l` or `r` per column.
        groups: what several columns have in common, "" for nothing, per column.
        bold: (row, column) of emphasised cells.
        rules: rows with a line above them in LaTeX.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    alignment: str
    groups: Sequence[str] = ()
    bold: Collection[tuple[int, int]] = ()
    rules: Collection[int] = ()


def to_csv(frame: pd.DataFrame, digits: int = 6) -> str:
    """A frame without its index, numbers with so many significant digits."""
    return str(frame.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))


def read_csv(
    path: str | os.PathLike[str], columns: Sequence[str], numbers: Mapping[str, type], remedy: str
) -> pd.DataFrame:
    """Read a table of numbers and text, in which only empty numbers are missing.

    Args:
        path: of the file.
        columns: that it must have, in order.
        numbers: those of them that are no text, with their types.
        remedy: ends messages.

    Raises:
        FxNormError: no such file, other columns, or text where numbers belong.
    """
    text = read_text(path, remedy)
    types = {name: numbers.get(name, str) for name in columns}
    empty = {name: [""] for name in numbers}
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=types, keep_default_na=False, na_values=empty)
    except Exception as error:  # Of pandas, Arrow and Unicode.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FxNormError(f"{path}: not a table of this kind ({reason}); {remedy}") from error
    if list(frame.columns) != list(columns):
        raise FxNormError(f"{path}: the columns must be {', '.join(columns)}; {remedy}")
    return frame


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
            f"**{_pipe_escaped(text)}**" if (row, column) in table.bold else _pipe_escaped(text)
            for column, text in enumerate(cells)
        ]
        for row, cells in enumerate(table.rows)
    ]
    lines = [[_pipe_escaped(label) for label in header], rules, *rows]
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


def _pipe_escaped(text: str) -> str:
    return text.replace("|", r"\|")
