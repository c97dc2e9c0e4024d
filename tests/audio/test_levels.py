import numpy as np
import pytest

from fxnorm.audio import (
    is_finite,
)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_bad_sample_is_found(value):
    signal = np.zeros((1000, 2), np.float32)
    assert is_finite(signal)
    signal[500, 1] = value
    assert not is_finite(signal)
