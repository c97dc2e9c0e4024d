"""The table of effects: one row each, in the order in which the chain applies them.

Descriptions are imported when they are asked for, so that listing the effects takes no time.
"""

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fxnorm.normalization.matching.effect import Effect, Feature


class Row(NamedTuple):
    """Where an effect is described, and what it does."""

    module: str
    """The module in `matching` that describes it."""
    description: str
    """The name of its `Effect` there."""
    summary: str
    """What it does, for the help of the command."""
    default: bool = False
    """Whether it belongs to the chain where none is named."""


EFFECTS = {
    "prereverb": Row("reverb", "PREREVERB", "a small room, for dry recordings", default=True),
    "reverb": Row("reverb", "REVERB", "reverberation as released music has it", default=True),
    "eq": Row("equalization", "EQUALIZATION", "average spectrum", default=True),
    "compression": Row("compression", "COMPRESSION", "level of the strongest peaks", default=True),
    "panning": Row("panning", "PANNING", "stereo position of every band", default=True),
    "loudness": Row("loudness", "LOUDNESS", "integrated loudness", default=True),
}


def effect_names() -> tuple[str, ...]:
    """The effects in the chain's order."""
    return tuple(EFFECTS)


def default_effects() -> tuple[str, ...]:
    """The effects of the chain where none are named."""
    return tuple(name for name, row in EFFECTS.items() if row.default)


def find_effect(name: str) -> "Effect":
    """The description of an effect in the table."""
    row = EFFECTS[name]
    module = importlib.import_module(f"{__package__}.matching.{row.module}")
    description: Effect = getattr(module, row.description)
    return description


def measured_features() -> "dict[str, Feature]":
    """What the effects measure, by effect, without those that measure nothing."""
    features = {name: find_effect(name).feature for name in EFFECTS}
    return {name: feature for name, feature in features.items() if feature is not None}
