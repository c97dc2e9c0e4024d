"""Features and a network of the smallest sizes, for tests that need a model of some kind."""

import numpy as np

from fxnorm.conventions import LONG_TERM_BINS, STEMS
from fxnorm.normalization import DatasetFeatures

#: Sizes of an `AutomixConfig`.
TINY = {"filters": 8, "bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1}


def plain_features(types=STEMS):
    """Falling spectra, loud peaks, positions near the centre."""
    return DatasetFeatures(
        eq=dict.fromkeys(types, 1.0 / (1.0 + np.arange(LONG_TERM_BINS) / 200.0)),
        compression=dict.fromkeys(types, (-20.0, 3.0)),
        panning=dict.fromkeys(types, np.full(LONG_TERM_BINS, 0.9)),
        loudness=dict.fromkeys(types, -25.0),
    )
