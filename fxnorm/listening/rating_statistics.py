"""Rank statistics of ratings.

Ratings of one participant depend on each other. The unit is therefore the participant, with the
mean over songs as the value, unless single ratings are asked for. Systems are compared on the songs
on which a participant rated all of them (or both, for a pair): means over different songs would
differ by the songs.
"""

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import scipy

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.seeds import generator
from fxnorm.significance import LEAST_VALUES, TIE_DECIMALS, bootstrap_interval, holm, signed_rank

_LEAST_SYSTEMS = 3


def make_items(ratings: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """Ratings of one criterion by participant and song (rows) and system; NaN where not rated.

    Args:
        ratings: the tidy table, of one criterion.
        systems: the columns, in order.
    """
    index = ["participant", "song"]
    table = ratings.pivot_table(index=index, columns="system", values="rating", aggfunc="mean")
    return table.reindex(columns=list(systems))


def make_units(items: pd.DataFrame, config: AnalysisConfig) -> pd.DataFrame:
    """Observations by system, from what is rated for all systems.

    Args:
        items: see `make_items`; only the columns that are compared.
        config: which unit.
    """
    complete = items.dropna()
    if config.unit == "participant-and-song":
        return complete
    return complete.groupby(level="participant", sort=True).mean()


def summarize_ratings(
    items: pd.DataFrame, config: AnalysisConfig, seed: int, criterion: str
) -> pd.DataFrame:
    """Mean and median of each system, with bootstrap intervals over units.

    Where no song has all systems, each system's values are over its own songs.

    Returns:
        One row per system: system, n, mean, mean_low, mean_high, median, median_low, median_high.
        The intervals are NaN for fewer than two units.
    """
    units = make_units(items, config)
    rows = []
    for system in items.columns:
        own = units if len(units) else make_units(items[[system]], config)
        values = own[system].to_numpy()
        row: dict[str, object] = {"system": system, "n": values.size}
        for name, statistic in (("mean", np.mean), ("median", np.median)):
            low, high = bootstrap_interval(
                values,
                statistic,
                generator(seed, "bootstrap", criterion, str(system), name),
                confidence=config.confidence,
                resamples=config.resamples,
                method="percentile",
            )
            row |= {name: statistic(values), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def friedman(items: pd.DataFrame, config: AnalysisConfig) -> dict[str, float]:
    """Friedman test over systems, on what is rated for all of them.

    Returns:
        systems, n (units used), left_out (participants' songs that miss a system), chi2, p, and
        Kendall's w; the last three are NaN for fewer than three systems or two units, or if nothing
        differs.
    """
    # Means of equal ratings in another order differ by rounding, and are ties.
    units = make_units(items, config).round(TIE_DECIMALS)
    n, systems = units.shape
    result = {"systems": systems, "n": n, "left_out": int(items.isna().any(axis=1).sum())}
    if systems < _LEAST_SYSTEMS or n < LEAST_VALUES or all_tied(units):
        return result | {"chi2": np.nan, "p": np.nan, "w": np.nan}
    chi2, p = scipy.stats.friedmanchisquare(*(units[name] for name in units.columns))
    return result | {"chi2": float(chi2), "p": float(p), "w": float(chi2 / (n * (systems - 1)))}


def all_tied(units: pd.DataFrame) -> bool:
    """Every unit rates all systems alike."""
    return bool((units.round(TIE_DECIMALS).nunique(axis=1) == 1).all())


def pairwise(items: pd.DataFrame, config: AnalysisConfig) -> pd.DataFrame:
    """Wilcoxon signed-rank tests of pairs, p-values corrected after Holm.

    Returns:
        One row per pair: a, b, n (units with songs on which both are rated), difference (mean of
        a - b), rank_biserial (matched pairs: -1 to 1, positive where a is rated higher; Kerby
        2014), p, p_holm. Pairs that no unit rated have NaN.
    """
    rows = []
    for a, b in pairs(list(items.columns), config):
        units = make_units(items[[a, b]], config)
        difference = (units[a] - units[b]).round(TIE_DECIMALS).to_numpy()
        p, effect = signed_rank(difference)
        mean = difference.mean() if difference.size else np.nan
        rows.append((a, b, difference.size, mean, effect, p))
    table = pd.DataFrame(rows, columns=["a", "b", "n", "difference", "rank_biserial", "p"])
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table


def pairs(systems: Sequence[str], config: AnalysisConfig) -> list[tuple[str, str]]:
    """The pairs that are tested, the human mix first."""
    return [
        (a, b)
        for a, b in combinations(systems, 2)
        if config.contrasts == "all" or config.human in (a, b)
    ]


def system_order(systems: Sequence[str], human: str) -> list[str]:
    """Systems in order of display: the human mix first, then by name, numbers by their value."""
    return sorted(set(systems), key=lambda system: (system != human, natural(system)))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Key by which "mix 2" comes before "mix 10"."""
    parts = re.split(r"(\d+)", text.casefold())
    numbered = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return [*numbered, (2, 0, text)]
