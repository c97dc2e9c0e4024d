"""The table of effects: every row has its description, and listing it is cheap."""

import numpy as np
import pytest
from fresh_process import run_code
from normalization_fixtures import noise

from fxnorm.normalization.effect_table import (
    default_effects,
    effect_names,
    find_effect,
    measured_features,
)
from fxnorm.normalization.matching.effect import Context
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.normalization.normalizer import pad
from fxnorm.stems import StemType


def test_the_chain_s_order() -> None:
    chain = ("prereverb", "reverb", "eq", "compression", "panning", "loudness")
    assert default_effects() == NormalizationConfig().effects == chain
    assert tuple(name for name in effect_names() if name in chain) == chain
    assert effect_names()[-1] == "loudness"


@pytest.mark.parametrize("name", measured_features())
def test_measurement_and_reference_have_the_feature_s_shape(name) -> None:
    effect, channels = find_effect(name), pad(noise(1.0, 0))
    assert effect.feature is not None
    value = effect.feature.measure(channels)
    assert value is not None
    assert value.shape == effect.feature.shape
    assert value.dtype == np.float64
    assert effect.feature.smooth(value, StemType()).shape == effect.feature.shape
    reference = effect.feature.measure(pad(noise(1.0, 1)))
    draws = np.random.default_rng(0)
    outcome = effect.apply(channels, Context(StemType(), NormalizationConfig(), draws, reference))
    assert outcome.channels.shape == channels.shape
    assert outcome.channels.dtype == np.float32
    assert outcome.report is not None
    assert effect.describe(outcome.report)


def test_the_command_line_names_effects_without_loading_them() -> None:
    """Help and the parsing of arguments must not wait for compilers and transforms."""
    code = """
        import sys
        from fxnorm.cli.command import main
        try:
            main(["normalize", "--help"])
        except SystemExit:
            pass
        heavy = {"numba", "scipy", "torch", "pandas", "matplotlib"} & set(sys.modules)
        sys.exit(f"loaded {sorted(heavy)}" if heavy else 0)
    """
    result = run_code(code, check=False)
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in effect_names())
