"""Tables as CSV, from a server or from a spreadsheet program."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fxnorm.documents import read_text
from fxnorm.errors import FxNormError

_DELIMITERS = (",", ";", "\t")
#: Row 1 is the header.
_FIRST_ROW = 2


@dataclass(frozen=True)
class CsvTable:
    """A table of text.

    Attributes:
        columns: their names.
        rows: number of each, as spreadsheets count them, and its cells by column.
    """

    columns: tuple[str, ...]
    rows: list[tuple[int, Mapping[str, str]]]


def read_csv_table(path: Path, remedy: str) -> CsvTable:
    """Read a CSV file in UTF-8, with or without byte order mark.

    Spreadsheet programs separate by semicolons where the comma is the decimal sign: such files,
    and those with tabs, are read too, with their decimal commas.

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
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        columns = tuple(name.strip() for name in reader.fieldnames or ())
        reader.fieldnames = list(columns)
        rows = list(enumerate(reader, start=_FIRST_ROW))
    except csv.Error as error:
        raise FxNormError(f"{path}: not a CSV table ({error}); {remedy}") from error
    if not columns or "" in columns or len(set(columns)) < len(columns):
        raise FxNormError(
            f"{path}: not a CSV table (its first row does not name every column once); {remedy}"
        )
    for number, row in rows:
        if None in row or None in row.values():
            raise FxNormError(
                f"{path}, row {number}: has not as many cells as the first row; {remedy}"
            )
    if delimiter != ",":
        rows = [(n, {name: _point(cell) for name, cell in row.items()}) for n, row in rows]
    return CsvTable(columns, [(number, dict(row)) for number, row in rows])


def _point(cell: str) -> str:
    return cell.replace(",", ".") if re.fullmatch(r"-?\d+,\d+", cell) else cell
