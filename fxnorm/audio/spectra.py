"""Short-time Fourier transform: no centring, no padding, square-root periodic Hann window."""

from functools import lru_cache

import numpy as np
import scipy.fft


@lru_cache(maxsize=16)
def sqrt_hann(n_fft: int) -> np.ndarray:
    """Square root of the periodic Hann window, (n_fft,) float64, read-only."""
    window = np.sqrt(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft))
    window.flags.writeable = False
    return window


def frame_count(samples: int, n_fft: int, hop: int) -> int:
    """Number of whole frames in `samples`; 0 when there is less than one."""
    return 0 if samples < n_fft else 1 + (samples - n_fft) // hop


def stft(signal: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Unnormalised one-sided STFT, computed in double and rounded to complex64.

    Args:
        signal: (samples,).
        n_fft: frame and FFT length in samples.
        hop: step between frames in samples.

    Returns:
        (frames, n_fft // 2 + 1) complex64; no frames when the signal is shorter than one.
    """
    count = frame_count(signal.shape[0], n_fft, hop)
    if count == 0:
        return np.zeros((0, n_fft // 2 + 1), np.complex64)
    frames = np.lib.stride_tricks.sliding_window_view(signal, n_fft)[::hop][:count]
    spectra: np.ndarray = scipy.fft.rfft(frames * sqrt_hann(n_fft), axis=-1)
    return spectra.astype(np.complex64)
