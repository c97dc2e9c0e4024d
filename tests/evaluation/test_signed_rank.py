"""The signed-rank test against enumeration of all signs, and where rounding would decide."""

from itertools import product

import numpy as np
import pytest
import scipy.stats

from fxnorm.evaluation.signed_rank import signed_rank


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


def test_nothing_to_rank():
    assert signed_rank(np.zeros(5)) == (1.0, 0.0)
    assert np.isnan(signed_rank(np.zeros(0))).all()


def test_the_direction_is_the_ranks_not_the_means():
    differences = np.append(np.linspace(0.05, 0.15, 19), -5.0)
    p, effect = signed_rank(differences)
    assert differences.mean() < 0 < effect
    assert p < 0.01
