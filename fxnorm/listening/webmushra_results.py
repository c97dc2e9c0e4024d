"""Results of webMUSHRA: one CSV file per test, one row per rating."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fxnorm.errors import FxNormError
from fxnorm.listening.sessions import FoundRating, RatingSession, as_rating, as_seconds
from fxnorm.listening.webmushra import split_trial_id
from fxnorm.tabulation import CsvTable

#: What such a file has, whatever the questionnaire.
WEBMUSHRA_COLUMNS = frozenset({"trial_id", "rating_stimulus", "rating_score"})

_OTHER_COLUMNS = frozenset({"session_test_id", "session_uuid", "rating_time", "rating_comment"})
_SCALE = 100.0
_MILLISECONDS = 1000.0


def read_webmushra(path: Path, table: CsvTable) -> Iterator[RatingSession]:
    """The sessions of a file, in its order."""
    questions = [name for name in table.columns if name not in WEBMUSHRA_COLUMNS | _OTHER_COLUMNS]
    person = _person_columns(path, table, questions)
    sessions: dict[tuple[str, ...], RatingSession] = {}
    for number, row in table.rows:
        place = f"{path}, row {number}"
        key = tuple(row[column] for column in person)
        if key not in sessions:
            sessions[key] = RatingSession(
                file=path.name,
                participant=" ".join(key).strip(),
                name=row.get("participant", "").strip(),
                answers={name: row[name] for name in questions if name != "participant"},
                test_id=row.get("session_test_id") or None,
                identifier=row.get("session_uuid", ""),
            )
        sessions[key].ratings.append(_rating(row, place))
    yield from sessions.values()


def _rating(row: Mapping[str, str], place: str) -> FoundRating:
    page, criterion = split_trial_id(row["trial_id"])
    return FoundRating(
        place=place,
        trial=row["trial_id"],
        page=page,
        stimulus=row["rating_stimulus"],
        criterion=criterion,
        rating=as_rating(row["rating_score"], place, _SCALE),
        seconds=as_seconds(row.get("rating_time"), place) / _MILLISECONDS,
        comment=row.get("rating_comment", ""),
    )


def _person_columns(path: Path, table: CsvTable, questions: list[str]) -> list[str]:
    """What tells participants apart: the session's id, else their name, else all they answered."""
    for column in ("session_uuid", "participant"):
        if column in table.columns and all(row[column].strip() for _, row in table.rows):
            return [column]
    if not questions:
        raise FxNormError(f"{path}: no column tells participants apart; add 'session_uuid'")
    return questions
