"""What an effect of the chain is: how it is applied, described and, where it measures, measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fxnorm.normalization.impulse_responses import ImpulseResponse
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.stems import StemType

#: Keys of what an effect reports about each channel.
CHANNEL_NAMES = ("left", "right")


@dataclass(frozen=True)
class Context:
    """What an effect goes by beside the audio."""

    stem_type: StemType
    """Settings of the stem's type."""
    config: NormalizationConfig
    """Settings of the chain."""
    draws: np.random.Generator
    """Where random choices come from."""
    reference: np.ndarray
    """The data set's average of the effect's feature; empty for effects without one."""
    strength: float = 1.0
    """Fraction of the change to apply, above 0."""
    impulse_responses: Sequence[ImpulseResponse] = ()
    """The set that the effect draws from."""


@dataclass(frozen=True)
class Outcome:
    """What an effect made of a stem."""

    channels: np.ndarray
    """(2, samples) float32."""
    report: dict[str, Any] | None
    """What was done, of plain JSON types; None when the stem was left alone."""
    warnings: tuple[str, ...] = ()
    """What a user should know."""
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    """By channel, the gain in dB that was applied to each band of the effect's grid from 0 Hz to
    half the sample rate."""


@dataclass(frozen=True)
class Curve:
    """How a reference over frequency is shown."""

    column: str
    """Name of its column in tables."""
    shown: Callable[[np.ndarray], np.ndarray]
    """From the reference's values to the ones shown."""


@dataclass(frozen=True)
class Feature:
    """What an effect measures and matches to the data set's average, its reference."""

    shape: tuple[int, ...]
    """Of the measurement and of the reference."""
    limits: tuple[float, float]
    """Least and greatest value of a reference; others are no measurement and may overflow."""
    measure: Callable[[np.ndarray], np.ndarray | None]
    """From (2, samples) float32, padded with `PADDING` zeros at both ends, to float64; None for a
    stem that does not count."""
    title: str
    """What it is, over its figure."""
    label: str
    """Of the figure's axis, with the unit."""
    smooth: Callable[[np.ndarray, StemType], np.ndarray] = lambda average, _: average
    """Of an average, given the stem type; applied twice, as in the released code."""
    numbers: Callable[[np.ndarray], dict[str, float]] = lambda _: {}
    """The reference in a few numbers, whose names end in their units."""
    curve: Curve | None = None
    """For references over frequency (one value per bin of long-term spectra). Others are a value
    and perhaps a spread."""


@dataclass(frozen=True)
class Effect:
    """An effect of the chain."""

    apply: Callable[[np.ndarray, Context], Outcome]
    """To (2, samples) float32, contiguous."""
    describe: Callable[[Mapping[str, Any]], str]
    """What a report says, in a few words."""
    feature: Feature | None = None
    """What it measures; None for effects that match nothing."""
    impulse_responses: Literal["impulse_responses", "pre_impulse_responses"] | None = None
    """The set that it needs, by the name of `FxNormalizer`'s argument."""
