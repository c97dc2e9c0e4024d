"""Reading results of all tools into one table, held against the key of the export."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fxnorm.errors import FxNormError, printable
from fxnorm.listening.answer_key import ANCHORS, REFERENCE, AnswerKey
from fxnorm.listening.own_results import OWN_COLUMNS, read_own_json, read_own_table
from fxnorm.listening.sessions import FoundRating, RatingSession
from fxnorm.listening.waet_results import read_waet
from fxnorm.listening.webmushra_results import WEBMUSHRA_COLUMNS, read_webmushra
from fxnorm.tabulation import read_csv_table

#: Columns of the tidy table, in order.
RATING_COLUMNS = ("participant", "song", "system", "criterion", "rating", "seconds", "comment")

_UNTOUCHED = 1.0
_LEAST_SLIDERS = 2
_SHORT_NAME = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """What participants did."""

    ratings: pd.DataFrame
    """Participant, song, system, criterion, rating (0 to 1), seconds (NaN where unknown) and
    comment; sorted by the first four, each of which comes once."""
    repeats: pd.DataFrame
    """The same of what was rated a second time."""
    participants: pd.DataFrame
    """One row each: participant, name, session, file, and their answers to the questionnaire;
    sorted."""
    excluded: Mapping[str, str]
    """Reason by participant or session that was left out."""


@dataclass(frozen=True)
class Ignored:
    """What is left out of files."""

    pages: Collection[str] = ()
    """Names of pages, as the files have them: for training pages that were added."""
    stimuli: Collection[str] = ()
    """Names of stimuli: for anchors that were added."""
    participants: Mapping[str, str] | None = None
    """Reason by participant, name or session."""


def read_results(
    paths: Sequence[str | os.PathLike[str]], key: AnswerKey, ignored: Ignored | None = None
) -> Results:
    """One tidy table of all ratings, and who gave them.

    What is in the files twice with the same content counts once. Identical copies, names with
    several sessions, and pages on which all is at 100 are warned of.

    Args:
        paths: webMUSHRA's CSV, the Web Audio Evaluation Tool's XML, our JSON or CSV, mixed freely.
        key: see `read_key`.
        ignored: what to leave out.

    Raises:
        FxNormError: names the file and the row of whatever is of another test, cannot be attributed
            to a participant, song, system and criterion, is not a number in the scale's range, or
            comes twice with different values; or nobody is there to be left out.
    """
    if not paths:
        raise FxNormError("no results to read; give at least one file")
    ignored = ignored or Ignored()
    sessions = [_in_one_line(session) for path in paths for session in _read_sessions(Path(path))]
    sessions = _told_apart(sessions)
    sessions, excluded = _without(sessions, ignored.participants or {})
    first, second = _Collected(), _Collected()
    for session in sessions:
        if None not in (session.test_id, key.test_id) and session.test_id != key.test_id:
            raise FxNormError(
                f"{session.file}: results of the test '{session.test_id}', but the key is of"
                f" '{key.test_id}'; give the key of the same export"
            )
        for found in session.ratings:
            if not _is_ignored(found, ignored):
                row = (session.participant, *_attribute(found, key))
                (second if found.repeated else first).add(row, found.place, session.file)
    for file, number in (first.copies + second.copies).items():
        _log.warning("%s: %d ratings are copies of others and are left out", file, number)
    ratings = first.table()
    if ratings.empty:
        raise FxNormError(f"{paths[0]}: holds no ratings; give files of finished tests")
    _warn_of_untouched(ratings)
    return Results(ratings, second.table(), _participants(sessions, ratings), excluded)


def _in_one_line(session: RatingSession) -> RatingSession:
    """Names stand in tables, sentences and messages."""
    name, participant = printable(session.name), printable(session.participant)
    return replace(session, name=name, participant=participant)


class _Collected:
    """Rows of the tidy table, each once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], tuple[tuple[Any, ...], str]] = {}
        self.copies: Counter[str] = Counter()

    def add(self, row: tuple[Any, ...], place: str, file: str) -> None:
        """Take a row, unless it is there.

        Raises:
            FxNormError: it is there with another rating.
        """
        if row[:4] not in self._rows:
            self._rows[row[:4]] = (row, place)
            return
        earlier, where = self._rows[row[:4]]
        if earlier[4] != row[4] or earlier[6] != row[6]:
            raise FxNormError(
                f"{place}: rates again what {where} rates ({', '.join(row[:4])}); remove one"
            )
        self.copies[file] += 1

    def table(self) -> pd.DataFrame:
        table = pd.DataFrame([row for row, _ in self._rows.values()], columns=list(RATING_COLUMNS))
        return table.sort_values(list(RATING_COLUMNS[:4]), ignore_index=True)


