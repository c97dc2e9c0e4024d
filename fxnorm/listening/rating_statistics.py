"""Statistics of ratings.

Ratings of one participant depend on each other. The unit is therefore the participant, with the
mean over songs as the value, unless single ratings are asked for.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import scipy.stats
from pydantic import Field

from fxnorm.configuration import Config
from fxnorm.seeds import generator
from fxnorm.significance import bootstrap_interval, holm, signed_rank

_LEAST_SYSTEMS = 3
_LEAST_BLOCKS = 2
#: Ratings that agree to so many decimals are ties.
_DECIMALS = 9


class AnalysisConfig(Config):
    """How ratings are compared."""

    #: Name, in the key, of the system all others are held against.
    human: str = "human"
    #: What counts as one observation: a participant's mean over songs, or each of the
    #: participant's songs, which takes them for independent.
    unit: Literal["participant", "participant-and-song"] = "participant"
    #: Level of the bootstrap intervals.
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    #: Bootstrap resamples.
    resamples: int = Field(default=9999, ge=100)
    #: Significance level, after Holm's correction.
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)


def make_blocks(ratings: pd.DataFrame, config: AnalysisConfig) -> pd.DataFrame:
    """Observations by system: rows are units, columns systems; NaN where not rated.

    Args:
        ratings: the tidy table, of one criterion.
        config: which unit.
    """
    index = ["participant"] if config.unit == "participant" else ["participant", "song"]
    return ratings.pivot_table(index=index, columns="system", values="rating", aggfunc="mean")


def summarize(
    blocks: pd.DataFrame, config: AnalysisConfig, seed: int, criterion: str
) -> pd.DataFrame:
    """Mean and median of each system, with bootstrap intervals over units.

    Returns:
        One row per system: system, n, mean, mean_low, mean_high, median, median_low, median_high.
        The intervals are NaN for fewer than two units.
    """
    rows = []
    for system in blocks.columns:
        values = blocks[system].dropna().to_numpy()
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


def friedman(blocks: pd.DataFrame) -> dict[str, float]:
    """Friedman test over systems, on the units that rated all of them.

    Returns:
        systems, n (units used), left_out (units that missed a system), chi2, p, and Kendall's w;
        the last three are NaN for fewer than three systems or two units.
    """
    # Means of equal ratings in another order differ by rounding, and are ties.
    complete = blocks.dropna().round(_DECIMALS)
    n, systems = complete.shape
    result = {"systems": systems, "n": n, "left_out": len(blocks) - n}
    if systems < _LEAST_SYSTEMS or n < _LEAST_BLOCKS or (complete.nunique(axis=1) == 1).all():
        return result | {"chi2": np.nan, "p": np.nan, "w": np.nan}
    chi2, p = scipy.stats.friedmanchisquare(*(complete[name] for name in complete.columns))
    return result | {"chi2": float(chi2), "p": float(p), "w": float(chi2 / (n * (systems - 1)))}


def pairwise(blocks: pd.DataFrame) -> pd.DataFrame:
    """Wilcoxon signed-rank tests of all pairs, p-values corrected after Holm.

    Returns:
        One row per pair: a, b, n (units that rated both), difference (mean of a - b),
        rank_biserial (matched pairs: -1 to 1, positive where a is rated higher; Kerby 2014),
        p, p_holm. Pairs that no unit rated have NaN.
    """
    rows = []
    for a, b in combinations(blocks.columns, 2):
        difference = (blocks[a] - blocks[b]).dropna().to_numpy()
        p, effect = signed_rank(difference)
        mean = difference.mean() if difference.size else np.nan
        rows.append((a, b, difference.size, mean, effect, p))
    table = pd.DataFrame(rows, columns=["a", "b", "n", "difference", "rank_biserial", "p"])
    table["p_holm"] = holm(table["p"].to_numpy())
    return table


def reliability(ratings: pd.DataFrame) -> pd.DataFrame:
    """How each participant used the scale and agreed with the others.

    Returns:
        One row per participant: participant, ratings, lowest, highest, range, and correlation
        (Pearson) with the mean of the other participants over the same song, system and criterion,
        NaN where there are no others or no variation.
    """
    items = ratings.pivot_table(
        index=["criterion", "song", "system"], columns="participant", values="rating"
    )
    rows = []
    for participant in items.columns:
        own = items[participant]
        others = items.drop(columns=participant).mean(axis=1)
        both = own.notna() & others.notna()
        varied = both.sum() > 2 and own[both].nunique() > 1 and others[both].nunique() > 1
        rows.append(
            {
                "participant": participant,
                "ratings": int(own.notna().sum()),
                "lowest": own.min(),
                "highest": own.max(),
                "range": own.max() - own.min(),
                "correlation": scipy.stats.pearsonr(own[both], others[both]).statistic
                if varied
                else np.nan,
            }
        )
    return pd.DataFrame(rows)


def system_order(systems: Sequence[str], human: str) -> list[str]:
    """Systems in order of display: the human mix first, then by name."""
    return sorted(set(systems), key=lambda system: (system != human, system))
