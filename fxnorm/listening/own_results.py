"""Results in this project's own formats, as the test page saves them.

CSV: one rating per row, columns `participant`, `stimulus` (the opaque id), `criterion`, `rating`
(0 to 1), and, if known, `session`, `test_id`, `page`, `trial` (2 for what is rated again),
`seconds` and `comment`; further columns are answers to a questionnaire. JSON: `{"participant": …,
"ratings": […]}`, if known with `session`, `test_id` and `questionnaire`, and the other columns as
keys of each rating.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fxnorm.documents import read_json
from fxnorm.errors import FxNormError
from fxnorm.listening.sessions import FoundRating, RatingSession, as_rating, as_seconds
from fxnorm.tabulation import CsvTable

#: What such a CSV file must have.
OWN_COLUMNS = frozenset({"participant", "stimulus", "criterion", "rating"})

_RATING_KEYS = frozenset({"stimulus", "criterion", "rating"})
_OTHER_COLUMNS = frozenset({"session", "test_id", "page", "trial", "seconds", "comment", "place"})


def read_own_table(path: Path, table: CsvTable) -> Iterator[RatingSession]:
    """The sessions of a CSV file, in its order."""
    questions = [name for name in table.columns if name not in OWN_COLUMNS | _OTHER_COLUMNS]
    sessions: dict[tuple[str, str], RatingSession] = {}
    for number, row in table.rows:
        place = f"{path}, row {number}"
        name = _participant(row["participant"], place)
        key = (name, row.get("session", ""))
        answers = {question: row[question] for question in questions}
        if key not in sessions:
            sessions[key] = RatingSession(
                path.name, name, name, answers, row.get("test_id") or None, key[1]
            )
        if sessions[key].answers != answers:
            raise FxNormError(
                f"{place}: {name} answers otherwise than in the rows before; correct one"
            )
        sessions[key].ratings.append(_rating(row, place))
    yield from sessions.values()


def read_own_json(path: Path) -> Iterator[RatingSession]:
    """The session of a JSON file, or several in a list."""
    document = read_json(path, "save the results again")
    documents = document if isinstance(document, list) else [document]
    for number, one in enumerate(documents, start=1):
        place = f"{path}, session {number}" if isinstance(document, list) else str(path)
        yield _session(path, one, place)


def _session(path: Path, document: Any, place: str) -> RatingSession:
    ratings = document.get("ratings") if isinstance(document, Mapping) else None
    if not isinstance(ratings, list) or "participant" not in document:
        raise FxNormError(
            f"{place}: not a document with 'participant' and 'ratings'; save the results again"
        )
    answers = document.get("questionnaire") or {}
    if not isinstance(answers, Mapping):
        raise FxNormError(f"{place}: 'questionnaire' holds no answers by question; correct it")
    name = _participant(document["participant"], place)
    session = RatingSession(
        file=path.name,
        participant=name,
        name=name,
        answers={str(question): _plain_text(answer) for question, answer in answers.items()},
        test_id=_plain_text(document.get("test_id")) or None,
        identifier=_plain_text(document.get("session")),
    )
    for number, rating in enumerate(ratings, start=1):
        where = f"{place}, rating {number}"
        if not isinstance(rating, Mapping):
            raise FxNormError(f"{where}: not a rating with names and values; save them again")
        if rating.get("participant", document["participant"]) != document["participant"]:
            raise FxNormError(
                f"{where}: is of '{rating['participant']}' in the file of '{name}'; give each"
                " participant a file"
            )
        session.ratings.append(_rating(rating, where))
    return session


def _rating(record: Mapping[str, Any], place: str) -> FoundRating:
    missing = _RATING_KEYS - set(record)
    if missing:
        raise FxNormError(f"{place}: has no '{min(missing)}'; save the results again")
    trial = _plain_text(record.get("trial")) or "1"
    if trial not in ("1", "2"):
        raise FxNormError(f"{place}: trial '{trial}' is neither 1 nor 2; correct it")
    page = _plain_text(record.get("page")) or None
    return FoundRating(
        place=place,
        trial=page or "",
        page=page,
        stimulus=_plain_text(record["stimulus"]),
        criterion=_plain_text(record["criterion"]),
        rating=as_rating(record["rating"], place),
        seconds=as_seconds(record.get("seconds"), place),
        comment=_plain_text(record.get("comment")),
        repeated=trial == "2",
    )


def _participant(value: Any, place: str) -> str:
    text = "" if isinstance(value, bool | list | dict) else _plain_text(value)
    if not text:
        raise FxNormError(f"{place}: has no participant; add it")
    return text


def _plain_text(value: Any) -> str:
    return "" if value is None else str(value).strip()
