"""The key: which song and system each opaque name of a listening test stands for."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from fxnorm.documents import parse_json
from fxnorm.errors import FxNormError, printable
from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.outputs import write_text
from fxnorm.tabulation import csv_text, read_csv_table

#: Name, in the key, of the sum of the dry stems.
REFERENCE = "reference"
#: What webMUSHRA can add by itself: the reference without its highs.
ANCHORS = ("anchor35", "anchor70")

_NEEDED = ("id", "page", "song", "system")
_REMEDY = "take the export's own key"


@dataclass(frozen=True)
class KeyRow:
    """One stimulus."""

    id: str
    """Its opaque name."""
    page: str
    """The name of its song in results files."""
    song: str
    """The song's name."""
    system: str
    """Whose mix it is; `REFERENCE` is the sum of the dry stems."""
    start_s: float
    """Where the excerpt begins in the song, seconds."""
    seconds: float
    """Its length."""
    gain_db: float
    """Gain applied to reach the loudness."""
    lufs: float
    """Integrated loudness measured in the written file."""
    true_peak_dbtp: float
    """True peak measured there."""
    lowered_db: float
    """How far the page stays below the target loudness for the sake of the ceiling."""


#: What the key says of the whole test, on each of its rows.
_TEST_COLUMNS = ("test_id", "criteria", "seed")
#: Columns of the key, in order.
KEY_COLUMNS = (*(field.name for field in fields(KeyRow)), *_TEST_COLUMNS)


@dataclass(frozen=True)
class Stimulus:
    """What an opaque name stands for."""

    page: str
    song: str
    system: str


@dataclass(frozen=True)
class AnswerKey:
    """What results are read with."""

    stimuli: Mapping[str, Stimulus]
    """By opaque name."""
    criteria: Mapping[str, str] | None = None
    """Title of each criterion by its name, in the test's order; None in the keys of old exports,
    which do not hold it."""
    test_id: str | None = None
    """The test's name; None in such keys."""

    @property
    def references(self) -> dict[str, str]:
        """Opaque name of each page's reference."""
        return {
            stimulus.page: name
            for name, stimulus in self.stimuli.items()
            if stimulus.system == REFERENCE
        }


def opaque_id(seed: int, song: str, system: str) -> str:
    """The name of a stimulus: it begins with a letter, as XML ids must, and tells nothing."""
    text = "\0".join([str(seed), "stimulus", song, system])
    return "s" + hashlib.sha256(text.encode()).hexdigest()[:12]


def write_key(path: Path, rows: Iterable[KeyRow], config: ListeningConfig, seed: int) -> None:
    """Write `key.csv`: numbers with three decimals."""
    criteria = {criterion.id: criterion.title for criterion in config.criteria}
    test = (config.test_id, json.dumps(criteria, ensure_ascii=False), seed)
    cells = (
        [
            *(f"{value:.3f}" if isinstance(value, float) else value for value in astuple(row)),
            *test,
        ]
        for row in rows
    )
    write_text(path, csv_text(KEY_COLUMNS, cells))


def read_key(path: str | os.PathLike[str]) -> AnswerKey:
    """Read the `key.csv` of an export.

    Raises:
        FxNormError: missing, not such a file, or changed since the export: a name that comes
            twice, a page with more than one song, or a song or system that its name was not
            given to.
    """
    rows = _rows(Path(path))
    stimuli: dict[str, Stimulus] = {}
    for number, row in rows:
        place = f"{path}, row {number}"
        if row["id"] in stimuli:
            raise FxNormError(f"{place}: '{row['id']}' is there twice; {_REMEDY}")
        seed = row.get("seed", "")
        if seed and row["id"] != opaque_id(_parsed_seed(seed, place), row["song"], row["system"]):
            raise FxNormError(
                f"{place}: '{row['id']}' is not the name that the export gave to '{row['system']}'"
                f" of '{row['song']}'; {_REMEDY}"
            )
        song, system = printable(row["song"]), printable(row["system"])
        stimuli[row["id"]] = Stimulus(row["page"], song, system)
    _check_pages(path, stimuli)
    return AnswerKey(stimuli, _criteria(path, rows), _only(path, rows, "test_id"))


def _rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    table = read_csv_table(path, "give the key.csv of the export")
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise FxNormError(
            f"{path}: has no column '{missing[0]}'; give the key.csv of the export, whose columns"
            f" are {', '.join(KEY_COLUMNS)}"
        )
    if not table.rows:
        raise FxNormError(f"{path}: names no stimuli; {_REMEDY}")
    return table.rows


def _check_pages(path: str | os.PathLike[str], stimuli: Mapping[str, Stimulus]) -> None:
    songs: dict[str, str] = {}
    pages: dict[str, str] = {}
    seen = set()
    for stimulus in stimuli.values():
        song = songs.setdefault(stimulus.page, stimulus.song)
        page = pages.setdefault(stimulus.song, stimulus.page)
        if (song, page) != (stimulus.song, stimulus.page):
            raise FxNormError(
                f"{path}: the songs '{song}' and '{stimulus.song}' and the pages '{page}' and"
                f" '{stimulus.page}' are mixed up; {_REMEDY}"
            )
        if (stimulus.song, stimulus.system) in seen:
            raise FxNormError(
                f"{path}: '{stimulus.song}' has two mixes of '{stimulus.system}'; {_REMEDY}"
            )
        seen.add((stimulus.song, stimulus.system))


def _only(
    path: str | os.PathLike[str], rows: list[tuple[int, Mapping[str, str]]], column: str
) -> str | None:
    values = {row.get(column, "") for _, row in rows}
    if len(values) > 1:
        raise FxNormError(f"{path}: rows differ in '{column}'; {_REMEDY}")
    return values.pop() or None


def _criteria(
    path: str | os.PathLike[str], rows: list[tuple[int, Mapping[str, str]]]
) -> dict[str, str] | None:
    text = _only(path, rows, "criteria")
    if text is None:
        return None
    try:
        criteria = parse_json(text)
        return {str(name): printable(str(title)) for name, title in criteria.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise FxNormError(
            f"{path}: the column 'criteria' holds no names with titles; {_REMEDY}"
        ) from error


def _parsed_seed(text: str, place: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FxNormError(f"{place}: the seed is not a number; {_REMEDY}") from None
