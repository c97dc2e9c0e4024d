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
    curve = np.asarray(curve, np.float64)
    smooth: np.ndarray = scipy.ndimage.convolve1d(curve, weights, mode="mirror")
    return smooth
