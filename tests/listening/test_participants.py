"""Reliability against independent calculations."""

import math

import numpy as np
import pandas as pd
import pytest
from simulated_ratings import simulate_table

from fxnorm.listening.participants import reliability
from fxnorm.listening.power import Listeners

ITEMS = ["criterion", "song", "system"]
NOTHING = pd.DataFrame(columns=["participant", *ITEMS, "rating"])


def make_ratings() -> pd.DataFrame:
    means = {"human": 0.7, "ours": 0.7, "wun": 0.3}
    return simulate_table(means, 8, Listeners(songs=3), np.random.default_rng(0))


def test_reliability_finds_the_one_who_turns_the_scale_round() -> None:
    ratings = make_ratings()
    contrary = ratings["participant"] == "p00"
    ratings.loc[contrary, "rating"] = 1.0 - ratings.loc[contrary, "rating"]
    ratings.loc[ratings["participant"] == "p01", "rating"] = 0.5
    table = reliability(ratings, NOTHING).set_index("participant")
    assert table.loc["p00", "correlation"] < -0.8
    assert table.loc["p02", "correlation"] > 0.8
    assert table.loc["p01", "range"] == 0.0
    assert math.isnan(table.loc["p01", "correlation"])
    assert set(table["songs"]) == {3}
    others = ratings[ratings["participant"] != "p02"]
    mine = ratings[ratings["participant"] == "p02"].set_index(ITEMS)["rating"]
    expected = np.corrcoef(mine, others.groupby(ITEMS)["rating"].mean().reindex(mine.index))[0, 1]
    assert table.loc["p02", "correlation"] == pytest.approx(expected)


def test_what_was_rated_twice_shows_how_consistent_a_participant_is() -> None:
    ratings = make_ratings()
    again = ratings[(ratings["participant"] == "p02") & (ratings["song"] == "song 1")].copy()
    again["rating"] += [0.1, -0.2, 0.2]
    table = reliability(ratings, again).set_index("participant")
    assert table.loc["p02", "repeats"] == 3
    assert table.loc["p02", "repeat_error"] == pytest.approx(math.sqrt((0.01 + 0.04 + 0.04) / 3))
    first = ratings.loc[again.index, "rating"]
    expected = np.corrcoef(first, again["rating"])[0, 1]
    assert table.loc["p02", "repeat_correlation"] == pytest.approx(expected)
    assert table.loc["p03", "repeats"] == 0
    assert math.isnan(table.loc["p03", "repeat_error"])
