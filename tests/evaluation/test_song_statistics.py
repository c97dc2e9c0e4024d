"""Summaries: intervals, tests, improvements, missing values."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from fxnorm.errors import FxNormError
from fxnorm.evaluation import (
    EvaluationConfig,
    headline,
    improvement,
    nested_summary,
    summarize_scores,
)
from fxnorm.evaluation.scoring import COLUMNS

CONFIG = EvaluationConfig(resamples=999)


def scores_of(values, group="spectral", metric="mape_mean", test_set="wet"):
    """Tidy scores from {system: values by song}."""
    rows = [
        (system, test_set, f"song {index}", group, metric, value, "")
        for system, songs in values.items()
        for index, value in enumerate(songs)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def row(summary, system):
    return summary[summary.system == system].iloc[0]


@pytest.fixture
def three_systems():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.2, 0.6, 12)
    return {
        "normalized_sum": base,
        "ours": base * rng.uniform(0.5, 0.8, 12),
        "wun": base + rng.normal(0.0, 0.05, 12),
    }


def test_means_and_deviations(three_systems):
    summary = summarize_scores(scores_of(three_systems), CONFIG)
    for system, values in three_systems.items():
        cells = row(summary, system)
        assert cells["songs"] == 12
        assert cells["mean"] == pytest.approx(values.mean())
        assert cells["median"] == pytest.approx(np.median(values))
        assert cells["std"] == pytest.approx(values.std(ddof=1))


def test_intervals_cover_the_true_mean():
    # 200 normal samples of 30: a 90 % interval misses in about 10 % (± 2.1 %, three of those here).
    rng = np.random.default_rng(1)
    values = {f"system {index}": rng.normal(5.0, 1.0, 30) for index in range(200)}
    config = EvaluationConfig(resamples=400, confidence=0.9)
    summary = summarize_scores(scores_of(values), config)
    missed = ((summary["ci_low"] > 5.0) | (summary["ci_high"] < 5.0)).mean()
    assert 0.04 < missed < 0.17


def test_tests_are_paired_and_corrected(three_systems):
    summary = summarize_scores(scores_of(three_systems), CONFIG)
    base = three_systems["normalized_sum"]
    p_values = {
        system: scipy.stats.wilcoxon(base, three_systems[system]).pvalue
        for system in ("ours", "wun")
    }
    # Holm for two tests: the smaller p doubled, the larger at least that.
    small, large = sorted(p_values, key=p_values.__getitem__)
    corrected = {small: min(1.0, 2 * p_values[small])}
    corrected[large] = max(corrected[small], p_values[large])
    for system in p_values:
        cells = row(summary, system)
        assert cells["p_value"] == pytest.approx(p_values[system])
        assert cells["p_holm"] == pytest.approx(corrected[system])
        assert cells["improvement"] == pytest.approx((base - three_systems[system]).mean())
    assert row(summary, "ours")["improved"] == 1.0
    assert math.isnan(row(summary, "normalized_sum")["p_value"])


def test_improvement_is_per_song_and_by_magnitude():
    scores = scores_of(
        {"normalized_sum": [2.0, -3.0, math.nan], "ours": [-1.0, 4.0, 0.0]}, "further", "balance"
    )
    table = improvement(scores, "normalized_sum")
    assert dict(zip(table.song, table.improvement, strict=True)) == {"song 0": 1.0, "song 1": -1.0}
    assert row(summarize_scores(scores, CONFIG), "ours")["mean"] == pytest.approx(5 / 3)


def test_values_without_meaning_are_left_out_and_counted():
    scores = scores_of({"normalized_sum": [0.2, 0.4, math.nan], "ours": [math.nan] * 3})
    summary = summarize_scores(scores, CONFIG)
    assert row(summary, "normalized_sum")["mean"] == pytest.approx(0.3)
    assert list(summary["left_out"]) == [1, 3]
    assert math.isnan(row(summary, "ours")["mean"])


def test_few_or_equal_songs():
    one = row(summarize_scores(scores_of({"normalized_sum": [0.3], "ours": [0.2]}), CONFIG), "ours")
    assert one["improvement"] == pytest.approx(0.1)
    assert math.isnan(one["ci_low"])
    assert math.isnan(one["p_value"])
    equal = {"normalized_sum": [0.25] * 4, "ours": [0.25] * 4}
    same = row(summarize_scores(scores_of(equal), CONFIG), "ours")
    assert (same["ci_low"], same["ci_high"], same["p_holm"]) == (0.25, 0.25, 1.0)


def test_the_seed_decides_and_other_systems_do_not(three_systems):
    scores = scores_of(three_systems)
    first = summarize_scores(scores, CONFIG, seed=1)
    pd.testing.assert_frame_equal(first, summarize_scores(scores, CONFIG, seed=1))
    assert (
        row(summarize_scores(scores, CONFIG, seed=2), "ours")["ci_low"]
        != row(first, "ours")["ci_low"]
    )
    alone = row(summarize_scores(scores[scores.system == "ours"], CONFIG, seed=1), "ours")
    assert alone["ci_low"] == row(first, "ours")["ci_low"]


def test_nested_summary_is_small_json():
    scores = pd.concat(
        [
            scores_of({"ours": [0.1, 0.2, 0.3]}),
            scores_of({"ours": [0.1, 0.2, 0.3]}, "spectral", "contrast_l_mean"),
            scores_of({"ours": [math.nan] * 3}, "panning", "mape_mean"),
            scores_of({"ours": [7.0, 8.0, 9.0]}, "loss", "loss_b", "dry"),
            scores_of({"ours": [30.0] * 3}, "file", "compared_s"),
        ]
    )
    nested = json.loads(json.dumps(nested_summary(scores, CONFIG), allow_nan=False))
    assert nested.keys() == {"wet", "dry"}
    assert nested["wet"].keys() == {"spectral"}
    assert nested["wet"]["spectral"].keys() == {"mape_mean"}
    assert nested["dry"]["loss"]["loss_b"]["mean"] == 8.0
    assert nested["dry"]["loss"]["loss_b"].keys() == {"mean", "median", "ci_low", "ci_high"}
    with pytest.raises(FxNormError, match="one system"):
        nested_summary(scores_of({"a": [1.0], "b": [2.0]}))


def test_the_headline_has_no_mean_where_one_of_its_errors_has_no_value():
    values = {"spectral": 0.1, "panning": math.nan, "dynamics": 0.4}
    mono = pd.concat([scores_of({"ours": [value] * 3}, group) for group, value in values.items()])
    assert headline(nested_summary(mono, CONFIG)) == {"wet": {"spectral": 0.1, "dynamics": 0.4}}
    stereo = mono.fillna({"value": 0.7})
    assert headline(nested_summary(stereo, CONFIG))["wet"]["mean"] == pytest.approx(0.4)
