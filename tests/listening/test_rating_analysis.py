"""What an analysis writes, from files to tables, figure and sentences."""

import itertools
import logging
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.listening import AnalysisConfig, Ignored, Results, analyze, analyze_ratings

REAL = Path(__file__).parent / "results"
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


def as_results(ratings: pd.DataFrame) -> Results:
    names = sorted(set(ratings["participant"]))
    participants = pd.DataFrame({"participant": names, "name": "", "session": "", "file": ""})
    participants["years"] = [str(number) for number in range(len(names))]
    return Results(ratings, ratings.iloc[:0], participants, {})


def test_the_dry_sum_and_anchors_are_left_out_of_the_statistics() -> None:
    ratings = make_ratings()
    extra = ratings[ratings["system"] == "ours"].assign(system="reference", rating=0.0)
    # Rated in one tool only: it must not make observations incomplete.
    more = [ratings, extra.head(4), extra.head(2).assign(system="anchor35")]
    plain = analyze_ratings(as_results(ratings), QUICK)
    analysis = analyze_ratings(as_results(pd.concat(more, ignore_index=True)), QUICK)
    for name in ("friedman", "summary", "pairwise", "mixed_model", "participants"):
        pd.testing.assert_frame_equal(getattr(analysis, name), getattr(plain, name))


def test_results_need_the_human_mix_and_labels_a_system() -> None:
    results = as_results(make_ratings())
    with pytest.raises(FxNormError, match=r"no rating of 'Human'.* name one of human, ours, wun"):
        analyze_ratings(results, AnalysisConfig(human="Human"))
    with pytest.raises(FxNormError, match=r"no system 'our' to label; there are human, ours, wun"):
        analyze_ratings(results, AnalysisConfig(labels={"our": "x"}))


def test_criteria_come_in_the_tests_order_with_their_titles() -> None:
    results = as_results(make_ratings())
    titles = {"width": "Width", "excitement": "Thrill", "clarity": "Clear?"}
    analysis = analyze_ratings(results, QUICK, criteria=titles)
    assert list(analysis.titles.items()) == [("excitement", "Thrill"), ("clarity", "Clear?")]
    assert list(dict.fromkeys(analysis.summary["criterion"])) == ["excitement", "clarity"]
    assert [axis.get_title() for axis in analysis.figure.axes] == ["Thrill", "Clear?"]


def write_results(folder: Path) -> tuple[Path, Path]:
    ratings = make_ratings()
    pairs = ratings[["song", "system"]].drop_duplicates().reset_index(drop=True)
    key = pairs.assign(
        id=[f"s{number:03d}" for number in range(len(pairs))],
        page=pairs["song"].str.replace("song ", "song0"),
    )
    key.to_csv(folder / "key.csv", index=False)
    results = ratings.merge(key, on=["song", "system"]).rename(columns={"id": "stimulus"})
    results["comment"] = results["system"].map({"ours": "too *loud*"}).fillna("")
    results["equipment"] = np.where(results["participant"] < "p4", "headphones", "loudspeakers")
    columns = ["participant", "stimulus", "criterion", "rating", "comment", "equipment"]
    results[columns].to_csv(folder / "results.csv", index=False)
    return folder / "results.csv", folder / "key.csv"


PLAIN = {
    *("ratings.csv", "summary.csv", "summary.md", "summary.tex", "friedman.csv", "pairwise.csv"),
    *("mixed_model.csv", "participants.csv", "findings.md", "comments.md"),
    *("ratings.png", "ratings.pdf", "ratings.svg"),
}


def test_an_analysis_is_written_whole_and_the_same_each_time(tmp_path) -> None:
    results, key = write_results(tmp_path)
    analysis = analyze([results], key, tmp_path / "a", QUICK, seed=1)
    analyze([results], key, tmp_path / "b" / "a", QUICK, seed=1)
    assert digest(tmp_path / "a") == digest(tmp_path / "b" / "a")
    assert {path.name for path in (tmp_path / "a").iterdir()} == PLAIN
    written = pd.read_csv(tmp_path / "a" / "summary.csv")
    # Six significant digits are written.
    pd.testing.assert_frame_equal(written, analysis.summary, check_dtype=False, rtol=1e-5)
    lines = (tmp_path / "a" / "summary.md").read_text().splitlines()
    assert len(lines) == 2 + 2 * 3
    row = analysis.summary.iloc[0]
    assert f"{row['mean']:.2f} [{row['mean_low']:.2f}, {row['mean_high']:.2f}]" in lines[2]
    assert (tmp_path / "a" / "summary.tex").read_text().count(r"\\") == 7
    assert "rated lower than human: wun" in (tmp_path / "a" / "findings.md").read_text()
    comments = (tmp_path / "a" / "comments.md").read_text()
    assert comments.startswith("## ours\n\n- too \\*loud\\* (song 0, p0, clarity, excitement)\n")
    assert "human" not in comments


