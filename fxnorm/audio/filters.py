"""Second-order filters of Bristow-Johnson's "Audio EQ Cookbook", as scipy second-order sections."""

import math

import numpy as np

from fxnorm.errors import FxNormError

#: Q of a Butterworth second-order section.
BUTTERWORTH_Q = 0.707


def low_shelf(
    frequency_hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q
) -> np.ndarray:
    """Shelf with `gain_db` at 0 Hz, half of it (in dB) at `frequency_hz`, 0 dB at Nyquist.

    Args:
        frequency_hz: midpoint of the slope, above 0 and below Nyquist.
        gain_db: gain of the shelf.
        sample_rate: in Hz.
        q: steepness.

    Returns:
        (1, 6) second-order section.
    """
    return _shelf(frequency_hz, gain_db, sample_rate, q, direction=1.0)


def high_shelf(
    frequency_hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q
) -> np.ndarray:
    """Shelf with `gain_db` at Nyquist, half of it (in dB) at `frequency_hz`, 0 dB at 0 Hz.

    Arguments and result as for `low_shelf`.
    """
    return _shelf(frequency_hz, gain_db, sample_rate, q, direction=-1.0)


def peaking(
    frequency_hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q
) -> np.ndarray:
    """Bell with `gain_db` at `frequency_hz`, 0 dB far from it; arguments as for `low_shelf`."""
    cos, alpha = _angle(frequency_hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40.0)
    return _section(
        (1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a),
        (1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a),
    )


def low_pass(frequency_hz: float, sample_rate: int) -> np.ndarray:
    """Low-pass of 12 dB per octave, -3 dB at `frequency_hz`."""
    cos, alpha = _angle(frequency_hz, sample_rate, BUTTERWORTH_Q)
    return _section(
        ((1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0),
        (1.0 + alpha, -2.0 * cos, 1.0 - alpha),
    )


def high_pass(frequency_hz: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """High-pass of 12 dB per octave; its gain at `frequency_hz` is `q`."""
    cos, alpha = _angle(frequency_hz, sample_rate, q)
    return _section(
        ((1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0),
        (1.0 + alpha, -2.0 * cos, 1.0 - alpha),
    )


def transfer_function(sos: np.ndarray, n_fft: int) -> np.ndarray:
    """Complex gain of second-order sections at the bins of an FFT, (n_fft // 2 + 1,)."""
    delay = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    powers = np.stack([np.ones_like(delay), delay, delay**2])
    gain: np.ndarray = np.prod((sos[:, :3] @ powers) / (sos[:, 3:] @ powers), axis=0)
    return gain


def _shelf(
    frequency_hz: float, gain_db: float, sample_rate: int, q: float, direction: float
) -> np.ndarray:
    """`direction` 1: low shelf; -1: high shelf, which mirrors the sign of the cosine."""
    cos, alpha = _angle(frequency_hz, sample_rate, q)
    cos *= direction
    a = 10.0 ** (gain_db / 40.0)
    slope = 2.0 * math.sqrt(a) * alpha
    return _section(
        (
            a * ((a + 1.0) - (a - 1.0) * cos + slope),
            direction * 2.0 * a * ((a - 1.0) - (a + 1.0) * cos),
            a * ((a + 1.0) - (a - 1.0) * cos - slope),
        ),
        (
            (a + 1.0) + (a - 1.0) * cos + slope,
            direction * -2.0 * ((a - 1.0) + (a + 1.0) * cos),
            (a + 1.0) + (a - 1.0) * cos - slope,
        ),
    )


def _angle(frequency_hz: float, sample_rate: int, q: float) -> tuple[float, float]:
    if not 0.0 < frequency_hz < sample_rate / 2.0:
        raise FxNormError(
            f"filter frequency {frequency_hz:g} Hz must lie between 0 and {sample_rate / 2:g} Hz"
        )
    if q <= 0.0:
        raise FxNormError(f"filter Q {q:g} must be above 0")
    omega = 2.0 * math.pi * frequency_hz / sample_rate
    return math.cos(omega), math.sin(omega) / (2.0 * q)


def _section(b: tuple[float, float, float], a: tuple[float, float, float]) -> np.ndarray:
    return np.array([[*b, *a]]) / a[0]
