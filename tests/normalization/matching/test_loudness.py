"""Loudness: closed forms, its target and its limit.

"Row n" in names of tests: see `normalization_fixtures`.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from normalization_fixtures import SAMPLE_RATE, noise, sine

from fxnorm.audio import integrated_loudness, peak, peak_db
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    normalize_loudness,
)
from fxnorm.normalization.matching.loudness import measure


def test_a_sine_of_997_hz_in_both_channels() -> None:
    """BS.1770: 0 dBFS in one channel reads -3.01 LUFS, in both 0 LUFS."""
    one = sine(997.0, -20.0)
    assert measure(np.stack([one, one], 1), SAMPLE_RATE) == pytest.approx(-20.0, abs=0.05)
    out = normalize_loudness(one, SAMPLE_RATE, -30.0)
    # -0.691 dB and the filter's +0.69 dB at 997 Hz cancel: RMS = peak − 3.01 dB = -30.
    assert peak_db(out) == pytest.approx(-30.0 + 3.01, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(
    seconds=st.floats(0.45, 3.0),
    rate=st.sampled_from([22_050, 44_100, 48_000, 96_000]),
    channels=st.integers(0, 2),
    level_db=st.floats(-60, 40),
    seed=st.integers(0, 99),
)
def test_the_target_is_met_unless_it_would_clip(seconds, rate, channels, level_db, seed) -> None:
    shape = (int(seconds * rate),) + ((channels,) if channels else ())
    x = np.random.default_rng(seed).standard_normal(shape) * 10 ** (level_db / 20)
    y = normalize_loudness(x.astype(np.float32), rate, -18.0)
    assert y.dtype == np.float32
    assert y.shape == shape
    assert peak(y) < 1.0
    reached = integrated_loudness(y, rate)
    if peak(y) < 0.999:
        # 1e-5 LU: the added 1e-10 and single precision.
        assert reached == pytest.approx(-18.0, abs=1e-5)
    else:
        assert reached < -18.0


def test_gain_before_has_no_effect() -> None:
    x = noise(2.0, 0)
    np.testing.assert_allclose(
        normalize_loudness(x, SAMPLE_RATE, -25.0),
        normalize_loudness(x * np.float32(0.05), SAMPLE_RATE, -25.0),
        rtol=1e-5,  # the added 1e-10 weighs more on the quieter one
        atol=1e-9,
    )


@pytest.mark.parametrize("x", [np.zeros((50_000, 2)), np.ones((4000, 2)) * 0.1, np.zeros(0)])
def test_row_5_without_a_loudness_audio_is_unchanged(x) -> None:
    x = x.astype(np.float32)
    np.testing.assert_array_equal(normalize_loudness(x, SAMPLE_RATE, -20.0), x)


@pytest.mark.parametrize("fault", [math.nan, math.inf])
def test_audio_that_is_not_finite_is_refused(fault) -> None:
    x = noise(0.5, 0)
    x[100, 1] = fault
    with pytest.raises(FxNormError, match="NaN or infinite"):
        normalize_loudness(x, SAMPLE_RATE, -20.0)


def test_no_samples_give_no_samples() -> None:
    x = np.zeros((0, 2), np.float32)
    assert normalize_loudness(x, SAMPLE_RATE, -20.0).shape == (0, 2)
