"""Smoothing of curves over frequency."""

import numpy as np
import scipy.ndimage


def moving_line(curve: np.ndarray, window: int) -> np.ndarray:
    """Moving average (Savitzky-Golay smoothing of order 1), mirrored at the ends, in double.

    Args:
        curve: (bins,).
        window: bins, odd.
    """
    weights = np.full(window, 1.0 / window)
    return scipy.ndimage.convolve1d(np.asarray(curve, np.float64), weights, mode="mirror")
