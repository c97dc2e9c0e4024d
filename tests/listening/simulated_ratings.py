"""Simulated ratings as the tidy table that results are read into."""

import numpy as np
import pandas as pd

from fxnorm.listening.power import simulate


def simulate_table(means, participants, listeners, rng):
    """Ratings of one criterion; `means` has what all think of each system."""
    ratings = simulate(list(means.values()), participants, listeners, rng)
    places = np.indices(ratings.shape).reshape(3, -1)
    systems = list(means)
    return pd.DataFrame(
        {
            "participant": [f"p{number:02d}" for number in places[0]],
            "song": [f"song {number + 1}" for number in places[1]],
            "system": [systems[number] for number in places[2]],
            "criterion": "clarity",
            "rating": ratings.ravel(),
            "seconds": np.nan,
            "comment": "",
        }
    )