def _read_sessions(path: Path) -> Iterator[RatingSession]:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return iter([read_waet(path)])
    if suffix == ".json":
        return read_own_json(path)
    if suffix != ".csv":
        raise FxNormError(f"{path}: unknown kind of results; give .csv, .json or .xml files")
    table = read_csv_table(path, "save the results again")
    if set(table.columns) >= WEBMUSHRA_COLUMNS:
        return read_webmushra(path, table)
    if set(table.columns) >= OWN_COLUMNS:
        return read_own_table(path, table)
    raise FxNormError(
        f"{path}: neither webMUSHRA's columns ({', '.join(sorted(WEBMUSHRA_COLUMNS))}) nor ours"
        f" ({', '.join(sorted(OWN_COLUMNS))}); give a file of ratings"
    )


def _told_apart(sessions: Sequence[RatingSession]) -> list[RatingSession]:
    """Sessions of one name under different participants, with a warning."""
    identifiers: dict[str, dict[str, str]] = defaultdict(dict)
    for session in sessions:
        if session.name:
            identifiers[session.name].setdefault(session.identifier, session.participant)
    result = []
    for session in sessions:
        several = len(identifiers.get(session.name, ())) > 1
        if several and session.participant == session.name and session.identifier:
            label = f"{session.name} ({session.identifier[:_SHORT_NAME]})"
            identifiers[session.name][session.identifier] = label
            session = replace(session, participant=label)
        result.append(session)
    for name, labels in identifiers.items():
        if len(labels) > 1:
            _log.warning(
                "'%s' has %d sessions, which count as different participants (%s); leave one out"
                " with --exclude if it is one person",
                name,
                len(labels),
                ", ".join(labels.values()),
            )
    return result


def _without(
    sessions: Sequence[RatingSession], excluded: Mapping[str, str]
) -> tuple[list[RatingSession], dict[str, str]]:
    kept, found = [], {}
    for session in sessions:
        names = {session.participant, session.name, session.identifier} & set(excluded)
        if names:
            found[session.participant] = excluded[min(names)]
        else:
            kept.append(session)
    known = {name for s in sessions for name in (s.participant, s.name, s.identifier)}
    for name in excluded:
        if name not in known:
            raise FxNormError(
                f"no participant '{name}' to exclude; there are"
                f" {', '.join(sorted({session.participant for session in sessions}))}"
            )
    return kept, found


def _is_ignored(found: FoundRating, ignored: Ignored) -> bool:
    return (
        found.trial in ignored.pages
        or (found.page is not None and found.page in ignored.pages)
        or found.stimulus in ignored.stimuli
    )


def _attribute(found: FoundRating, key: AnswerKey) -> tuple[Any, ...]:
    song, system = _song_and_system(found, key)
    if not found.criterion:
        raise FxNormError(f"{found.place}: has no criterion; add it")
    if key.criteria is not None and found.criterion not in key.criteria:
        raise FxNormError(
            f"{found.place}: the criterion '{found.criterion}' is none of the test's"
            f" ({', '.join(key.criteria)}); leave a page that was added out with --ignore-page"
        )
    return (song, system, found.criterion, found.rating, found.seconds, found.comment)


def _song_and_system(found: FoundRating, key: AnswerKey) -> tuple[str, str]:
    name = found.stimulus
    if found.page is not None and name in (REFERENCE, *ANCHORS):
        # webMUSHRA's hidden reference, and anchors that it makes of it.
        stimulus = key.stimuli.get(key.references.get(found.page, ""))
        if stimulus is not None:
            return stimulus.song, name
    if name not in key.stimuli:
        page = f" on page '{found.trial}'" if found.trial else ""
        raise FxNormError(
            f"{found.place}: unknown stimulus '{name}'{page}; give the key of the same export, or"
            " leave what was added out with --ignore-page or --ignore-stimulus"
        )
    stimulus = key.stimuli[name]
    if found.page is not None and found.page != stimulus.page:
        raise FxNormError(
            f"{found.place}: stimulus '{name}' belongs to page '{stimulus.page}', not to"
            f" '{found.page}'"
        )
    return stimulus.song, stimulus.system


def _warn_of_untouched(ratings: pd.DataFrame) -> None:
    """webMUSHRA's sliders begin at 100: a page where all are there was skipped."""
    for (participant, song, criterion), page in ratings.groupby(
        ["participant", "song", "criterion"], sort=True
    ):
        if len(page) >= _LEAST_SLIDERS and (page["rating"] == _UNTOUCHED).all():
            _log.warning(
                "%s: all mixes of '%s' are at 100 for %s, as untouched sliders are; leave the"
                " participant out with --exclude if they were not rated",
                participant,
                song,
                criterion,
            )


def _participants(sessions: Sequence[RatingSession], ratings: pd.DataFrame) -> pd.DataFrame:
    rated = set(ratings["participant"])
    rows: dict[str, dict[str, str]] = {}
    for session in sessions:
        if session.participant in rated:
            row = rows.setdefault(
                session.participant,
                {
                    "participant": session.participant,
                    "name": session.name,
                    "session": session.identifier,
                    "file": session.file,
                },
            )
            # An answer must not hide what else a row says.
            for question, answer in session.answers.items():
                row.setdefault(f"{question} (answer)" if question in row else question, answer)
    table = pd.DataFrame(list(rows.values()))
    return table.fillna("").sort_values("participant", ignore_index=True)
