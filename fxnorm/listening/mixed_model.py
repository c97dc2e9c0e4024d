"""A linear mixed-effects model of ratings, beside the rank tests."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import pairs
from fxnorm.significance import holm

_LEAST_PARTICIPANTS = 2
#: What is left over below this, of the scale, is rounding.
_ROUNDING = 1e-9
_COLUMNS = ["a", "b", "participants", "songs", "difference", "low", "high", "p", "p_holm"]


def mixed_model(
    ratings: pd.DataFrame, systems: Sequence[str], config: AnalysisConfig
) -> pd.DataFrame:
    """Differences between systems in a model with random participants and songs.

    A rating is the system's mean, plus what the participant, the song, and the participant for the
    system add at random, fitted by restricted maximum likelihood. The last of these keeps a
    participant's songs from counting as so many independent opinions. What a song adds for a
    system is left to the residual: the differences are those on these songs. All ratings are used,
    also those of songs on which a system is missing. Intervals and p-values are of Student's t with
    (participants - 1) (systems - 1) degrees of freedom, which is exact where everybody rates all
    systems on all songs.

    Args:
        ratings: the tidy table, of one criterion.
        systems: those compared, in order.
        config: which pairs, and the confidence.

    Returns:
        One row per pair: a, b, participants, songs, difference (a - b) with low and high, p and
        p_holm; NaN where there are fewer than two participants, or nothing varies but by system,
        participant and song.
    """
    chosen = pairs(systems, config)
    participants, songs = ratings["participant"].nunique(), ratings["song"].nunique()
    table = pd.DataFrame(chosen, columns=["a", "b"])
    table[["participants", "songs"]] = participants, songs
    table[["difference", "low", "high", "p", "p_holm"]] = np.nan
    if participants < _LEAST_PARTICIPANTS or not chosen or _is_additive(ratings):
        return table[_COLUMNS]
    estimates, covariance = _fit(ratings, systems)
    places = {system: place for place, system in enumerate(systems)}
    contrasts = np.zeros((len(chosen), len(systems)))
    for row, (a, b) in enumerate(chosen):
        contrasts[row, places[a]], contrasts[row, places[b]] = 1.0, -1.0
    difference = contrasts @ estimates
    error = np.sqrt(np.einsum("ri,ij,rj->r", contrasts, covariance, contrasts))
    student = scipy.stats.t((participants - 1) * (len(systems) - 1))
    reach = student.ppf(0.5 + config.confidence / 2.0) * error
    table["difference"], table["low"], table["high"] = (
        difference,
        difference - reach,
        difference + reach,
    )
    table["p"] = 2.0 * student.sf(np.abs(difference) / error)
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table[_COLUMNS]


def _is_additive(ratings: pd.DataFrame) -> bool:
    """Nothing is left to tell a difference from chance: the likelihood has no maximum."""
    factors = pd.get_dummies(ratings[["participant", "song", "system"]].astype(str)).to_numpy(float)
    rated = ratings["rating"].to_numpy(float)
    explained = factors @ np.linalg.lstsq(factors, rated)[0]
    return bool(np.abs(rated - explained).max() < _ROUNDING)


class _Model(MixedLM):  # type: ignore[misc]
    """The library's model, in whose likelihood a component without variance is no error."""

    def loglike(self, *args: Any, **kwargs: Any) -> float:
        try:
            return float(super().loglike(*args, **kwargs))
        except np.linalg.LinAlgError:
            return -np.inf


def _fit(ratings: pd.DataFrame, systems: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each system and the covariance of their errors."""
    person, song, system = (ratings[name].astype(str) for name in ("participant", "song", "system"))
    components = [person]
    if song.nunique() > 1:
        # With a single song, what a participant adds for a system is the residual.
        components += [song, person + "\0" + system]
    dummies = [pd.get_dummies(labels).to_numpy(float) for labels in components]
    fixed = np.stack([(system == name).to_numpy(float) for name in systems], axis=1)
    names = [str(place) for place in range(len(dummies))]
    columns = [[[str(column) for column in range(matrix.shape[1])]] for matrix in dummies]
    rated = ratings["rating"].to_numpy(float)
    model = _Model(
        rated,
        fixed,
        groups=np.zeros(len(rated), int),
        exog_vc=VCSpec(names, columns, [[matrix] for matrix in dummies]),
    )
    with warnings.catch_warnings():
        # A component of no variance lies at the edge of what is possible, which it warns of, and
        # where methods that need slopes stop early.
        warnings.simplefilter("ignore")
        fit = model.fit(reml=True, method=["nm"])
    variance = fit.scale * np.eye(len(rated))
    for component, matrix in zip(fit.vcomp, dummies, strict=True):
        variance += component * matrix @ matrix.T
    weighted = np.linalg.solve(variance, fixed)
    covariance = np.linalg.inv(fixed.T @ weighted)
    return covariance @ (weighted.T @ rated), covariance
