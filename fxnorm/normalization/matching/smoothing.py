"""Smoothing of curves over frequency."""

import numpy as np
import scipy.signal


def moving_line(curve: np.ndarray, window: int) -> np.ndarray:
    """Savitzky-Golay smoothing of order 1, mirrored at the ends, in double.

    Args:
        curve: (bins,).
        window: bins, odd.
    """
    return scipy.signal.savgol_filter(np.asarray(curve, np.float64), window, 1, mode="mirror")
