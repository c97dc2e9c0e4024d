"""Equivalence against the textbook's formula and at its stated rate."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from fxnorm.listening import AnalysisConfig
from fxnorm.listening.equivalence import equivalence

CONFIG = AnalysisConfig(margin=0.1)


def as_items(differences: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame({"human": 0.5, "ours": 0.5 + differences})
    names = [(f"p{row:03d}", "song") for row in range(len(frame))]
    frame.index = pd.MultiIndex.from_tuples(names, names=["participant", "song"])
    return frame


def test_it_is_the_larger_of_two_one_sided_t_tests() -> None:
    differences = np.random.default_rng(0).normal(0.02, 0.1, 12)
    row = equivalence(as_items(differences), CONFIG).iloc[0]
    error = differences.std(ddof=1) / np.sqrt(12)
    above = scipy.stats.t(11).sf((differences.mean() + 0.1) / error)
    below = scipy.stats.t(11).cdf((differences.mean() - 0.1) / error)
    assert row["p"] == pytest.approx(max(above, below))
    reach = scipy.stats.t(11).ppf(0.95) * error
    assert row["high"] - row["low"] == pytest.approx(2 * reach)
    # The interval at 90 % lies within the margin exactly where p is below 5 %.
    assert row["equivalent"] == (row["low"] > -0.1 and row["high"] < 0.1)


def test_a_difference_as_large_as_the_margin_is_rarely_called_none() -> None:
    rng = np.random.default_rng(1)
    draws = [equivalence(as_items(rng.normal(0.1, 0.1, 20)), CONFIG) for _ in range(1000)]
    rate = np.mean([draw["equivalent"].item() for draw in draws])
    # 5 %, give or take three standard errors.
    assert rate == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 1000))


def test_holm_counts_the_systems() -> None:
    rng = np.random.default_rng(2)
    items = as_items(rng.normal(0.0, 0.1, 12)).assign(wun=0.5 + rng.normal(0.05, 0.1, 12))
    table = equivalence(items, CONFIG)
    assert table["p_holm"].min() == pytest.approx(2 * table["p"].min())


@pytest.mark.parametrize(("shift", "p"), [(0.0, 0.0), (0.05, 0.0), (0.1, 1.0), (-0.2, 1.0)])
def test_where_all_say_the_same_the_margin_decides(shift: float, p: float) -> None:
    assert equivalence(as_items(np.full(5, shift)), CONFIG)["p"].item() == p


def test_one_participant_shows_nothing() -> None:
    row = equivalence(as_items(np.zeros(1)), CONFIG).iloc[0]
    assert np.isnan(row["p"])
    assert not row["equivalent"]
