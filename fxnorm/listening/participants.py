"""How participants used the scale: range, agreement with others and with themselves."""

import numpy as np
import pandas as pd
import scipy

_LEAST_ITEMS = 3
_ITEM = ["criterion", "song", "system"]


def reliability(ratings: pd.DataFrame, repeats: pd.DataFrame) -> pd.DataFrame:
    """How each participant used the scale, agreed with the others, and repeated themselves.

    Args:
        ratings: the tidy table.
        repeats: what was rated a second time, in the same form.

    Returns:
        One row per participant: participant, ratings, songs, lowest, highest, range, correlation
        (Pearson) with the mean of the other participants over the same song, system and criterion,
        NaN where there are no others or no variation; repeats, how many ratings were given twice,
        repeat_error, their root-mean-square difference, and repeat_correlation (Pearson); NaN
        without them.
    """
    items = ratings.pivot_table(index=_ITEM, columns="participant", values="rating")
    songs = ratings.groupby("participant")["song"].nunique()
    rows = []
    for participant in items.columns:
        own = items[participant].dropna()
        others = items.drop(columns=participant).mean(axis=1).reindex(own.index)
        again = repeats[repeats["participant"] == participant].set_index(_ITEM)["rating"]
        both = pd.concat([own, again], axis=1, join="inner").to_numpy(float)
        error = np.sqrt(np.mean((both[:, 0] - both[:, 1]) ** 2)) if len(both) else np.nan
        rows.append(
            {
                "participant": participant,
                "ratings": own.size,
                "songs": songs[participant],
                "lowest": own.min(),
                "highest": own.max(),
                "range": own.max() - own.min(),
                "correlation": _correlation(own.to_numpy(), others.to_numpy()),
                "repeats": len(both),
                "repeat_error": error,
                "repeat_correlation": _correlation(both[:, 0], both[:, 1]),
            }
        )
    return pd.DataFrame(rows)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    if a.size < _LEAST_ITEMS or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return np.nan
    return float(scipy.stats.pearsonr(a, b).statistic)
