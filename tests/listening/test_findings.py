"""Sentences: what they say, and that they are true."""

import math

import numpy as np
import pandas as pd
import pytest

from fxnorm.listening import AnalysisConfig
from fxnorm.listening.equivalence import equivalence
from fxnorm.listening.findings import equivalences, finding, limits
from fxnorm.listening.rating_statistics import friedman, pairwise

CONFIG = AnalysisConfig()


def as_items(values: dict[str, list[float]]) -> pd.DataFrame:
    frame = pd.DataFrame(values)
    names = [(f"p{row}", "song") for row in range(len(frame))]
    frame.index = pd.MultiIndex.from_tuples(names, names=["participant", "song"])
    return frame


def sentence(items: pd.DataFrame, config: AnalysisConfig = CONFIG) -> str:
    return finding(items, friedman(items, config), pairwise(items, config), config)


def notes(items: pd.DataFrame, config: AnalysisConfig = CONFIG) -> list[str]:
    return limits(items, friedman(items, config), pairwise(items, config), config)


def spread(centre: float, participants: int = 8) -> list[float]:
    return [centre + 0.01 * number for number in range(participants)]


def test_one_sentence_names_what_differs_from_human_and_what_does_not() -> None:
    # Half of the participants like ours as much better as the others like it worse.
    ours = [value + 0.1 * (-1) ** number for number, value in enumerate(spread(0.6))]
    text = sentence(as_items({"human": spread(0.6), "ours": ours, "wun": spread(0.3)}))
    assert text.startswith("Friedman test over 3 systems, 8 participants: χ²(2) = ")
    assert "; rated lower than human: wun (p = 0.023, r = -1.00); no significant" in text
    assert text.endswith("no significant difference from human: ours (p = 1.000, r = 0.00).")
    assert text.count(". ") == 0


def test_systems_have_their_labels_and_better_ones_are_called_so() -> None:
    config = AnalysisConfig(labels={"ours": "Ours (best)", "human": "the engineer"})
    text = sentence(as_items({"human": spread(0.3), "ours": spread(0.6)}), config)
    assert "rated higher than the engineer: Ours (best) (p = 0.008, r = 1.00)." in text


def test_what_rounds_to_nothing_has_no_sign() -> None:
    values = np.array([0.1, 0.2, -0.3, 0.05, -0.02, 0.08, -0.11, 0.001, -0.1001])
    text = sentence(as_items({"human": [0.5] * 9, "ours": list(0.5 + values)}))
    assert "r = 0." in text or "r = -0." in text
    assert "-0.00" not in text


@pytest.mark.parametrize(("participants", "words"), [(1, "1 participant:"), (2, "2 participants:")])
def test_participants_are_counted_in_words(participants: int, words: str) -> None:
    names = ("human", "a", "b")
    items = as_items({name: spread(0.1 * n, participants) for n, name in enumerate(names)})
    assert words in sentence(items)
    single = AnalysisConfig(unit="participant-and-song")
    assert words.replace("participant", "rating").replace(
        ":", " by participant and song:"
    ) in sentence(items, single)


def test_the_reason_for_no_test_is_the_true_one() -> None:
    alike = as_items({name: spread(0.4, 6) for name in ("human", "a", "b")})
    assert ": no difference, as all rate all systems alike; no significant" in sentence(alike)
    pair = as_items({"human": spread(0.4), "a": spread(0.5)})
    assert ": not possible, as it needs three systems and two complete" in sentence(pair)
    assert ": not possible, as it needs" in sentence(as_items({"human": spread(0.4)}))


def test_too_few_to_find_anything_are_told_of() -> None:
    def of(participants: int) -> pd.DataFrame:
        values = {"human": 0.6, "ours": 0.6, "wun": 0.3}
        return as_items({name: spread(value, participants) for name, value in values.items()})

    # Five that agree: p = 2/32, of three comparisons.
    assert notes(of(5)) == ["With 5 participants no pair could have differed significantly."]
    assert notes(of(8)) == []
    # Of two comparisons with the human mix alone, seven are enough: 2 * 2/128.
    assert notes(of(7), AnalysisConfig(contrasts="human")) == []
    assert len(notes(of(6), AnalysisConfig(contrasts="human"))) == 1


def test_what_was_left_out_is_told_of() -> None:
    items = as_items({"human": spread(0.6), "ours": spread(0.5), "wun": spread(0.3)})
    items.iloc[0, 2] = math.nan
    assert notes(items) == [
        "1 of 8 rated page lacks a system: the means and the test of all systems are without them,"
        " pairs without those that lack one of the two."
    ]


def test_means_over_pages_of_their_own_are_told_of() -> None:
    items = as_items({"human": spread(0.6), "ours": spread(0.5), "wun": spread(0.3)})
    items.iloc[:4, 1], items.iloc[4:, 2] = math.nan, math.nan
    assert notes(items)[0].startswith("No page was rated for all systems: each system's mean is")


def test_equivalence_is_told_of_either_way() -> None:
    config = AnalysisConfig(margin=0.1)
    near = [value + 0.01 * (-1) ** number for number, value in enumerate(spread(0.6))]
    items = as_items({"human": spread(0.6), "near": near, "far": spread(0.45)})
    table = equivalence(items, config)
    assert equivalences(table, config) == [
        "near is equivalent to human within ±0.1 (difference 0.00, p < 0.001).",
        "far is not shown to be equivalent to human within ±0.1 (difference -0.15, p = 1.000).",
    ]
    assert equivalences(equivalence(items, AnalysisConfig()), AnalysisConfig()) == []
    single = equivalence(items.iloc[:1], config)
    assert equivalences(single, config)[0] == (
        "near is not shown to be equivalent to human within ±0.1"
        " (from 1 participant, and the test needs two)."
    )
