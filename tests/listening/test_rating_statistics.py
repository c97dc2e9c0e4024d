"""Rank statistics against independent calculations, and on songs that lack a system."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from simulated_ratings import simulate_table

from fxnorm.listening import AnalysisConfig
from fxnorm.listening.power import Listeners
from fxnorm.listening.rating_statistics import (
    friedman,
    make_items,
    make_units,
    pairwise,
    summarize_ratings,
    system_order,
)

CONFIG = AnalysisConfig(human="a")
QUICK = AnalysisConfig(human="a", resamples=500)


def as_items(values: np.ndarray | pd.DataFrame, columns: str = "abc") -> pd.DataFrame:
    """One song, a participant per row."""
    frame = pd.DataFrame(values)
    frame.columns = list(columns[: frame.shape[1]])
    names = [(f"p{row:02d}", "song") for row in range(len(frame))]
    frame.index = pd.MultiIndex.from_tuples(names, names=["participant", "song"])
    return frame


def test_a_participants_songs_are_one_observation_unless_asked_otherwise() -> None:
    means = {"human": 0.7, "ours": 0.7, "wun": 0.3}
    ratings = simulate_table(means, 8, Listeners(songs=3), np.random.default_rng(0))
    items = make_items(ratings, ["human", "ours", "wun"])
    units = make_units(items, AnalysisConfig())
    assert units.shape == (8, 3)
    own = ratings[(ratings["participant"] == "p02") & (ratings["system"] == "wun")]["rating"]
    assert units.loc["p02", "wun"] == pytest.approx(own.mean())
    assert make_units(items, AnalysisConfig(unit="participant-and-song")).shape == (24, 3)


def test_friedman_is_the_textbooks_formula() -> None:
    items = as_items(np.array([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3]], float))
    # Ranks are the values themselves: column sums 5, 8, 11.
    chi2 = 12 / (4 * 3 * 4) * (5**2 + 8**2 + 11**2) - 3 * 4 * 4
    result = friedman(items, CONFIG)
    assert result["chi2"] == pytest.approx(chi2)
    assert result["w"] == pytest.approx(chi2 / (4 * 2))
    # The chi-squared distribution with two degrees of freedom.
    assert result["p"] == pytest.approx(math.exp(-chi2 / 2))


def test_friedman_leaves_out_incomplete_observations_and_says_how_many() -> None:
    values = np.random.default_rng(0).random((7, 3))
    complete = friedman(as_items(values[:6]), CONFIG)
    values[6, 1] = np.nan
    assert friedman(as_items(values), CONFIG) == {**complete, "left_out": 1}


@pytest.mark.parametrize("shape", [(5, 2), (1, 3)])
def test_friedman_is_nan_where_it_is_not_defined(shape: tuple[int, int]) -> None:
    assert math.isnan(friedman(as_items(np.random.default_rng(0).random(shape)), CONFIG)["p"])
    assert math.isnan(friedman(as_items(np.ones((4, 3))), CONFIG)["p"])


def exact_signed_rank(difference: np.ndarray) -> tuple[float, float]:
    """p and rank-biserial correlation by going through all signs."""
    ranks = np.argsort(np.argsort(np.abs(difference))) + 1
    observed = np.sum(ranks * np.sign(difference))
    sums = [np.dot(ranks, signs) for signs in itertools.product((-1, 1), repeat=len(difference))]
    return float(np.mean(np.abs(sums) >= abs(observed))), observed / ranks.sum()


def test_pairs_are_tested_exactly_and_corrected_after_holm() -> None:
    items = as_items(np.random.default_rng(1).random((9, 3)))
    items["c"] += 0.4
    table = pairwise(items, CONFIG)
    assert list(zip(table["a"], table["b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    for row in table.itertuples():
        difference = (items[row.a] - items[row.b]).to_numpy()
        p, effect = exact_signed_rank(difference)
        assert row.p == pytest.approx(p)
        assert row.rank_biserial == pytest.approx(effect)
        assert row.difference == pytest.approx(difference.mean())
    # Holm: the smallest p times 3, the next times 2, never falling.
    ordered = table.sort_values("p")
    expected = np.maximum.accumulate(ordered["p"].to_numpy() * [3, 2, 1]).clip(max=1.0)
    np.testing.assert_allclose(ordered["p_holm"], expected)


def test_only_pairs_with_the_human_mix_are_tested_and_corrected_for_if_asked() -> None:
    items = as_items(np.random.default_rng(1).random((9, 4)), "abcd")
    every, held = (
        pairwise(items, AnalysisConfig(human="a", contrasts=which)).set_index(["a", "b"])
        for which in ("all", "human")
    )
    assert list(held.index) == [("a", "b"), ("a", "c"), ("a", "d")]
    pd.testing.assert_series_equal(held["p"], every.loc[held.index, "p"])
    assert held["p_holm"].min() == pytest.approx(min(1.0, 3 * held["p"].min()))


def test_equal_and_missing_pairs_are_handled() -> None:
    nothing = np.nan
    items = as_items(np.array([[0.1, 0.1, nothing], [0.2, 0.2, nothing], [nothing, nothing, 1]]))
    table = pairwise(items, CONFIG).set_index(["a", "b"])
    assert table.loc[("a", "b"), ["p", "p_holm", "rank_biserial"]].tolist() == [1.0, 1.0, 0.0]
    assert table.loc[("a", "c"), "n"] == 0
    assert math.isnan(table.loc[("a", "c"), "p_holm"])


def test_one_sided_preference_has_effect_one() -> None:
    items = as_items(np.stack([np.linspace(0.5, 0.9, 6), np.linspace(0.1, 0.3, 6)], axis=1))
    row = pairwise(items, CONFIG).iloc[0]
    assert row["rank_biserial"] == 1.0
    # All six of one sign: two of 64 sign patterns are as extreme.
    assert row["p"] == pytest.approx(2 / 64)


def test_intervals_hold_the_mean_and_shrink_with_more_participants() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for participants in (10, 1000):
        items = as_items(rng.normal(0.5, 0.1, (participants, 1)))
        row = summarize_ratings(items, QUICK, 0, "clarity").iloc[0]
        assert row["mean_low"] < row["mean"] < row["mean_high"]
        assert row["median_low"] <= row["median"] <= row["median_high"]
        widths.append(row["mean_high"] - row["mean_low"])
    # The normal approximation, 2 * 1.96 * 0.1 / sqrt(1000); 500 resamples leave some 10 % noise.
    assert widths[1] == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(1000), rel=0.15)
    assert widths[0] > 5 * widths[1]


def test_a_single_participant_has_no_interval() -> None:
    row = summarize_ratings(as_items(np.array([[0.5]])), QUICK, 0, "clarity").iloc[0]
    assert row["mean"] == 0.5
    assert math.isnan(row["mean_low"])


def unbalanced() -> pd.DataFrame:
    """No preferences, songs that are rated differently, and the best song lacks a system."""
    listeners = Listeners(songs=4, song_sd=0.3, taste_sd=0.03)
    ratings = simulate_table(dict.fromkeys("abc", 0.5), 14, listeners, np.random.default_rng(2))
    best = ratings.groupby("song")["rating"].mean().idxmax()
    return ratings[(ratings["song"] != best) | (ratings["system"] != "c")]


def test_means_over_different_songs_are_not_compared() -> None:
    ratings = unbalanced()
    items = make_items(ratings, list("abc"))
    # What averaging whatever each system was rated on makes of it.
    wrong = ratings.pivot_table(index="participant", columns="system", values="rating")
    assert friedman(wrong, CONFIG.model_copy(update={"unit": "participant-and-song"}))["p"] < 0.001
    test = friedman(items, CONFIG)
    assert test["p"] > 0.05
    assert (test["n"], test["left_out"]) == (14, 14)
    assert (pairwise(items, CONFIG)["p_holm"] > 0.05).all()
    whole = items.dropna().groupby("participant").mean()
    summary = summarize_ratings(items, QUICK, 0, "clarity").set_index("system")
    assert summary["mean"].to_dict() == pytest.approx(whole.mean().to_dict())


def test_a_pair_is_compared_on_all_songs_that_have_both() -> None:
    items = make_items(unbalanced(), list("abc"))
    table = pairwise(items, CONFIG).set_index(["a", "b"])
    both = (items["a"] - items["b"]).groupby("participant").mean()
    assert table.loc[("a", "b"), "difference"] == pytest.approx(both.mean())
    three = items.dropna()
    both = (three["a"] - three["c"]).groupby("participant").mean()
    assert table.loc[("a", "c"), "difference"] == pytest.approx(both.mean())


def test_without_a_song_that_has_all_systems_each_is_summed_up_by_itself() -> None:
    values = np.array([[0.1, np.nan], [0.3, np.nan], [np.nan, 0.8]])
    summary = summarize_ratings(as_items(values), QUICK, 0, "clarity").set_index("system")
    assert summary["mean"].to_dict() == pytest.approx({"a": 0.2, "b": 0.8})
    assert summary["n"].to_dict() == {"a": 2, "b": 1}


def test_systems_come_in_natural_order_with_the_human_mix_first() -> None:
    names = ["ours10", "Ours2", "human", "ours1", "Über", "2nd"]
    assert system_order(names, "human") == ["human", "2nd", "ours1", "Ours2", "ours10", "Über"]


def test_equal_means_of_ratings_in_another_order_do_not_differ() -> None:
    ratings = [0.1, 0.2, 0.3, 0.7]
    songs = [f"song {number}" for number in range(4)]
    index = pd.MultiIndex.from_product([[f"p{n:02d}" for n in range(12)], songs])
    values = {"a": ratings * 12, "b": ratings[::-1] * 12}
    items = pd.DataFrame(values, index=index.set_names(["participant", "song"]))
    means = make_units(items, CONFIG)
    assert (means["a"] != means["b"]).all()
    assert pairwise(items, CONFIG)["p"].tolist() == [1.0]
