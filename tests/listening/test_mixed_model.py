"""The mixed model against the analysis of variance, and at its stated rate."""

import numpy as np
import pytest
import scipy.stats
from simulated_ratings import simulate_table

from fxnorm.listening import AnalysisConfig
from fxnorm.listening.mixed_model import mixed_model
from fxnorm.listening.power import Listeners

CONFIG = AnalysisConfig(contrasts="human")
SYSTEMS = ["human", "ours", "wun"]
LISTENERS = Listeners(songs=3)
SIMULATIONS = 120


def test_balanced_data_give_the_analysis_of_variances_interval() -> None:
    means = {"human": 0.6, "ours": 0.5, "wun": 0.55}
    ratings = simulate_table(means, 8, Listeners(songs=3, taste_sd=0.2), np.random.default_rng(0))
    table = mixed_model(ratings, SYSTEMS, CONFIG)
    cells = ratings.groupby(["participant", "system"])["rating"].mean().unstack()[SYSTEMS]
    left = cells.sub(cells.mean(axis=1), axis=0) - cells.mean() + cells.to_numpy().mean()
    error = np.sqrt(2.0 / 8.0 * (left.to_numpy() ** 2).sum() / (7 * 2))
    for row in table.itertuples():
        difference = cells[row.a].mean() - cells[row.b].mean()
        assert row.difference == pytest.approx(difference, abs=1e-6)
        reach = scipy.stats.t(14).ppf(0.975) * error
        assert row.high - row.low == pytest.approx(2 * reach, rel=1e-3)
        p = 2 * scipy.stats.t(14).sf(abs(difference) / error)
        assert row.p == pytest.approx(p, rel=1e-2)


def rate(means: dict[str, float], *, unbalanced: bool, seed: int) -> float:
    """How often the model finds a difference between ours and the human mix."""
    found = 0
    for number in range(SIMULATIONS):
        rng = np.random.default_rng([seed, number])
        ratings = simulate_table(means, 8, LISTENERS, rng)
        if unbalanced:
            # One song lacks ours, and a participant stopped after the first.
            ratings = ratings[(ratings["song"] != "song 2") | (ratings["system"] != "ours")]
            ratings = ratings[(ratings["participant"] != "p03") | (ratings["song"] == "song 1")]
        found += mixed_model(ratings, SYSTEMS, CONFIG)["p"][0] <= 0.05
    return found / SIMULATIONS


@pytest.mark.parametrize("unbalanced", [False, True])
def test_absent_differences_are_found_at_the_stated_rate(unbalanced: bool) -> None:
    found = rate(dict.fromkeys(SYSTEMS, 0.5), unbalanced=unbalanced, seed=1)
    # 5 %, give or take three standard errors.
    assert found == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / SIMULATIONS))


@pytest.mark.parametrize("unbalanced", [False, True])
def test_planted_differences_are_found(unbalanced: bool) -> None:
    means = {"human": 0.6, "ours": 0.35, "wun": 0.6}
    assert rate(means, unbalanced=unbalanced, seed=2) > 0.9


def test_one_participant_and_equal_ratings_show_nothing() -> None:
    means = dict.fromkeys(SYSTEMS, 0.5)
    single = simulate_table(means, 1, LISTENERS, np.random.default_rng(0))
    assert mixed_model(single, SYSTEMS, CONFIG)["p"].isna().all()
    equal = simulate_table(means, 4, LISTENERS, np.random.default_rng(0)).assign(rating=0.5)
    assert mixed_model(equal, SYSTEMS, CONFIG)["p"].isna().all()


def test_a_single_song_is_enough() -> None:
    means = {"human": 0.7, "ours": 0.4, "wun": 0.7}
    ratings = simulate_table(means, 12, Listeners(songs=1), np.random.default_rng(0))
    table = mixed_model(ratings, SYSTEMS, CONFIG)
    assert table["p_holm"][0] < 0.05
    assert table["songs"].tolist() == [1, 1]


@pytest.mark.parametrize("songs", [1, 3])
def test_ratings_without_a_residual_show_nothing(songs: int) -> None:
    means = {"human": 0.9, "ours": 0.5, "wun": 0.5}
    exact = Listeners(songs=songs, level_sd=0.0, taste_sd=0.0, song_sd=0.0, noise_sd=0.0)
    ratings = simulate_table(means, 5, exact, np.random.default_rng(0))
    assert mixed_model(ratings, SYSTEMS, CONFIG)["p"].isna().all()
    # Everybody agrees but for where on the scale: nothing tells ours from wun.
    ratings["rating"] -= 0.01 * ratings["participant"].str[1:].astype(int)
    assert mixed_model(ratings, SYSTEMS, CONFIG)["p"].isna().all()
