"""Curves over frequency of whole songs, in bounded memory."""

from collections.abc import Iterator

import numpy as np

from fxnorm.audio import frame_count, stft, to_stereo
from fxnorm.reporting.figure_styles import HIGHEST_HZ, LOWEST_HZ

_N_FFT = 8192
_HOP = 4096
_FRAMES_PER_CHUNK = 64
_POINTS = 240
_SMOOTHING_OCTAVES = 1 / 3


def long_term_spectrum_db(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean power over frames and channels in third octaves around each frequency.

    Args:
        audio: (samples, channels) or (samples,).
        sample_rate: in Hz.

    Returns:
        Frequencies in Hz (240, evenly spaced in octaves from 30 Hz to 20 kHz or Nyquist) and level
        in dB relative to the power of the whole signal.
    """
    power = np.zeros(_N_FFT // 2 + 1)
    for left, right in _frame_spectra(audio):
        power += (np.abs(left) ** 2 + np.abs(right) ** 2).sum(axis=0)
    power /= max(power.sum(), np.finfo(np.float64).tiny)
    frequency, smooth = _third_octaves(power, sample_rate)
    return frequency, 10.0 * np.log10(np.maximum(smooth, 1e-15))


def position_curve(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """φ = 2|L||R| / (|L|² + |R|²), weighted by power over frames and third octaves.

    The weights keep the noise of silent passages and empty bins, whose φ means nothing, out.

    Args:
        audio: (samples, 2), or mono, whose φ is 1.
        sample_rate: in Hz.

    Returns:
        Frequencies in Hz, as of `long_term_spectrum_db`, and φ (0 to 1; NaN where all is silent).
    """
    similar = np.zeros(_N_FFT // 2 + 1)
    power = np.zeros(_N_FFT // 2 + 1)
    for left, right in _frame_spectra(audio):
        similar += (2.0 * np.abs(left) * np.abs(right)).sum(axis=0)
        power += (np.abs(left) ** 2 + np.abs(right) ** 2).sum(axis=0)
    frequency, numerator = _third_octaves(similar, sample_rate)
    _, denominator = _third_octaves(power, sample_rate)
    with np.errstate(invalid="ignore"):
        return frequency, numerator / denominator


def _frame_spectra(audio: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    audio = to_stereo(audio)
    frames = frame_count(len(audio), _N_FFT, _HOP)
    for first in range(0, frames, _FRAMES_PER_CHUNK):
        last = min(frames, first + _FRAMES_PER_CHUNK)
        chunk = audio[first * _HOP : (last - 1) * _HOP + _N_FFT]
        left, right = (stft(channel, _N_FFT, _HOP) for channel in chunk.T)
        yield left, right


def _third_octaves(power: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum of `power` over a third octave around each of the curve's frequencies."""
    highest = min(HIGHEST_HZ, sample_rate / 2 / 2 ** (_SMOOTHING_OCTAVES / 2))
    frequency = np.geomspace(LOWEST_HZ, highest, _POINTS)
    cumulated = np.concatenate([[0.0], np.cumsum(power)])
    edges = np.arange(len(cumulated)) * sample_rate / _N_FFT - sample_rate / _N_FFT / 2
    half = 2.0 ** (_SMOOTHING_OCTAVES / 2)
    upper = np.interp(frequency * half, edges, cumulated)
    lower = np.interp(frequency / half, edges, cumulated)
    return frequency, np.maximum(upper - lower, 0.0)
