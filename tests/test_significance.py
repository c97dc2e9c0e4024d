"""Tests against enumeration and another library, and where rounding would decide."""

from itertools import product

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.multitest import multipletests

from fxnorm.significance import bootstrap_interval, holm, signed_rank


def enumerated(differences):
    """Exact p and rank-biserial correlation, from the definition."""
    differences = differences[differences != 0]
    ranks = scipy.stats.rankdata(np.abs(differences))
    total = ranks.sum()
    above = ranks[differences > 0].sum()
    signs = np.array(list(product([0.0, 1.0], repeat=len(ranks))))
    sums = signs @ ranks
    p = np.mean(np.abs(sums - total / 2) >= abs(above - total / 2))
    return p, 2 * above / total - 1


def test_p_and_effect_are_the_definitions():
    differences = np.random.default_rng(0).standard_normal(9)
    assert signed_rank(differences) == pytest.approx(enumerated(differences))


@pytest.mark.parametrize("seed", range(5))
def test_rounding_breaks_no_ties(seed):
    steps = np.random.default_rng(seed).integers(0, 21, (14, 2))
    whole = signed_rank((steps[:, 0] - steps[:, 1]).astype(float))
    grid = steps * 5 / 100.0
    assert signed_rank(grid[:, 0] - grid[:, 1]) == whole
    assert signed_rank(1e-12 * (grid[:, 0] - grid[:, 1])) == pytest.approx(whole)


@pytest.mark.parametrize("pairs", [14, 16, 18])
def test_p_is_exact_with_ties_where_scipy_approximates(pairs):
    steps = np.random.default_rng(pairs).integers(-5, 8, pairs).astype(float)
    steps[:3] = [0.0, 2.0, -2.0]
    assert signed_rank(steps) == pytest.approx(enumerated(steps))
    permutations = scipy.stats.PermutationMethod(n_resamples=2**14)
    if pairs == 14:
        exact = scipy.stats.wilcoxon(steps[steps != 0], method=permutations).pvalue
        assert signed_rank(steps)[0] == pytest.approx(exact)
        assert signed_rank(steps)[0] != pytest.approx(scipy.stats.wilcoxon(steps).pvalue, rel=1e-3)


@pytest.mark.parametrize("pairs", [5, 20, 50])
def test_p_without_ties_is_scipys(pairs):
    differences = np.random.default_rng(pairs).normal(0.3, 1.0, pairs)
    expected = scipy.stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank(differences)[0] == pytest.approx(expected, rel=1e-12)


def test_p_of_many_tied_pairs_is_near_the_normal_approximation():
    steps = np.random.default_rng(0).integers(-5, 6, 200).astype(float)
    expected = scipy.stats.wilcoxon(steps, correction=True, method="asymptotic").pvalue
    assert signed_rank(steps)[0] == pytest.approx(expected, rel=0.01)


def test_nothing_to_rank():
    assert signed_rank(np.zeros(5)) == (1.0, 0.0)
    assert np.isnan(signed_rank(np.zeros(0))).all()


def test_the_direction_is_the_ranks_not_the_means():
    differences = np.append(np.linspace(0.05, 0.15, 19), -5.0)
    p, effect = signed_rank(differences)
    assert differences.mean() < 0 < effect
    assert p < 0.01


@pytest.mark.parametrize("p_values", [[0.3], [0.01, 0.04, 0.03, 0.01, 1.0, 0.0, 0.2]])
def test_holm_agrees_with_statsmodels(p_values):
    wanted = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(np.array(p_values)), wanted, atol=1e-12)


def test_holm_does_not_count_tests_that_were_not_made():
    corrected = holm(np.array([0.04, np.nan, 0.01]))
    np.testing.assert_allclose(corrected, [0.04, np.nan, 0.02])
    assert np.isnan(holm(np.full(2, np.nan))).all()


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_intervals_of_few_or_equal_values(method):
    def interval(values):
        rng = np.random.default_rng(0)
        return bootstrap_interval(
            np.array(values), np.mean, rng, confidence=0.9, resamples=200, method=method
        )

    assert np.isnan(interval([])).all()
    assert np.isnan(interval([0.5])).all()
    assert interval([0.5] * 4) == (0.5, 0.5)
    # By symmetry the ends lie at the same distance from the mean.
    low, high = interval([-1.0, 1.0] * 20)
    assert low < 0.0 < high
    assert low == pytest.approx(-high, abs=0.1)
