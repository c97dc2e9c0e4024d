"""The compressor against its static curve, its time constants and a slow second implementation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.effects import compress
from fxnorm.effects.compressor import (
    compress_levels,
    gain_reduction_db,
    level_db,
    smoothing,
)
from fxnorm.errors import FxNormError

SAMPLE_RATE = 44_100


def slow_compress(x, threshold, ratio, attack_ms, release_ms):
    attack, release = (math.exp(-1 / (0.001 * SAMPLE_RATE * t)) for t in (attack_ms, release_ms))
    state, out = 0.0, []
    for sample in x.astype(float):
        level = -120.0 if abs(sample) < 1e-6 else 20 * math.log10(abs(sample))
        wanted = level
        if ratio > 1 and level >= threshold:
            wanted = threshold + (level - threshold) / ratio
        if ratio < 1 and level <= threshold:
            wanted = threshold + (level - threshold) * ratio
        e = level - wanted
        coefficient = attack if e > state else release
        state = coefficient * state + (1 - coefficient) * e
        out.append(sample * 10 ** (-state / 20))
    return np.array(out)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(0, 5000),
    level=st.floats(-130, 10),
    threshold=st.floats(-60, 0),
    ratio=st.one_of(st.floats(1.01, 30), st.floats(0.03, 1.0)),
    attack_ms=st.floats(0.1, 800),
    release_ms=st.floats(0.1, 800),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_setting_agrees_with_a_slow_implementation(
    samples, level, threshold, ratio, attack_ms, release_ms, seed
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(samples) * 10 ** ((level + rng.uniform(-40, 0, samples)) / 20)
    x[rng.random(samples) < 0.05] = 0.0
    x = x.astype(np.float32)
    ours = compress(x, SAMPLE_RATE, threshold, ratio, attack_ms, release_ms)
    slow = slow_compress(x, threshold, ratio, attack_ms, release_ms)
    assert ours.dtype == np.float32
    # Two roundings to single precision.
    np.testing.assert_allclose(ours, slow, rtol=2e-7, atol=1e-37)


@pytest.mark.parametrize("ratio", [2.0, 4.0, 20.0, 0.5, 0.1])
def test_static_curve(ratio: float) -> None:
    """A constant comes to the level that the static curve gives."""
    threshold = -20.0
    for level in (-40.0, -21.0, -19.0, -6.0):
        x = np.full(SAMPLE_RATE, 10 ** (level / 20), np.float32)
        out_db = 20 * math.log10(compress(x, SAMPLE_RATE, threshold, ratio, 1.0, 1.0)[-1])
        acts = level >= threshold if ratio > 1 else level <= threshold
        slope = 1 / ratio if ratio > 1 else ratio
        expected = threshold + (level - threshold) * slope if acts else level
        assert out_db == pytest.approx(expected, abs=1e-5)  # single precision of the level


def test_time_constants_on_steps() -> None:
    """The gain reduction covers 1 − 1/e of a step in the time constant, up and down."""
    attack_ms, release_ms = 7.5, 40.0
    loud = np.full(SAMPLE_RATE, 10 ** (-10 / 20), np.float32)
    quiet = np.full(SAMPLE_RATE, 10 ** (-40 / 20), np.float32)
    x = np.concatenate([quiet, loud, quiet])
    reduction = gain_reduction_db(
        level_db(x),
        -20.0,
        4.0,
        smoothing(attack_ms, SAMPLE_RATE),
        smoothing(release_ms, SAMPLE_RATE),
    )
    full = 7.5  # dB: (−10 + 20) · (1 − 1/4)
    one_constant = SAMPLE_RATE + round(attack_ms * 1e-3 * SAMPLE_RATE) - 1
    assert reduction[one_constant] == pytest.approx(full * (1 - math.exp(-1)), rel=5e-3)
    one_constant = 2 * SAMPLE_RATE + round(release_ms * 1e-3 * SAMPLE_RATE) - 1
    assert reduction[one_constant] == pytest.approx(full * math.exp(-1), rel=5e-3)
    assert reduction[2 * SAMPLE_RATE - 1] == pytest.approx(full, abs=1e-5)


def test_blocks_continue_where_the_last_one_ended() -> None:
    rng = np.random.default_rng(0)
    levels = rng.uniform(-60, 0, 5000)
    coefficients = (-30.0, 3.0, smoothing(5.0, SAMPLE_RATE), smoothing(50.0, SAMPLE_RATE))
    whole = gain_reduction_db(levels, *coefficients)
    first = gain_reduction_db(levels[:1234], *coefficients)
    second = gain_reduction_db(levels[1234:], *coefficients, initial_db=float(first[-1]))
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)


def test_levels_of_anything() -> None:
    x = np.array([0.0, 9.9e-7, -9.9e-7, 1.1e-6, -1.0, 0.5, 4.0, 1e-20], np.float32)
    levels = level_db(x)
    np.testing.assert_array_equal(levels[[0, 1, 2, 7]], -120.0)
    expected = 20 * np.log10(np.abs(x[3:7].astype(float)))
    np.testing.assert_allclose(levels[3:7], expected, atol=1e-12)


def test_strength_scales_the_reduction_in_decibels() -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000).astype(np.float32)
    settings_ = (level_db(x), -30.0, 4.0, smoothing(5.0, SAMPLE_RATE), smoothing(50.0, SAMPLE_RATE))
    full, half = compress_levels(x, *settings_), compress_levels(x, *settings_, strength=0.5)
    np.testing.assert_array_equal(compress_levels(x, *settings_, strength=0.0), x)
    heard = np.abs(x) > 1e-3
    np.testing.assert_allclose(np.sqrt(full[heard] / x[heard]), half[heard] / x[heard], rtol=1e-6)


def test_silence_and_ratio_one_change_nothing() -> None:
    silence = np.zeros(1000, np.float32)
    np.testing.assert_array_equal(compress(silence, SAMPLE_RATE, -40, 0.1, 5, 50), silence)
    x = np.random.default_rng(0).uniform(-1, 1, 1000).astype(np.float32)
    np.testing.assert_array_equal(compress(x, SAMPLE_RATE, -40, 1.0, 5, 50), x)
    assert compress(x[:0], SAMPLE_RATE, -40, 4.0, 5, 50).shape == (0,)


@pytest.mark.parametrize(("attack_ms", "release_ms"), [(0.0, 0.0), (0.0, 50.0), (5.0, 0.0)])
def test_no_time_constant_follows_at_once(attack_ms, release_ms) -> None:
    x = np.float32([0.01, 0.5, 0.5, 0.01, 0.01])
    y = compress(x, SAMPLE_RATE, -20.0, 4.0, attack_ms, release_ms)
    shortest = [max(t, 1e-4) for t in (attack_ms, release_ms)]
    np.testing.assert_allclose(y, compress(x, SAMPLE_RATE, -20.0, 4.0, *shortest), rtol=1e-6)
    if attack_ms == 0.0:
        # 4:1 above -20 dB: the level's excess shrinks to a quarter in the very first sample.
        excess_db = 20 * math.log10(0.5) + 20.0
        assert 20 * math.log10(y[1]) == pytest.approx(-20.0 + excess_db / 4, abs=1e-4)


def test_negative_times_are_refused() -> None:
    with pytest.raises(FxNormError, match="-1 ms"):
        compress(np.ones(3, np.float32), SAMPLE_RATE, -20.0, 4.0, -1.0, 10.0)
