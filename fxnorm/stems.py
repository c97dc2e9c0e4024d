"""Stem types and how each is normalised."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from fxnorm.configuration import ODD, Config
from fxnorm.conventions import LONG_TERM_BINS, SAMPLE_RATE, STEMS

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = ("mixture",)
#: Ratio with which the search for compressor settings ends.
LARGEST_RATIO = 20


class StemType(Config):
    """How stems of one type are normalised; the defaults serve types that nobody described."""

    reverberated: bool = True
    """Whether the reverbs act on it."""
    eq_smoothing_bins: Annotated[int, Field(ge=3, le=LONG_TERM_BINS), ODD] = 401
    """Window, odd, of the smoothing of the average spectrum, in bins of 0.67 Hz."""
    compressor_ratio: Annotated[int, Field(ge=2, le=LARGEST_RATIO)] = 4
    """Ratio with which the search for compressor settings starts; it ends at 20."""
    attack_ms: Annotated[float, Field(gt=0.0)] = 15.0
    """Attack time of the compressor."""
    release_ms: Annotated[float, Field(gt=0.0)] = 666.0
    """Release time of the compressor."""
    panning_cutoff_hz: Annotated[float, Field(gt=0.0, le=SAMPLE_RATE / 2)] = 16_000.0
    """Frequency above which the stereo position is left alone."""


#: The types of MUSDB18, `STEMS`, with the released code's settings.
DEFAULT_STEMS: Mapping[str, StemType] = {
    "vocals": StemType(attack_ms=7.5, release_ms=400.0),
    "bass": StemType(
        reverberated=False,
        eq_smoothing_bins=151,
        compressor_ratio=5,
        attack_ms=10.0,
        release_ms=500.0,
    ),
    "drums": StemType(
        reverberated=False,
        eq_smoothing_bins=151,
        compressor_ratio=6,
        attack_ms=10.0,
        release_ms=180.0,
        panning_cutoff_hz=6_000.0,
    ),
    "other": StemType(),
}


def default_stem_type(name: str) -> StemType:
    """The settings of a type that no configuration describes."""
    return DEFAULT_STEMS.get(name, StemType())


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Stem types in the project's order: those of `STEMS` first, then the others by name."""
    given = set(names)
    return (*(name for name in STEMS if name in given), *sorted(given - set(STEMS)))


def _with_defaults(data: Any) -> Any:
    """Fill what a description leaves out: from `DEFAULT_STEMS`, or `StemType`'s own defaults."""
    if not isinstance(data, Mapping):
        return data
    for name in data:
        checked_stem_name(name)
    return {
        name: {**DEFAULT_STEMS[name].model_dump(), **values}
        if name in DEFAULT_STEMS and isinstance(values, Mapping)
        else values
        for name, values in data.items()
    }


def checked_stem_name(name: Any) -> str:
    """The name of a stem type, as it is: it becomes names of files, options and columns.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _RESERVED:
        raise ValueError(
            f"stem type {name!r}: give lower-case letters, digits and underscores, a letter"
            f" first, and not {' or '.join(_RESERVED)}"
        )
    return name


#: The name of a stem type in a configuration.
StemName = Annotated[str, AfterValidator(checked_stem_name)]
#: A table of stem types in a configuration: name → settings, of which any may be left out.
StemTable = Annotated[dict[str, StemType], BeforeValidator(_with_defaults), Field(min_length=1)]
