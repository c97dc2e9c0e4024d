"""Reading ratings: webMUSHRA, the Web Audio Evaluation Tool, and this project's own formats.

Own CSV: one rating per row, columns `participant`, `stimulus` (the opaque id), `criterion`,
`rating` (0 to 1), and, if known, `seconds` and `comment`. Own JSON: `{"participant": …,
"ratings": […]}` with the other columns as keys of each rating.
"""

import json
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from fxnorm.errors import FxNormError
from fxnorm.listening.stimuli import KEY_COLUMNS, REFERENCE
from fxnorm.listening.tool_formats import split_trial_id

#: Columns of the tidy table, in order.
RATING_COLUMNS = ("participant", "song", "system", "criterion", "rating", "seconds", "comment")

_WEBMUSHRA_COLUMNS = {"trial_id", "rating_stimulus", "rating_score"}
_OWN_COLUMNS = {"participant", "stimulus", "criterion", "rating"}
_WEBMUSHRA_SCALE = 100.0
# Row 1 of a CSV file is its header.
_FIRST_ROW = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Rating:
    """A rating as found in a file; `place` says where, for messages."""

    place: str
    participant: str
    page: str | None
    stimulus: str
    criterion: str
    rating: Any
    seconds: Any
    comment: str


def read_key(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the `key.csv` of an export.

    Raises:
        FxNormError: missing, or not such a file.
    """
    key = _read_csv(Path(path))
    missing = {"id", "page", "song", "system"} - set(key.columns)
    if missing:
        raise FxNormError(
            f"{path}: has no column '{min(missing)}'; give the key.csv of the export, whose columns"
            f" are {', '.join(KEY_COLUMNS)}"
        )
    return key


def read_ratings(paths: Sequence[str | os.PathLike[str]], key: pd.DataFrame) -> pd.DataFrame:
    """One tidy table of all ratings.

    Args:
        paths: webMUSHRA's CSV, the Web Audio Evaluation Tool's XML, our JSON or CSV, mixed freely.
        key: what the opaque ids stand for, as `export_stimuli` or `read_key` gives it.

    Returns:
        participant, song, system, criterion, rating (0 to 1), seconds (NaN where unknown) and
        comment; sorted by the first four.

    Raises:
        FxNormError: names the file and the row of whatever cannot be attributed to a participant,
            song, system and criterion, is not a number in the scale's range, or comes twice.
    """
    if not paths:
        raise FxNormError("no results to read; give at least one file")
    stimuli = {row["id"]: row for row in _records(key)}
    references = {row["page"]: name for name, row in stimuli.items() if row["system"] == REFERENCE}
    rows: list[tuple[Any, ...]] = []
    places: dict[tuple[str, ...], str] = {}
    for path in map(Path, paths):
        for found in _read(path):
            row = _attribute(found, stimuli, references)
            if row[:4] in places:
                raise FxNormError(
                    f"{found.place}: rates again what {places[row[:4]]} rates"
                    f" ({', '.join(row[:4])}); remove one"
                )
            places[row[:4]] = found.place
            rows.append(row)
    if not rows:
        raise FxNormError(f"{paths[0]}: holds no ratings; give files of finished tests")
    table = pd.DataFrame(rows, columns=list(RATING_COLUMNS))
    return table.sort_values(list(RATING_COLUMNS[:4]), ignore_index=True)


def _attribute(
    found: _Rating, stimuli: Mapping[str, Mapping[str, str]], references: Mapping[str, str]
) -> tuple[Any, ...]:
    name = found.stimulus
    if name == REFERENCE and found.page is not None:
        # webMUSHRA's hidden reference.
        name = references.get(found.page, name)
    if name not in stimuli:
        raise FxNormError(
            f"{found.place}: unknown stimulus '{found.stimulus}'; is the key of another export?"
        )
    stimulus = stimuli[name]
    if found.page is not None and found.page != stimulus["page"]:
        raise FxNormError(
            f"{found.place}: stimulus '{name}' belongs to page '{stimulus['page']}', not to"
            f" '{found.page}'"
        )
    for what, text in (("participant", found.participant), ("criterion", found.criterion)):
        if not text:
            raise FxNormError(f"{found.place}: has no {what}; add it")
    rating = _number(found.rating)
    if not 0.0 <= rating <= 1.0:
        raise FxNormError(f"{found.place}: the rating is not a number within its scale; correct it")
    seconds = _number(found.seconds)
    return (
        *(found.participant, stimulus["song"], stimulus["system"], found.criterion),
        *(rating, seconds, found.comment),
    )


def _read(path: Path) -> Iterator[_Rating]:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return _read_waet(path)
    if suffix == ".json":
        return _read_json(path)
    if suffix != ".csv":
        raise FxNormError(f"{path}: unknown kind of results; give .csv, .json or .xml files")
    table = _read_csv(path)
    if set(table.columns) >= _WEBMUSHRA_COLUMNS:
        return _read_webmushra(path, table)
    if set(table.columns) >= _OWN_COLUMNS:
        rows = enumerate(_records(table), start=_FIRST_ROW)
        return (_own(record, f"{path}, row {row}") for row, record in rows)
    raise FxNormError(
        f"{path}: neither webMUSHRA's columns ({', '.join(sorted(_WEBMUSHRA_COLUMNS))}) nor ours"
        f" ({', '.join(sorted(_OWN_COLUMNS))}); give a file of ratings"
    )


def _read_webmushra(path: Path, table: pd.DataFrame) -> Iterator[_Rating]:
    person = _person_columns(path, table)
    for row, record in enumerate(_records(table), start=_FIRST_ROW):
        place = f"{path}, row {row}"
        page, criterion = split_trial_id(record["trial_id"])
        yield _Rating(
            place=place,
            participant=" ".join(record[column] for column in person).strip(),
            page=page,
            stimulus=record["rating_stimulus"],
            criterion=criterion,
            rating=_number(record["rating_score"]) / _WEBMUSHRA_SCALE,
            # In milliseconds there.
            seconds=_number(record.get("rating_time")) / 1000.0,
            comment=record.get("rating_comment", ""),
        )


def _person_columns(path: Path, table: pd.DataFrame) -> list[str]:
    """What tells participants apart: the session's id, else their name, else all they answered."""
    for column in ("session_uuid", "participant"):
        if column in table and (table[column] != "").all():
            return [column]
    columns = list(table.columns)
    if "session_test_id" not in columns:
        raise FxNormError(f"{path}: no column tells participants apart; add 'session_uuid'")
    answers = columns[columns.index("session_test_id") + 1 : columns.index("trial_id")]
    answers = [column for column in answers if column != "session_uuid"]
    if not answers:
        raise FxNormError(f"{path}: no column tells participants apart; add 'session_uuid'")
    return answers


def _read_waet(path: Path) -> Iterator[_Rating]:
    _check_file(path)
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise FxNormError(f"{path}: not XML ({error}); save the results again") from error
    if root.tag != "waetresult":
        raise FxNormError(f"{path}: a '{root.tag}' document; give the tool's 'waetresult' files")
    for page in root.iter("page"):
        name = page.get("ref", "")
        if page.get("state", "complete") != "complete":
            _log.warning("%s: page '%s' was not finished and is left out", path, name)
            continue
        for element in page.findall("audioelement"):
            place = f"{path}, page '{name}', element '{element.get('ref')}'"
            values = element.findall("value")
            if not values and element.get("type") != "outside-reference":
                raise FxNormError(f"{place}: has no rating; remove the page or the file")
            for value in values:
                yield _Rating(
                    place=place,
                    # Without a key the file, one per session, stands for the participant.
                    participant=root.get("key") or path.stem,
                    page=name,
                    stimulus=element.get("ref", ""),
                    criterion=value.get("interface-name", ""),
                    rating=value.text,
                    seconds=_element_timer(element),
                    comment=(element.findtext("comment/response") or "").strip(),
                )


def _element_timer(element: ElementTree.Element) -> str | None:
    for result in element.iter("metricresult"):
        if "elementtimer" in (result.get("id", "") + result.get("name", "")).lower():
            return result.text
    return None


def _read_json(path: Path) -> Iterator[_Rating]:
    _check_file(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        participant, ratings = document["participant"], document["ratings"]
        records = [{"participant": participant, **rating} for rating in ratings]
    except (ValueError, KeyError, TypeError) as error:
        raise FxNormError(
            f"{path}: not a document with 'participant' and 'ratings' ({error}); save the results"
            " again"
        ) from error
    return (_own(record, f"{path}, rating {row}") for row, record in enumerate(records, start=1))


def _own(record: Mapping[str, Any], place: str) -> _Rating:
    missing = _OWN_COLUMNS - set(record)
    if missing:
        raise FxNormError(f"{place}: has no '{min(missing)}'; save the results again")
    return _Rating(
        place=place,
        participant=str(record["participant"]).strip(),
        page=None,
        stimulus=str(record["stimulus"]),
        criterion=str(record["criterion"]),
        rating=record["rating"],
        seconds=record.get("seconds"),
        comment=str(record.get("comment") or ""),
    )


def _read_csv(path: Path) -> pd.DataFrame:
    _check_file(path)
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise FxNormError(f"{path}: not a CSV table ({error}); save the results again") from error


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise FxNormError(f"{path}: no such file")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
