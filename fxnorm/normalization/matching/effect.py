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
    """What an effect goes by beside the audio.

    Attributes:
        stem_type: settings of the stem's type.
        config: settings of the chain.
        draws: where random choices come from.
        reference: the data set's average of the effect's feature; empty for effects without one.
        strength: fraction of the change to apply, above 0.
        impulse_responses: the set that the effect draws from.
    """

    stem_type: StemType
    config: NormalizationConfig
    draws: np.random.Generator
    reference: np.ndarray
    strength: float = 1.0
    impulse_responses: Sequence[ImpulseResponse] = ()


@dataclass(frozen=True)
class Outcome:
    """What an effect made of a stem.

    Attributes:
        channels: (2, samples) float32.
        report: what was done, of plain JSON types; None when the stem was left alone.
        warnings: what a user should know.
        curves: by channel, the gain in dB that was applied to each band of the effect's grid from
            0 Hz to half the sample rate.
    """

    channels: np.ndarray
    report: dict[str, Any] | None
    warnings: tuple[str, ...] = ()
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """How a reference over frequency is shown.

    Attributes:
        column: name of its column in tables.
        shown: from the reference's values to the ones shown.
    """

    column: str
    shown: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Feature:
    """What an effect measures and matches to the data set's average, its reference.

    Attributes:
        shape: of the measurement and of the reference.
        limits: of a reference's values; what lies outside is no measurement and may overflow.
        measure: from (2, samples) float32, padded with `PADDING` zeros at both ends, to float64;
            None for a stem that does not count.
        title: what it is, over its figure.
        label: of the figure's axis, with the unit.
        smooth: of an average, given the stem type; applied twice, as in the released code.
        numbers: the reference in a few numbers, whose names end in their units.
        curve: for references over frequency (one value per bin of long-term spectra). Others are
            a value and perhaps a spread.
    """

    shape: tuple[int, ...]
    limits: tuple[float, float]
    measure: Callable[[np.ndarray], np.ndarray | None]
    title: str
    label: str
    smooth: Callable[[np.ndarray, StemType], np.ndarray] = lambda average, _: average
    numbers: Callable[[np.ndarray], dict[str, float]] = lambda _: {}
    curve: Curve | None = None


@dataclass(frozen=True)
class Effect:
    """An effect of the chain.

    Attributes:
        apply: to (2, samples) float32, contiguous.
        describe: what a report says, in a few words.
        feature: what it measures; None for effects that match nothing.
        impulse_responses: the set that it needs, by the name of `FxNormalizer`'s argument.
    """

    apply: Callable[[np.ndarray, Context], Outcome]
    describe: Callable[[Mapping[str, Any]], str]
    feature: Feature | None = None
    impulse_responses: Literal["impulse_responses", "pre_impulse_responses"] | None = None
