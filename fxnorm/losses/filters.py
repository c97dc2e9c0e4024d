"""The perceptual filters that the mixing losses apply before their spectra."""

from functools import lru_cache

import numpy as np
import scipy

from fxnorm.errors import FxNormError

_TAPS = 101
_PRE_EMPHASIS = 0.85
#: Corner frequencies of the A-weighting in Hz (IEC 61672-1) and its gain at 1 kHz in dB.
_CORNERS_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
_GAIN_1000_DB = 1.9997

#: Names of the filters.
FILTERS = ("a-weighting", "low-pass")


def taps(name: str, sample_rate: int) -> np.ndarray:
    """A filter's taps w, float32: y[n] = sum over k of w[k] x[n - 50 + k].

    "low-pass" is the 3-tap pre-emphasis 1 + 0.85 z, which the released code delays by 49 samples.

    Args:
        name: one of `FILTERS`.
        sample_rate: in Hz.

    Raises:
        FxNormError: an unknown name.
    """
    if name == "a-weighting":
        return a_weighting(sample_rate)
    if name == "low-pass":
        return np.array([1.0, _PRE_EMPHASIS, 0.0], np.float32)
    raise FxNormError(f"loss filter '{name}' is unknown; use {' or '.join(FILTERS)}")


@lru_cache(maxsize=4)
def a_weighting(sample_rate: int) -> np.ndarray:
    """Linear-phase least-squares FIR with 101 taps of the A-weighting, float32, read-only.

    As released, the fit sees 256 bands between pairs of 512 frequencies: every other interval.
    """
    f1, f2, f3, f4 = (2.0 * np.pi * corner for corner in _CORNERS_HZ)
    gain = f4**2 * 10.0 ** (_GAIN_1000_DB / 20.0)
    poles = np.array([-f4, -f4, -f1, -f1, -f3, -f2])
    digital = scipy.signal.bilinear_zpk(np.zeros(4), poles, gain, sample_rate)
    frequencies, response = scipy.signal.freqz_zpk(*digital, worN=512, fs=sample_rate)
    fir = scipy.signal.firls(_TAPS, frequencies, np.abs(response), fs=sample_rate)
    result: np.ndarray = fir.astype(np.float32)
    result.flags.writeable = False
    return result