def test_what_is_asked_for_is_added(tmp_path) -> None:
    results, key = write_results(tmp_path)
    settings = {"margin": 0.1, "group_by": "equipment", "labels": {"ours": "Our best"}}
    config = QUICK.model_copy(update=settings)
    ignored = Ignored(participants={"p7": "a friend"})
    analysis = analyze([results], key, tmp_path / "a", config, ignored=ignored)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == PLAIN | {"equivalence.csv", "groups.csv"}
    findings = (tmp_path / "a" / "findings.md").read_text()
    assert "Our best is equivalent to human within ±0.1" in findings
    assert "Left out: p7 (a friend)." in findings
    assert "Our best" in (tmp_path / "a" / "summary.tex").read_text()
    assert set(analysis.groups["group"]) == {"headphones", "loudspeakers"}
    assert analysis.participants["equipment"].tolist() == ["headphones"] * 4 + ["loudspeakers"] * 3
    # It replaces an analysis that had fewer files and the other way round.
    analyze([results], key, tmp_path / "a", QUICK)
    assert {path.name for path in (tmp_path / "a").iterdir()} == PLAIN


def test_names_with_signs_of_formulas_stay_text(tmp_path) -> None:
    results, key = write_results(tmp_path)
    key.write_text(key.read_text().replace("ours", "$ours_S|a^2~b$ $").replace("wun", r"\frac{"))
    analysis = analyze([results], key, tmp_path / "a", QUICK)
    assert r"$ours_S\|a^2~b$ $" in (tmp_path / "a" / "summary.md").read_text()
    escaped = r"\$ours\_S|a\textasciicircum{}2\textasciitilde{}b\$ \$"
    assert escaped in (tmp_path / "a" / "summary.tex").read_text()
    labels = [label.get_text() for label in analysis.figure.axes[0].get_xticklabels()]
    assert labels == ["human", "$ours_S|a^2~b$ $", r"\frac{"]


def test_names_with_tags_links_and_line_ends_stay_text(tmp_path) -> None:
    results, key = write_results(tmp_path)
    results.write_text(results.read_text().replace("p7", "<b>[x](y)\u2028#"))
    key.write_text(key.read_text().replace("wun", "<i>w"))
    ignored = Ignored(participants={r"<b>[x](y)\u2028#": "a friend"})
    analyze([results], key, tmp_path / "a", QUICK, ignored=ignored)
    findings = (tmp_path / "a" / "findings.md").read_text()
    assert r"Left out: \<b>\[x](y)\\u2028# (a friend)." in findings
    assert r"rated lower than human: \<i>w" in findings
    assert r"| \<i>w |" in (tmp_path / "a" / "summary.md").read_text()


def test_one_participant_has_values_without_intervals(tmp_path) -> None:
    results, key = write_results(tmp_path)
    others = {f"p{number}": "x" for number in range(1, 8)}
    analyze([results], key, tmp_path / "a", QUICK, ignored=Ignored(participants=others))
    text = "".join(path.read_text() for path in (tmp_path / "a").glob("*.[mt]*"))
    assert "nan" not in text
    assert "1 participant:" in text
    assert "1 participants" not in text


def test_the_figure_says_what_its_signs_mean(tmp_path) -> None:
    results, key = write_results(tmp_path)
    analysis = analyze([results], key, tmp_path / "a", QUICK)
    (legend,) = analysis.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["mean, 95% interval", "median", "quartiles", "one participant"]
    assert (tmp_path / "a" / "ratings.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in (tmp_path / "a" / "ratings.svg").read_text()


def test_a_participant_who_stopped_early_is_told_of(tmp_path, caplog) -> None:
    caplog.set_level(logging.WARNING)
    ratings = make_ratings(participants=8, songs=3)
    early = ratings[(ratings["participant"] != "p5") | (ratings["song"] == "song 1")]
    analysis = analyze_ratings(as_results(early), QUICK)
    note = "1 participant rated fewer than the usual 3 songs"
    assert analysis.notes["clarity"][0].startswith(note)
    assert "p5 (1)" in analysis.notes["clarity"][0]
    assert note in caplog.text
    assert analysis.participants.set_index("participant")["songs"]["p5"] == 1


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


def test_results_of_both_real_tools_are_analyzed_together(tmp_path) -> None:
    files = [REAL / name for name in ("webmushra.csv", "waet_complete.xml", "waet_partial.xml")]
    analysis = analyze(files, REAL / "key.csv", tmp_path / "a", QUICK)
    assert list(analysis.titles) == ["production-value", "clarity", "excitement"]
    assert analysis.friedman["n"].tolist() == [6, 6, 6]
    assert set(analysis.participants["name"]) == {"P1", "P2", "P3", "P5", "W2 & co", "W3"}
    # By hand: P1's three songs of one system and criterion.
    own = analysis.ratings[analysis.ratings["participant"].str.startswith("0d255ba5")]
    own = own[(own["system"] == "human") & (own["criterion"] == "production-value")]
    assert sorted(own["rating"]) == [0.66, 0.75, 0.77]
