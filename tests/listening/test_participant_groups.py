"""Groups of participants: how they are made, and planted differences."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from simulated_ratings import simulate_table

from fxnorm.errors import FxNormError
from fxnorm.listening import AnalysisConfig
from fxnorm.listening.participant_groups import compare_groups, divide
from fxnorm.listening.power import Listeners
from fxnorm.listening.rating_statistics import make_items

CONFIG = AnalysisConfig()


def people(**answers: list[str]) -> pd.DataFrame:
    count = len(next(iter(answers.values())))
    names = [f"p{number:02d}" for number in range(count)]
    return pd.DataFrame({"participant": names, "name": "", "session": "", "file": "", **answers})


def test_numbers_are_divided_at_their_median_and_words_as_they_are() -> None:
    table = people(years=["1", "12", "3", "20", ""], equipment=["h", "l", "h", "", "l"])
    assert divide(table, "years") == {
        "p00": "below 7.5",
        "p02": "below 7.5",
        "p01": "7.5 and more",
        "p03": "7.5 and more",
    }
    assert divide(table, "equipment") == {"p00": "h", "p01": "l", "p02": "h", "p04": "l"}


def test_where_most_answer_the_lowest_number_the_others_are_above() -> None:
    table = people(years=["5", "7", "5", "5"])
    assert set(divide(table, "years").values()) == {"up to 5", "above 5"}


def test_questions_that_make_no_groups_are_refused() -> None:
    table = people(years=["5", "5"], equipment=["h", "h"])
    for question in ("years", "equipment"):
        with pytest.raises(FxNormError, match=f"'{question}' was answered alike by all"):
            divide(table, question)
    with pytest.raises(FxNormError, match=r"nobody was asked 'name'; .* asked years, equipment"):
        divide(table, "name")


def test_a_planted_difference_between_groups_is_found_and_an_absent_one_is_not() -> None:
    means = {"human": 0.6, "liked": 0.6, "same": 0.5}
    rng = np.random.default_rng(0)
    ratings = simulate_table(means, 20, Listeners(), rng)
    young = ratings["participant"] < "p10"
    ratings.loc[young & (ratings["system"] == "liked"), "rating"] += 0.3
    groups = {f"p{n:02d}": "young" if n < 10 else "old" for n in range(20)}
    items = make_items(ratings, list(means))
    table = compare_groups(items, groups, CONFIG).set_index(["system", "group"])
    assert table.loc[("liked", "young"), "p_holm"] < 0.001
    assert table.loc[("same", "young"), "p_holm"] > 0.05
    assert table.loc[("liked", "young"), "n"] == 10
    apart = (
        items["liked"].groupby("participant").mean() - items["human"].groupby("participant").mean()
    )
    both = apart[:10], apart[10:]
    assert table.loc[("liked", "young"), "difference"] == pytest.approx(both[0].mean())
    assert table.loc[("liked", "old"), "p"] == pytest.approx(scipy.stats.kruskal(*both).pvalue)
    assert table.loc["human", ["difference", "p", "p_holm"]].isna().all(axis=None)


def test_equal_differences_are_ties_whatever_ratings_they_are_of() -> None:
    assert 0.5 - 0.9 != 0.3 - 0.7
    names = [(f"p{n:02d}", "song") for n in range(12)]
    index = pd.MultiIndex.from_tuples(names, names=["participant", "song"])
    values = {"human": [0.9] * 6 + [0.7] * 6, "ours": [0.5] * 6 + [0.3] * 6}
    groups = {f"p{n:02d}": "young" if n < 6 else "old" for n in range(12)}
    table = compare_groups(pd.DataFrame(values, index=index), groups, CONFIG)
    assert (table.loc[table["system"] == "ours", "p"] == 1.0).all()
