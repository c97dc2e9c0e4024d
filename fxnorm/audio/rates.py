"""Sample rates that audio has."""

from typing import Any

import numpy as np

from fxnorm.conventions import HIGHEST_RATE, LOWEST_RATE
from fxnorm.errors import FxNormError


def checked_rate(sample_rate: Any) -> int:
    """A sample rate in Hz as a whole number.

    Raises:
        FxNormError: it is none, or none that audio has.
    """
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float | np.number):
        raise FxNormError(f"sample rate {sample_rate!r}: give a number in Hz")
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE or sample_rate != int(sample_rate):
        raise FxNormError(
            f"sample rate {sample_rate} Hz: must be a whole number from {LOWEST_RATE} to"
            f" {HIGHEST_RATE}"
        )
    return int(sample_rate)
