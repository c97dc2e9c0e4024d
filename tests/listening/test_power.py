"""Simulated listeners: their spread, and how often the tests find what was planted."""

import numpy as np
import pytest
import scipy.stats
from simulated_ratings import simulate_table

from fxnorm.listening import AnalysisConfig
from fxnorm.listening.power import Listeners, power, power_table, simulate
from fxnorm.listening.rating_statistics import friedman, make_items, pairwise

SIMULATIONS = 250


def test_listeners_differ_as_stated() -> None:
    listeners = Listeners(songs=8, level_sd=0.05, taste_sd=0.03, song_sd=0.02, noise_sd=0.04)
    ratings = simulate([0.5, 0.4, 0.5], 4000, listeners, np.random.default_rng(0))
    np.testing.assert_allclose(ratings.mean(axis=(0, 1)), [0.5, 0.4, 0.5], atol=0.03)
    apart = ratings[:, :, 0] - ratings[:, :, 1]
    # Level and song cancel; taste twice, noise of eight songs twice.
    expected = np.sqrt(2 * 0.03**2 + 2 * 0.04**2 / 8)
    assert apart.mean(axis=1).std() == pytest.approx(expected, rel=0.05)
    assert (apart - apart.mean(axis=1, keepdims=True)).std() == pytest.approx(
        np.sqrt(2 * 0.04**2 * 7 / 8), rel=0.05
    )


def test_the_table_holds_the_same_ratings() -> None:
    means = {"human": 0.6, "ours": 0.5}
    ratings = simulate(list(means.values()), 3, Listeners(songs=2), np.random.default_rng(0))
    table = simulate_table(means, 3, Listeners(songs=2), np.random.default_rng(0))
    row = table[
        (table["participant"] == "p02") & (table["song"] == "song 2") & (table["system"] == "ours")
    ]
    assert row["rating"].item() == ratings[2, 1, 1]
    assert len(table) == 12


def rates(*, unbalanced: bool, difference: float) -> tuple[float, float, float]:
    """How often Friedman finds anything, and pairs ours and wrongly another."""
    config = AnalysisConfig(contrasts="human")
    means = {"human": 0.6, "ours": 0.6 - difference, "wun": 0.6, "base": 0.6}
    found = np.zeros(3)
    for number in range(SIMULATIONS):
        rng = np.random.default_rng([3, number])
        listeners = Listeners(songs=4, song_sd=0.2)
        ratings = simulate_table(means, 14, listeners, rng)
        if unbalanced:
            ratings = ratings[(ratings["song"] != "song 2") | (ratings["system"] != "ours")]
            ratings = ratings[(ratings["participant"] != "p03") | (ratings["song"] == "song 1")]
        items = make_items(ratings, list(means))
        pairs = pairwise(items, config).set_index("b")["p_holm"] <= 0.05
        found += [
            friedman(items, config)["p"] <= 0.05,
            pairs["ours"],
            pairs["wun"] or pairs["base"],
        ]
    return tuple(found / SIMULATIONS)


@pytest.mark.parametrize("unbalanced", [False, True])
def test_absent_differences_are_not_found_beyond_the_stated_rate(unbalanced: bool) -> None:
    friedmans, ours, others = rates(unbalanced=unbalanced, difference=0.0)
    # Binomial: above this with a chance of one in a thousand.
    most = scipy.stats.binom(SIMULATIONS, 0.05).ppf(0.999) / SIMULATIONS
    assert friedmans <= most
    assert ours <= most
    assert others <= most


@pytest.mark.parametrize("unbalanced", [False, True])
def test_planted_differences_are_found(unbalanced: bool) -> None:
    friedmans, ours, others = rates(unbalanced=unbalanced, difference=0.2)
    assert friedmans > 0.9
    assert ours > 0.9
    assert others < 0.1


def test_power_grows_with_participants_and_difference() -> None:
    few, many = (power(0.1, number, simulations=200) for number in (8, 20))
    large = power(0.2, 8, simulations=200)
    assert few < many
    assert few < large
    # Six participants cannot: of five comparisons, the smallest p is 5 * 2 / 64.
    assert power(0.5, 6, simulations=5) == 0.0


def test_power_agrees_with_the_t_tests_formula_for_a_pair() -> None:
    listeners = Listeners(songs=4, level_sd=0.0, song_sd=0.0, taste_sd=0.05, noise_sd=0.08)
    found = power(0.08, 15, systems=2, listeners=listeners, simulations=1000)
    spread = np.sqrt(2 * 0.05**2 + 2 * 0.08**2 / 4)
    shift = 0.08 / spread * np.sqrt(15)
    exact = scipy.stats.nct(14, shift).sf(scipy.stats.t(14).ppf(0.975))
    # The signed-rank test has 95 % of the t-test's efficiency; simulation adds 1.4 %.
    assert found == pytest.approx(exact, abs=0.06)


def test_the_table_has_a_row_per_number_of_participants() -> None:
    table = power_table([4], [0.3, 0.5], systems=2, listeners=Listeners(songs=1))
    assert table.header == ["participants", "difference 0.3", "difference 0.5"]
    assert [row[0] for row in table.rows] == ["4"]
    # Four that agree have p = 2/16.
    assert table.rows[0][1:] == ["0%", "0%"]
