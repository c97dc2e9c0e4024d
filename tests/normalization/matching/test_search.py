"""The search for the first setting, against the scan that defines it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxnorm.normalization.matching.search import FoundSetting, first_success

RATIOS = [4.0, 5.0, 6.0]
THRESHOLDS = np.arange(-10.0, -40.5, -0.5)


def find(curves: np.ndarray, forecasts: np.ndarray, exhaustive: bool = False) -> FoundSetting:
    def excess(ratio: float, threshold: float) -> float:
        return float(curves[RATIOS.index(ratio), round((-10.0 - threshold) * 2)])

    def forecast(ratio: float) -> np.ndarray:
        return forecasts[RATIOS.index(ratio)]

    return first_success(excess, forecast, RATIOS, THRESHOLDS, exhaustive=exhaustive)


@given(st.floats(-5, 12), st.floats(0, 3), st.integers(0, 2**32 - 1))
def test_falling_curves_are_searched_like_scanned_whatever_the_forecast(start, bias, seed) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.exponential(rng.uniform(0.005, 0.4), (3, THRESHOLDS.size))
    curves = start - np.cumsum(steps, axis=1) - np.arange(3)[:, None]
    forecasts = curves + bias * rng.standard_normal(curves.shape)
    found, scanned = find(curves, forecasts), find(curves, forecasts, exhaustive=True)
    assert (found.ratio, found.threshold) == (scanned.ratio, scanned.threshold)
    assert found.reached == scanned.reached
    assert found.excess == scanned.excess
    # A wrong forecast costs trials, a right one saves them: two more at most, to bracket.
    assert find(curves, curves).trials <= scanned.trials + 2


def test_a_good_forecast_needs_few_trials() -> None:
    curves = np.tile(5.0 - 0.4 * np.arange(THRESHOLDS.size), (3, 1))
    found = find(curves, curves + 0.1)
    assert found.threshold == THRESHOLDS[13]
    assert found.trials <= 4
    assert find(curves, curves, exhaustive=True).trials == 14


@pytest.mark.parametrize("dip", [1, 3, 6])
def test_an_earlier_success_near_the_target_is_found(dip: int) -> None:
    """A curve that meets the target, misses it by little, and meets it again."""
    curve = 3.0 - 0.1 * np.arange(THRESHOLDS.size)
    first = int(np.flatnonzero(curve < 0)[0])
    curve[first : first + dip] = 0.2
    curve[first - 1] = -0.05
    curves = np.tile(curve, (3, 1))
    found = find(curves, curves)
    assert found.threshold == THRESHOLDS[first - 1]


def test_without_success_the_last_setting_is_given() -> None:
    curves = np.full((3, THRESHOLDS.size), 4.0)
    found = find(curves, curves)
    assert (found.ratio, found.threshold, found.reached) == (6.0, -40.0, False)
    assert found.trials == 3


def test_a_trial_without_outcome_does_not_hide_a_success() -> None:
    """Where the last threshold leaves no onsets, all before it are tried."""
    curve = np.full(THRESHOLDS.size, 2.0)
    curve[20] = -1.0
    curve[40:] = np.nan
    curves = np.tile(curve, (3, 1))
    found = find(curves, np.full(curves.shape, 2.0))
    assert (found.ratio, found.threshold) == (4.0, THRESHOLDS[20])
