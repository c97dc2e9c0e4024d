"""Stem types: their table, its defaults and its faults."""

import pytest

from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.normalization import NormalizationConfig
from fxnorm.stems import DEFAULT_STEMS, StemType, default_stem_type, in_order


def test_known_types_come_first_in_their_order() -> None:
    assert in_order(["violin", "other", "guitar", "vocals"]) == (
        "vocals",
        "other",
        "guitar",
        "violin",
    )
    assert in_order(reversed(STEMS)) == STEMS


def test_the_default_types_are_the_conventional_ones() -> None:
    assert tuple(DEFAULT_STEMS) == STEMS


def test_types_have_the_table_s_settings_else_the_defaults() -> None:
    config = NormalizationConfig.parse({"stems": {"drums": {"attack_ms": 3.0}, "guitar": {}}}, "x")
    assert config.stem_type("drums").attack_ms == 3.0
    assert config.stem_type("drums").compressor_ratio == DEFAULT_STEMS["drums"].compressor_ratio
    assert config.stem_type("bass") == DEFAULT_STEMS["bass"] == default_stem_type("bass")
    assert config.stem_type("guitar") == config.stem_type("harp") == StemType()
    assert NormalizationConfig().stems == dict(DEFAULT_STEMS)


@pytest.mark.parametrize("bins", [150, 2, 40_001])
def test_smoothing_windows_are_odd_and_in_range(bins) -> None:
    with pytest.raises(FxNormError, match=r"stems\.bass\.eq_smoothing_bins"):
        NormalizationConfig.parse({"stems": {"bass": {"eq_smoothing_bins": bins}}}, "x")
