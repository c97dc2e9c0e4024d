"""Statistics against independent calculations, and what an analysis writes."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.listening import AnalysisConfig, analyze, analyze_ratings
from fxnorm.listening.rating_statistics import (
    friedman,
    make_blocks,
    pairwise,
    reliability,
    summarize,
)

SYSTEMS = ("human", "ours", "wun")
QUICK = AnalysisConfig(resamples=500)


def make_ratings(
    participants: int = 8, songs: int = 3, criteria: tuple[str, ...] = ("clarity", "excitement")
) -> pd.DataFrame:
    """Human and ours alike, wun clearly worse."""
    rng = np.random.default_rng(0)
    centre = {"human": 0.7, "ours": 0.7, "wun": 0.3}
    rows = [
        (
            *(f"p{p}", f"song {s}", system, criterion),
            *(float(np.clip(centre[system] + 0.08 * rng.standard_normal(), 0, 1)), math.nan, ""),
        )
        for p, s, system, criterion in itertools.product(
            range(participants), range(songs), SYSTEMS, criteria
        )
    ]
    columns = ["participant", "song", "system", "criterion", "rating", "seconds", "comment"]
    return pd.DataFrame(rows, columns=columns)


def test_a_participants_songs_are_one_observation_unless_asked_otherwise() -> None:
    ratings = make_ratings(criteria=("clarity",))
    blocks = make_blocks(ratings, AnalysisConfig())
    assert blocks.shape == (8, 3)
    own = ratings[(ratings["participant"] == "p2") & (ratings["system"] == "wun")]["rating"]
    assert blocks.loc["p2", "wun"] == pytest.approx(own.mean())
    assert make_blocks(ratings, AnalysisConfig(unit="participant-and-song")).shape == (24, 3)


def test_friedman_is_the_textbooks_formula() -> None:
    blocks = pd.DataFrame([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3]], columns=["a", "b", "c"])
    # Ranks are the values themselves: column sums 5, 8, 11.
    chi2 = 12 / (4 * 3 * 4) * (5**2 + 8**2 + 11**2) - 3 * 4 * 4
    result = friedman(blocks.astype(float))
    assert result["chi2"] == pytest.approx(chi2)
    assert result["w"] == pytest.approx(chi2 / (4 * 2))
    # The chi-squared distribution with two degrees of freedom.
    assert result["p"] == pytest.approx(math.exp(-chi2 / 2))


def test_friedman_leaves_out_incomplete_observations_and_says_how_many() -> None:
    blocks = pd.DataFrame(np.random.default_rng(0).random((6, 3)), columns=["a", "b", "c"])
    complete = friedman(blocks)
    blocks.loc[6] = [0.1, np.nan, 0.2]
    assert friedman(blocks) == {**complete, "left_out": 1}


@pytest.mark.parametrize("shape", [(5, 2), (1, 3)])
def test_friedman_is_nan_where_it_is_not_defined(shape: tuple[int, int]) -> None:
    blocks = pd.DataFrame(np.random.default_rng(0).random(shape))
    assert math.isnan(friedman(blocks)["p"])
    assert math.isnan(friedman(pd.DataFrame(np.ones((4, 3))))["p"])


def exact_signed_rank(difference: np.ndarray) -> tuple[float, float]:
    """p and rank-biserial correlation by going through all signs."""
    ranks = np.argsort(np.argsort(np.abs(difference))) + 1
    observed = np.sum(ranks * np.sign(difference))
    sums = [np.dot(ranks, signs) for signs in itertools.product((-1, 1), repeat=len(difference))]
    return float(np.mean(np.abs(sums) >= abs(observed))), observed / ranks.sum()


def test_pairs_are_tested_exactly_and_corrected_after_holm() -> None:
    blocks = pd.DataFrame(np.random.default_rng(1).random((9, 3)), columns=["a", "b", "c"])
    blocks["c"] += 0.4
    table = pairwise(blocks)
    assert list(zip(table["a"], table["b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    for row in table.itertuples():
        difference = (blocks[row.a] - blocks[row.b]).to_numpy()
        p, effect = exact_signed_rank(difference)
        assert row.p == pytest.approx(p)
        assert row.rank_biserial == pytest.approx(effect)
        assert row.difference == pytest.approx(difference.mean())
    # Holm: the smallest p times 3, the next times 2, never falling.
    ordered = table.sort_values("p")
    expected = np.maximum.accumulate(ordered["p"].to_numpy() * [3, 2, 1]).clip(max=1.0)
    np.testing.assert_allclose(ordered["p_holm"], expected)


def test_equal_and_missing_pairs_are_handled() -> None:
    blocks = pd.DataFrame(
        {"a": [0.1, 0.2, np.nan], "b": [0.1, 0.2, np.nan], "c": [np.nan] * 2 + [1]}
    )
    table = pairwise(blocks).set_index(["a", "b"])
    assert table.loc[("a", "b"), ["p", "p_holm", "rank_biserial"]].tolist() == [1.0, 1.0, 0.0]
    assert table.loc[("a", "c"), "n"] == 0
    assert math.isnan(table.loc[("a", "c"), "p_holm"])


def test_one_sided_preference_has_effect_one() -> None:
    blocks = pd.DataFrame({"a": np.linspace(0.5, 0.9, 6), "b": np.linspace(0.1, 0.3, 6)})
    row = pairwise(blocks).iloc[0]
    assert row["rank_biserial"] == 1.0
    # All six of one sign: two of 64 sign patterns are as extreme.
    assert row["p"] == pytest.approx(2 / 64)


def test_intervals_hold_the_mean_and_shrink_with_more_participants() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for participants in (10, 1000):
        blocks = pd.DataFrame({"a": rng.normal(0.5, 0.1, participants)})
        row = summarize(blocks, QUICK, 0, "clarity").iloc[0]
        assert row["mean_low"] < row["mean"] < row["mean_high"]
        assert row["median_low"] <= row["median"] <= row["median_high"]
        widths.append(row["mean_high"] - row["mean_low"])
    # The normal approximation, 2 * 1.96 * 0.1 / sqrt(1000); 500 resamples leave some 10 % noise.
    assert widths[1] == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(1000), rel=0.15)
    assert widths[0] > 5 * widths[1]


def test_a_single_participant_has_no_interval() -> None:
    row = summarize(pd.DataFrame({"a": [0.5]}), QUICK, 0, "clarity").iloc[0]
    assert row["mean"] == 0.5
    assert math.isnan(row["mean_low"])


def test_reliability_finds_the_one_who_turns_the_scale_round() -> None:
    ratings = make_ratings()
    contrary = ratings["participant"] == "p0"
    ratings.loc[contrary, "rating"] = 1.0 - ratings.loc[contrary, "rating"]
    ratings.loc[ratings["participant"] == "p1", "rating"] = 0.5
    table = reliability(ratings).set_index("participant")
    assert table.loc["p0", "correlation"] < -0.8
    assert table.loc["p2", "correlation"] > 0.8
    assert table.loc["p1", "range"] == 0.0
    assert math.isnan(table.loc["p1", "correlation"])
    others = ratings[ratings["participant"] != "p2"]
    items = ["criterion", "song", "system"]
    mine = ratings[ratings["participant"] == "p2"].set_index(items)["rating"]
    expected = np.corrcoef(mine, others.groupby(items)["rating"].mean().reindex(mine.index))[0, 1]
    assert table.loc["p2", "correlation"] == pytest.approx(expected)


def test_findings_name_what_differs_from_human_and_what_does_not() -> None:
    ratings = make_ratings()
    # Half of the participants like ours as much better than human as the others like it worse.
    sign = ratings["participant"].str[1].astype(int) % 2 * 2 - 1
    ratings["rating"] = ratings["system"].map({"human": 0.6, "ours": 0.6, "wun": 0.3})
    ratings.loc[ratings["system"] == "ours", "rating"] += 0.1 * sign
    analysis = analyze_ratings(ratings, QUICK)
    for text in analysis.findings.values():
        assert text.startswith("Friedman test over 3 systems, 8 participants: χ²(2) = ")
        assert "wun is rated lower than human (p = 0.0" in text
        assert "No significant difference from human: ours (p = " in text
    assert list(analysis.summary["system"].head(3)) == ["human", "ours", "wun"]


def test_findings_say_when_there_were_too_few_to_find_anything() -> None:
    few = analyze_ratings(make_ratings(participants=5), QUICK).findings["clarity"]
    # Five that agree: p = 2/32, of three comparisons.
    assert few.endswith("With 5 participants none could have been significant.")
    assert "none could" not in analyze_ratings(make_ratings(), QUICK).findings["clarity"]


def test_the_dry_sum_is_left_out_of_the_statistics() -> None:
    ratings = make_ratings()
    extra = ratings[ratings["system"] == "ours"].assign(system="reference", rating=0.0)
    # Rated in one tool only: it must not make observations incomplete.
    with_reference = pd.concat([ratings, extra.head(4)], ignore_index=True)
    plain, analysis = analyze_ratings(ratings, QUICK), analyze_ratings(with_reference, QUICK)
    pd.testing.assert_frame_equal(analysis.friedman, plain.friedman)
    pd.testing.assert_frame_equal(analysis.summary, plain.summary)


def test_results_need_the_human_mix() -> None:
    with pytest.raises(FxNormError, match=r"no rating of 'Human'.* name one of human, ours, wun"):
        analyze_ratings(make_ratings(), AnalysisConfig(human="Human"))


def write_results(folder: Path) -> tuple[Path, Path]:
    ratings = make_ratings()
    pairs = ratings[["song", "system"]].drop_duplicates().reset_index(drop=True)
    key = pairs.assign(
        id=[f"s{number:03d}" for number in range(len(pairs))],
        page=pairs["song"].str.replace("song ", "song0"),
    )
    key.to_csv(folder / "key.csv", index=False)
    results = ratings.merge(key, on=["song", "system"]).rename(columns={"id": "stimulus"})
    columns = ["participant", "stimulus", "criterion", "rating", "comment"]
    results[columns].to_csv(folder / "results.csv", index=False)
    return folder / "results.csv", folder / "key.csv"


def test_an_analysis_is_written_whole_and_the_same_each_time(tmp_path) -> None:
    results, key = write_results(tmp_path)
    analysis = analyze([results], key, tmp_path / "a", QUICK, seed=1)
    analyze([results], key, tmp_path / "b" / "a", QUICK, seed=1)
    assert digest(tmp_path / "a") == digest(tmp_path / "b" / "a")
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        *("ratings.csv", "summary.csv", "summary.md", "summary.tex", "friedman.csv"),
        *("pairwise.csv", "participants.csv", "findings.md", "ratings.png"),
    }
    written = pd.read_csv(tmp_path / "a" / "summary.csv")
    # Six significant digits are written.
    pd.testing.assert_frame_equal(written, analysis.summary, check_dtype=False, rtol=1e-5)
    lines = (tmp_path / "a" / "summary.md").read_text().splitlines()
    assert len(lines) == 2 + 2 * 3
    row = analysis.summary.iloc[0]
    assert f"{row['mean']:.2f} [{row['mean_low']:.2f}, {row['mean_high']:.2f}]" in lines[2]
    assert (tmp_path / "a" / "summary.tex").read_text().count(r"\\") == 7
    assert "wun is rated lower" in (tmp_path / "a" / "findings.md").read_text()


def test_tables_escape_what_markdown_and_latex_take_for_markup(tmp_path) -> None:
    results, key = write_results(tmp_path)
    key.write_text(key.read_text().replace("ours", "ours_S|a^2~b"))
    analyze([results], key, tmp_path / "a", QUICK)
    assert r"ours_S\|a^2~b" in (tmp_path / "a" / "summary.md").read_text()
    escaped = r"ours\_S|a\textasciicircum{}2\textasciitilde{}b"
    assert escaped in (tmp_path / "a" / "summary.tex").read_text()


def test_a_folder_with_something_else_is_left_alone(tmp_path) -> None:
    results, key = write_results(tmp_path)
    with pytest.raises(FxNormError, match="holds files of something else"):
        analyze([results], key, tmp_path, QUICK)
    assert key.is_file()
    analyze([results], key, tmp_path / "a", QUICK)
    analyze([results], key, tmp_path / "a", QUICK)
    (tmp_path / "a" / "my notes.txt").write_text("mine")
    with pytest.raises(FxNormError, match="something else"):
        analyze([results], key, tmp_path / "a", QUICK)
