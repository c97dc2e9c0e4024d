import numpy as np
import pytest

from fxnorm.normalization import DatasetFeatures
from fxnorm.stems import STEMS


@pytest.fixture(scope="session")
def features():
    """Plain averages."""
    bins = 32_769
    return DatasetFeatures(
        eq=dict.fromkeys(STEMS, 1.0 / (1.0 + np.arange(bins) / 200.0)),
        compression=dict.fromkeys(STEMS, (-20.0, 3.0)),
        panning=dict.fromkeys(STEMS, np.full(bins, 0.9)),
        loudness=dict.fromkeys(STEMS, -25.0),
    )
