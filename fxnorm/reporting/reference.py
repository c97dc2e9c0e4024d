"""Runs with several training seeds: their mean and spread, and whether another run lies within.

The headline numbers of a run in long form are columns system, test_set, metric and value.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from fxnorm import tabulation
from fxnorm.errors import FxNormError
from fxnorm.reporting.names import ordered_systems, system_name
from fxnorm.tabulation import TextTable

KEYS = ["system", "test_set", "metric"]
#: What a number may differ from one machine to another, relative.
MACHINE = 0.01
#: Chance that a faithful run has a number outside the tolerances.
FALSE_ALARM = 0.01

_SUMMARY = [*KEYS, "mean", "std", "seeds"]
_PAGE = """\
# Reference results

Errors against the human mixes after `make repro` with the committed `params.yaml`, 0 is best:
mean ± standard deviation over {seeds} training seeds. `python -m stages.seeds --reference` writes
this page and `reference.csv`, which `make compare` holds a run against (see
[Experiments](experiments.md)).

{tables}"""


def headline_frame(numbers: Mapping[str, Mapping[str, Mapping[str, float]]]) -> pd.DataFrame:
    """{system: {test set: {metric: value}}} in long form."""
    rows = [
        (system, test_set, metric, value)
        for system, test_sets in numbers.items()
        for test_set, metrics in test_sets.items()
        for metric, value in metrics.items()
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "value"])


def summarize_seeds(runs: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Mean and standard deviation over the training seeds, a row for each number.

    Args:
        runs: headline numbers in long form, by seed.

    Returns:
        Columns system, test_set, metric, mean, std (n - 1; NaN with one seed), seeds, in the order
        of the first run.
    """
    values = pd.concat(runs.values(), ignore_index=True)
    groups = values.groupby(KEYS, sort=False)["value"]
    return groups.agg(mean="mean", std="std", seeds="count").reset_index()


def read_reference(path: Path) -> pd.DataFrame:
    """A table that `summarize_seeds` made, from a CSV file.

    Raises:
        FxNormError: no such file, another table, no rows, or counts and deviations that can't be.
    """
    numbers = {"mean": float, "std": float, "seeds": int}
    table = tabulation.read_csv(path, _SUMMARY, numbers, "`python -m stages.seeds` makes one")
    if table.empty:
        raise FxNormError(f"{path}: holds no numbers; `python -m stages.seeds` makes some")
    if (table["seeds"] < 1).any() or (table["std"] < 0.0).any():
        raise FxNormError(
            f"{path}: no seeds, or a deviation below 0; `python -m stages.seeds` makes another"
        )
    return table


def compare_with_reference(run: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Hold a run's headline numbers against those of several seeds.

    A number is as expected when it lies in the interval in which one more seed would, with a chance
    of `FALSE_ALARM` that any of them all does not (Student's prediction interval; Bonferroni), or
    within `MACHINE` of the mean. As few seeds say little about a single number, the spread is that
    of its metric, over systems and test sets: the root mean square of the relative standard
    deviations. Numbers of one network move together, so each system counts once in the degrees of
    freedom, and one in which nothing varies, such as a sum, not at all.

    Args:
        run: in long form.
        reference: from `summarize_seeds`.

    Returns:
        The numbers of both, in the run's order: columns system, test_set, metric, value, mean,
        tolerance (absolute), verdict ("as expected", "higher" or "lower").

    Raises:
        FxNormError: the two have nothing in common.
    """
    both = run.merge(reference, on=KEYS, how="inner")
    if both.empty:
        raise FxNormError("the reference table has none of the run's systems and metrics")
    relative = both["std"] / both["mean"].abs()
    trained = relative.groupby(both["system"]).transform("max") > 0.0
    pooled = (relative.where(trained) ** 2).groupby(both["metric"]).transform("mean") ** 0.5
    spread = pooled.where(trained, 0.0)
    freedom = (both["seeds"] - 1) * both["system"][trained].nunique()
    level = 1.0 - FALSE_ALARM / (2 * len(both))
    width = scipy.stats.t.ppf(level, freedom.clip(lower=1))
    seeds = width * spread * np.sqrt(1.0 + 1.0 / both["seeds"])
    both["tolerance"] = np.fmax(seeds, MACHINE) * both["mean"].abs()
    apart = both["value"] - both["mean"]
    both["verdict"] = np.select(
        [apart > both["tolerance"], apart < -both["tolerance"]], ["higher", "lower"], "as expected"
    )
    return both[[*KEYS, "value", "mean", "tolerance", "verdict"]]


def seeds_table(summary: pd.DataFrame, names: Mapping[str, str] = {}) -> TextTable:
    """Mean ± standard deviation of every number: a row per system, columns by test set.

    Args:
        summary: from `summarize_seeds`.
        names: display names of the systems, in the order of rows.
    """
    columns = list(dict.fromkeys(zip(summary["test_set"], summary["metric"], strict=True)))
    cells = {
        (row["system"], row["test_set"], row["metric"]): _mean_and_spread(row["mean"], row["std"])
        for row in summary.to_dict("records")
    }
    return TextTable(
        header=("system", *(metric for _, metric in columns)),
        rows=[
            (system_name(system, names), *(cells.get((system, *column), "–") for column in columns))
            for system in ordered_systems(summary["system"], names)
        ],
        alignment="l" + "r" * len(columns),
        groups=("", *(test_set for test_set, _ in columns)),
    )


def _mean_and_spread(mean: float, std: float) -> str:
    return f"{mean:.3f}" if np.isnan(std) else f"{mean:.3f} ± {std:.3f}"


def reference_page(summary: pd.DataFrame, names: Mapping[str, str] = {}) -> str:
    """The page of the documentation with the reference table.

    Args:
        summary: from `summarize_seeds`.
        names: display names of the systems, in the order of rows.
    """
    tables = [
        f"## {str(test_set).capitalize()} test set\n\n"
        + tabulation.to_markdown(seeds_table(part, names))
        for test_set, part in summary.groupby("test_set", sort=False)
    ]
    return _PAGE.format(seeds=summary["seeds"].max(), tables="\n".join(tables))
