"""What a file of results holds before it is held against the key: sessions with ratings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fxnorm.errors import FxNormError


@dataclass(frozen=True)
class FoundRating:
    """A rating as found in a file."""

    place: str
    """Where, for messages."""
    trial: str
    """The page's whole name where the file has one that holds more than the page, else the page's;
    "" where the file does not tell."""
    page: str | None
    """The song's page, None where the file does not tell."""
    stimulus: str
    """Its opaque name, or what webMUSHRA calls the reference and its anchors."""
    criterion: str
    """Its name."""
    rating: float
    """0 to 1."""
    seconds: float
    """Spent on it, NaN where unknown."""
    comment: str
    """Empty for none."""
    repeated: bool = False
    """The participant rates this for the second time, on purpose."""


@dataclass(frozen=True)
class RatingSession:
    """One run through the test."""

    file: str
    """Name of the file in which it was found."""
    participant: str
    """What tells it from other sessions in tables."""
    name: str
    """What the participant calls themselves, "" where unknown."""
    answers: Mapping[str, str]
    """To the questionnaire, by question."""
    test_id: str | None = None
    """The test's name, None where the file does not tell."""
    identifier: str = ""
    """The session's own, "" where it has none."""
    ratings: list[FoundRating] = field(default_factory=list)
    """All of it."""


def as_rating(value: Any, place: str, scale: float = 1.0) -> float:
    """A rating on a scale from 0 to `scale`, as 0 to 1.

    Raises:
        FxNormError: it is none.
    """
    number = _number_or_nan(value)
    if not 0.0 <= number <= scale:
        raise FxNormError(f"{place}: the rating is not a number within its scale; correct it")
    return number / scale


def as_seconds(value: Any, place: str) -> float:
    """A time, NaN for nothing.

    Raises:
        FxNormError: it is something else.
    """
    if value is None or value == "":
        return math.nan
    number = _number_or_nan(value)
    if not 0.0 <= number < math.inf:
        raise FxNormError(f"{place}: the time is not a number of seconds; correct or empty it")
    return number


def _number_or_nan(value: Any) -> float:
    # JSON's true would count as 1.
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
