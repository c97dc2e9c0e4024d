"""Whether a system is as good as the human mix, to within a stated margin."""

import numpy as np
import pandas as pd
from statsmodels.stats.weightstats import DescrStatsW

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import make_units
from fxnorm.significance import LEAST_VALUES, holm

#: Differences below this are none.
_ROUNDING = 1e-9
_COLUMNS = ["system", "n", "margin", "difference", "low", "high", "p", "p_holm", "equivalent"]


def equivalence(items: pd.DataFrame, config: AnalysisConfig) -> pd.DataFrame:
    """Two one-sided paired t-tests against the human mix (Schuirmann 1987), corrected after Holm.

    Args:
        items: see `make_items`.
        config: with the margin.

    Returns:
        One row per other system: system, n (units), margin, difference (system - human) with the
        ends of its interval at 1 - 2 alpha, p, p_holm, and equivalent, whether p_holm is at most
        alpha. No rows without a margin; NaN for fewer than two units.
    """
    if config.margin is None:
        return pd.DataFrame(columns=_COLUMNS)
    rows = [
        (system, *_t_tests(_differences(items, system, config), config.margin, config.alpha))
        for system in items.columns
        if system != config.human
    ]
    table = pd.DataFrame(rows, columns=["system", "n", "difference", "low", "high", "p"])
    table["margin"] = config.margin
    table["p_holm"] = holm(table["p"].to_numpy(float))
    table["equivalent"] = table["p_holm"] <= config.alpha
    return table[_COLUMNS]


def _differences(items: pd.DataFrame, system: str, config: AnalysisConfig) -> np.ndarray:
    units = make_units(items[[config.human, system]], config)
    return (units[system] - units[config.human]).to_numpy(float)


def _t_tests(
    differences: np.ndarray, margin: float, alpha: float
) -> tuple[int, float, float, float, float]:
    n = differences.size
    if n < LEAST_VALUES:
        return n, (differences.mean() if n else np.nan), np.nan, np.nan, np.nan
    mean = float(differences.mean())
    if np.ptp(differences) < _ROUNDING:
        return n, mean, mean, mean, float(abs(mean) >= margin - _ROUNDING)
    sample = DescrStatsW(differences)
    p, _, _ = sample.ttost_mean(-margin, margin)
    low, high = sample.tconfint_mean(alpha=2.0 * alpha)
    return n, mean, float(low), float(high), float(p)
