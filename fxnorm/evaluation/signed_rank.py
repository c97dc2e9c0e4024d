"""The paired test of evaluations and listening tests."""

import math

import numpy as np
import scipy.stats

#: Differences that agree to so many decimals of the largest are ties: they differ by rounding.
_DECIMALS = 9


def signed_rank(differences: np.ndarray) -> tuple[float, float]:
    """Wilcoxon signed-rank test of paired differences; zeros are left out.

    Args:
        differences: one per pair, finite.

    Returns:
        Two-sided p, and the matched-pairs rank-biserial correlation (Kerby 2014), -1 to 1: the
        direction that the test speaks of, which need not be the mean's. NaN without pairs; p is 1
        where nothing differs.
    """
    if differences.size == 0:
        return math.nan, math.nan
    if not differences.any():
        return 1.0, 0.0
    ties = np.round(differences / np.abs(differences).max(), _DECIMALS)
    count = np.count_nonzero(ties)
    ranks_above = scipy.stats.wilcoxon(ties, alternative="greater").statistic
    p = float(scipy.stats.wilcoxon(ties).pvalue)
    return p, float(4.0 * ranks_above / (count * (count + 1)) - 1.0)
