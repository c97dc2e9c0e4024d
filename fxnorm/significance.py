"""Paired tests and intervals that evaluations and listening tests share."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy

#: What agrees to so many decimals, of the scale or the largest, differs by rounding: it is a tie.
TIE_DECIMALS = 9
#: The most pairs for which p is exact; the normal approximation is as good beyond.
_MOST_EXACT = 200
#: The fewest values that vary.
LEAST_VALUES = 2


def signed_rank(differences: np.ndarray) -> tuple[float, float]:
    """Wilcoxon signed-rank test of paired differences; zeros are left out.

    Args:
        differences: one per pair, finite.

    Returns:
        Two-sided p, and the matched-pairs rank-biserial correlation (Kerby 2014), -1 to 1: the
        direction that the test speaks of, which need not be the mean's. NaN without pairs; p is 1
        where nothing differs. p is exact, also with ties, for up to `_MOST_EXACT` pairs.
    """
    if differences.size == 0:
        return math.nan, math.nan
    if not differences.any():
        return 1.0, 0.0
    ties = np.round(differences / np.abs(differences).max(), TIE_DECIMALS)
    ties = ties[ties != 0.0]
    ranks = scipy.stats.rankdata(np.abs(ties))
    above = float(ranks[ties > 0.0].sum())
    effect = 4.0 * above / (ties.size * (ties.size + 1)) - 1.0
    if ties.size <= _MOST_EXACT:
        return _exact_p(ranks, above), effect
    return float(scipy.stats.wilcoxon(ties).pvalue), effect


def _exact_p(ranks: np.ndarray, above: float) -> float:
    """Two-sided p over all 2^n signs of ranks, among which may be ties.

    With ties scipy's `wilcoxon` goes through the signs one by one, and so takes the normal
    approximation or random signs for more than 13 pairs. The share of signs that reach each sum
    needs only one pass over the ranks, which are multiples of a half.
    """
    steps = np.rint(2.0 * ranks).astype(int)
    ways = np.zeros(steps.sum() + 1)
    ways[0] = 1.0
    for step in steps:
        shifted = np.zeros_like(ways)
        shifted[step:] = ways[: ways.size - step]
        ways = 0.5 * (ways + shifted)
    place = round(2.0 * above)
    tail = min(ways[: place + 1].sum(), ways[place:].sum())
    return float(min(1.0, 2.0 * tail))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down correction: the k-th smallest of n times n - k + 1, made monotone.

    The same as statsmodels' `multipletests`, which runs the garbage collector on every call.

    Args:
        p_values: one per test; NaN where there was none, which stays NaN and does not count.
    """
    corrected = np.full(len(p_values), math.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested])]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected


def bootstrap_interval(
    values: np.ndarray,
    statistic: Callable[..., Any],
    rng: np.random.Generator,
    *,
    confidence: float,
    resamples: int,
    method: Literal["BCa", "percentile"],
) -> tuple[float, float]:
    """Interval of a statistic over resampled values.

    Args:
        values: one per song or participant, finite.
        statistic: such as `np.mean`; takes `axis`.
        rng: draws the resamples.
        confidence: coverage, 0 to 1.
        resamples: how many.
        method: see `scipy.stats.bootstrap`.

    Returns:
        Lower and upper end: NaN for fewer than two values, the value itself where all are equal.
    """
    if len(values) < LEAST_VALUES:
        return math.nan, math.nan
    if np.ptp(values) == 0.0:
        return float(values[0]), float(values[0])
    interval = scipy.stats.bootstrap(
        (values,),
        statistic,
        n_resamples=resamples,
        confidence_level=confidence,
        method=method,
        rng=rng,
    ).confidence_interval
    return float(interval.low), float(interval.high)
