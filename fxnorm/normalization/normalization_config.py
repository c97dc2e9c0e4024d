"""How stems are normalised."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from fxnorm.configuration import Config
from fxnorm.conventions import LARGEST_BAND_GAIN_DB
from fxnorm.normalization.effect_table import default_effects, effect_names, find_effect
from fxnorm.stems import DEFAULT_STEMS, StemTable, StemType, default_stem_type


def _known(effect: str) -> str:
    if effect not in effect_names():
        raise ValueError(f"unknown effect; use one of {', '.join(effect_names())}")
    return effect


EffectName = Annotated[str, AfterValidator(_known)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class NormalizationConfig(Config):
    """Settings of `FxNormalizer`."""

    effects: tuple[EffectName, ...] = Field(default_factory=default_effects)
    """Effects applied, always in the chain's own order; the reverbs need impulse responses."""
    strengths: dict[EffectName, Fraction] = Field(default_factory=dict)
    """Fraction of each effect's change in dB (reverbs: of the wet amplitude); 1 where not named."""
    stems: StemTable = dict(DEFAULT_STEMS)
    """Settings by stem type; types not named here have `fxnorm.stems`' own."""
    released_quirks: bool = False
    """Reproduce the released code's departures from its method (for imported weights)."""
    eq_max_boost_db: Annotated[float, Field(ge=0.0)] = LARGEST_BAND_GAIN_DB
    """Limit in dB of the equaliser's gain in any band; not used with `released_quirks`."""
    panning_max_gain_db: Annotated[float, Field(ge=0.0)] = LARGEST_BAND_GAIN_DB
    """Limit in dB of re-panning's gain in any band; not used with `released_quirks`."""
    expansion: bool = False
    """Expand channels upwards whose peaks lie below the reference."""
    exhaustive: bool = False
    """Try compressor settings one by one: slow, proves what the search finds."""

    @field_validator("effects")
    @classmethod
    def _in_chain_order(cls, effects: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(effect for effect in effect_names() if effect in effects)

    @field_validator("strengths")
    @classmethod
    def _of_the_chain(cls, strengths: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        chain = info.data.get("effects", effect_names())
        for effect in strengths:
            if effect not in chain:
                raise ValueError(
                    f"'{effect}' is not applied, its strength does nothing; applied are"
                    f" {', '.join(chain) or 'no effects'}"
                )
        return strengths

    def adapted(
        self, effects: Sequence[str] | None, strengths: Mapping[str, float] | None
    ) -> "NormalizationConfig":
        """The same with other effects or strengths, where they are given.

        Raises:
            FxNormError: unknown effects, or strengths of effects that are not applied.
        """
        chain = self.effects if effects is None else tuple(effects)
        kept = {name: value for name, value in self.strengths.items() if name in chain}
        changes = {"effects": chain, "strengths": dict(strengths or kept)}
        return NormalizationConfig.parse(self.model_dump() | changes, "normalisation")

    def needs(self, impulse_responses: str) -> bool:
        """Whether an effect draws from a set of impulse responses, by its name in `Effect`."""
        return any(
            find_effect(name).impulse_responses == impulse_responses for name in self.effects
        )

    def stem_type(self, name: str) -> StemType:
        """The settings of a stem type, also of one that `stems` does not have."""
        return self.stems.get(name, default_stem_type(name))
