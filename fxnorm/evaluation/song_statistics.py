"""Statistics over songs: intervals, paired tests against a baseline, improvement per song."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fxnorm.errors import FxNormError
from fxnorm.evaluation.columns import FURTHER_COLUMNS, MEAN_ERROR, TABLE_COLUMNS
from fxnorm.evaluation.evaluation_config import EvaluationConfig
from fxnorm.evaluation.scoring import FILE_GROUP
from fxnorm.seeds import generator
from fxnorm.significance import LEAST_VALUES, bootstrap_interval, holm, signed_rank

#: Groups of metrics whose mean errors, `MEAN_ERROR`, sum a system up.
HEADLINE = ("spectral", "panning", "dynamics")
#: Metrics whose sign is a direction: their magnitude is what should be small.
SIGNED = ("balance",)

_CELL = ["test_set", "group", "metric"]
_KEYS = ["system", *_CELL]


def summarize_scores(
    scores: pd.DataFrame, config: EvaluationConfig | None = None, *, seed: int = 0
) -> pd.DataFrame:
    """One row per system, test set and metric.

    Signed metrics (`balance`) count by magnitude throughout. NaN scores are left out and counted.

    Args:
        scores: tidy scores of any number of systems.
        config: baseline, interval and level; a baseline that is absent leaves the tests out.
        seed: of the bootstrap.

    Returns:
        system, test_set, group, metric; songs (with a number), left_out (NaN); mean, median, std
        (n - 1); ci_low, ci_high: bootstrap interval of the mean over songs (BCa). Against the
        baseline, over the songs that both have: pairs, improvement (mean decrease; positive is
        better), improved (fraction of songs), rank_biserial (positive is better), p_value (Wilcoxon
        signed-rank, two-sided) and p_holm (Holm's correction over the systems tested on that metric
        and test set).
    """
    config = config or EvaluationConfig()
    scores = _magnitudes(scores)
    rows = []
    for key, part in scores.groupby(_KEYS, sort=False, dropna=False):
        values = part["value"].dropna().to_numpy()
        low, high = bootstrap_interval(
            values,
            np.mean,
            generator(seed, "bootstrap", "/".join(map(str, key))),
            confidence=config.confidence,
            resamples=config.resamples,
            method="BCa",
        )
        rows.append(
            dict(zip(_KEYS, key, strict=True))
            | {
                "songs": len(values),
                "left_out": len(part) - len(values),
                "mean": values.mean() if len(values) else math.nan,
                "median": np.median(values) if len(values) else math.nan,
                "std": values.std(ddof=1) if len(values) > 1 else math.nan,
                "ci_low": low,
                "ci_high": high,
            }
        )
    tests = _tests(improvement(scores, config.baseline))
    return pd.DataFrame(rows).merge(tests, how="left", on=_KEYS)


def improvement(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """How much smaller each song's value is than the baseline's.

    Args:
        scores: tidy scores.
        baseline: a system's name.

    Returns:
        system, test_set, song, group, metric, value, baseline_value, improvement (positive is
        better), for every other system and each song and metric that both have a number for.
    """
    scores = _magnitudes(scores).dropna(subset="value")
    keys = ["test_set", "song", "group", "metric"]
    is_baseline = scores["system"] == baseline
    reference = scores.loc[is_baseline, [*keys, "value"]].rename(
        columns={"value": "baseline_value"}
    )
    others = scores.loc[~is_baseline, ["system", *keys, "value"]]
    joined = others.merge(reference, on=keys)
    joined["improvement"] = joined["baseline_value"] - joined["value"]
    return joined


def nested_summary(
    scores: pd.DataFrame, config: EvaluationConfig | None = None, *, seed: int = 0
) -> dict[str, Any]:
    """One system's summary for `dvc metrics show`.

    Args:
        scores: tidy scores of one system.
        config: the interval.
        seed: of the bootstrap.

    Returns:
        {test set: {group: {metric: {mean, median, ci_low, ci_high}}}} with the table's columns, the
        balance and the losses; numbers rounded to 6 significant digits. A value that no song has
        is left out: JSON has no NaN.

    Raises:
        FxNormError: scores of several systems.
    """
    if scores["system"].nunique() > 1:
        raise FxNormError("the summary is of one system: pass the scores of one at a time")
    wanted = {(column.group, column.metric) for column in (*TABLE_COLUMNS, *FURTHER_COLUMNS)}
    keys = zip(scores["group"], scores["metric"], strict=True)
    kept = scores[[key in wanted for key in keys]]
    nested: dict[str, Any] = {}
    for row in summarize_scores(kept, config, seed=seed).to_dict("records"):
        cell = {
            key: float(f"{row[key]:.6g}")
            for key in ("mean", "median", "ci_low", "ci_high")
            if math.isfinite(row[key])
        }
        if cell:
            metrics = nested.setdefault(row["test_set"] or "all", {}).setdefault(row["group"], {})
            metrics[row["metric"]] = cell
    return nested


def headline(summary: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What a person compares: errors of spectrum, panning and dynamics by test set, and their mean.

    Args:
        summary: from `nested_summary`.

    Returns:
        {test set: {spectral, panning, dynamics, mean}}, as fractions of the human mix's values. A
        group that no song has a value of, as panning with mono human mixes, is left out, and then
        so is the mean: it would be one of other errors.
    """
    numbers = {}
    for test_set, groups in summary.items():
        known = [group for group in HEADLINE if MEAN_ERROR in groups.get(group, {})]
        errors = {group: groups[group][MEAN_ERROR]["mean"] for group in known}
        if len(known) == len(HEADLINE):
            errors["mean"] = sum(errors.values()) / len(errors)
        numbers[test_set] = errors
    return numbers


def _magnitudes(scores: pd.DataFrame) -> pd.DataFrame:
    scores = scores[scores["group"] != FILE_GROUP].copy()
    signed = scores["metric"].isin(SIGNED)
    scores.loc[signed, "value"] = scores.loc[signed, "value"].abs()
    return scores


def _tests(improvements: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for key, part in improvements.groupby(_KEYS, sort=False):
        differences = part["improvement"].to_numpy()
        enough = len(differences) >= LEAST_VALUES
        p_value, rank_biserial = signed_rank(differences) if enough else (math.nan, math.nan)
        rows.append(
            dict(zip(_KEYS, key, strict=True))
            | {
                "pairs": len(differences),
                "improvement": differences.mean(),
                "improved": float((differences > 0.0).mean()),
                "rank_biserial": rank_biserial,
                "p_value": p_value,
            }
        )
    measures = ["pairs", "improvement", "improved", "rank_biserial", "p_value"]
    tests = pd.DataFrame(rows, columns=[*_KEYS, *measures])
    tests["p_holm"] = math.nan
    for _, index in tests.groupby(_CELL).groups.items():
        tests.loc[index, "p_holm"] = holm(tests.loc[index, "p_value"].to_numpy())
    return tests
