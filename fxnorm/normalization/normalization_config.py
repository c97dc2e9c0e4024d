"""How stems are normalised."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from fxnorm.configuration import Config
from fxnorm.stems import DEFAULT_STEMS, StemTable

Effect = Literal["prereverb", "reverb", "eq", "compression", "panning", "loudness"]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]

#: Every effect, in the order in which the chain applies them.
EFFECT_ORDER: tuple[Effect, ...] = (
    "prereverb",
    "reverb",
    "eq",
    "compression",
    "panning",
    "loudness",
)
#: The chain for processed recordings; dry ones get `prereverb` too.
DEFAULT_EFFECTS: tuple[Effect, ...] = EFFECT_ORDER[1:]


class NormalizationConfig(Config):
    """Settings of `FxNormalizer`."""

    effects: tuple[Effect, ...] = DEFAULT_EFFECTS
    """Effects applied, always in the chain's own order; the reverbs need impulse responses."""
    strengths: dict[Effect, Fraction] = Field(default_factory=dict)
    """Fraction of each effect's change in dB (reverbs: of the wet amplitude); 1 where not named."""
    stems: StemTable = dict(DEFAULT_STEMS)
    """Settings by stem type; types not named here have `fxnorm.stems`' own."""
    released_quirks: bool = False
    """Reproduce the released code's departures from its method (for imported weights)."""
    eq_max_boost_db: Annotated[float, Field(ge=0.0)] = 24.0
    """Limit in dB of the equaliser's gain in any band; not used with `released_quirks`."""
    panning_max_gain_db: Annotated[float, Field(ge=0.0)] = 24.0
    """Limit in dB of re-panning's gain in any band; not used with `released_quirks`."""
    expansion: bool = False
    """Expand channels upwards whose peaks lie below the reference."""
    exhaustive: bool = False
    """Try compressor settings one by one: slow, proves what the search finds."""

    @field_validator("effects")
    @classmethod
    def _in_chain_order(cls, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        return tuple(effect for effect in EFFECT_ORDER if effect in effects)
