"""The bus of a stem: hearing its spectrum and width, and changing both with one equaliser."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from fxnorm.audio import sqrt_hann
from fxnorm.compiling import compiled
from fxnorm.conventions import LONG_TERM_BINS, LONG_TERM_FFT, LONG_TERM_HOP, SAMPLE_RATE
from fxnorm.data.synthesis.real_music import real_curve, third_octave_edges, third_octave_means
from fxnorm.stems import DEFAULT_STEMS

#: Half as many frames as the features of data sets are averaged over.
_HOP = 2 * LONG_TERM_HOP
#: Gains of the side signal in dB at which its width is tried.
SIDE_GAINS_DB = np.arange(-21.0, 22.0, 6.0)
_TAPS = 8192
_GRID = 65_536

#: Third octaves in Hz of all curves.
BANDS_HZ = real_curve("vocals", "eq_db")[0]


@dataclass(frozen=True)
class Heard:
    """What a stem sounds like in third octaves."""

    level_db: np.ndarray
    """Level of the mean magnitude spectrum, smoothed as the data set's features are, (bands,)."""
    phi: np.ndarray
    """Mean similarity of the channels with the side signal at each of `SIDE_GAINS_DB`, (gains,
    bands)."""
    side_db: np.ndarray
    """Energy of the side over that of the middle, (bands,)."""


def hear(audio: np.ndarray, stem: str) -> Heard:
    """Measure a stem's spectrum and width.

    Args:
        audio: (samples, 2); shorter than 65,536 samples it is followed by silence.
        stem: its type.
    """
    padded = np.pad(audio, [(0, max(0, LONG_TERM_FFT - audio.shape[0])), (0, 0)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, LONG_TERM_FFT, axis=0)[::_HOP]
    magnitude = np.zeros(LONG_TERM_BINS)
    phi = np.zeros((SIDE_GAINS_DB.size, BANDS_HZ.size))
    energies = np.zeros((2, BANDS_HZ.size))
    gains = 10.0 ** (SIDE_GAINS_DB / 20.0)
    for frame in frames:
        left, right = scipy.fft.rfft(frame * sqrt_hann(LONG_TERM_FFT), axis=-1)
        _add_frame(left, right, gains, _bands(), magnitude, phi, energies)
    curve = magnitude
    for _ in range(2):
        window = DEFAULT_STEMS[stem].eq_smoothing_bins
        curve = scipy.signal.savgol_filter(curve, window, 1, mode="mirror")
    power = third_octave_means(curve**2, BANDS_HZ)
    counts = np.bincount(_bands()[_bands() >= 0], minlength=BANDS_HZ.size)
    middle, side = energies + 1e-12
    return Heard(
        level_db=10.0 * np.log10(power + 1e-12),
        phi=phi / (counts * frames.shape[0]),
        side_db=10.0 * np.log10(side / middle),
    )


def equalize(audio: np.ndarray, gains_db: np.ndarray, side_db: np.ndarray) -> np.ndarray:
    """Filter middle and side with minimum phase.

    Args:
        audio: (samples, 2).
        gains_db: of both, at `BANDS_HZ`.
        side_db: further gain of the side.

    Returns:
        (samples, 2) float64.
    """
    samples = audio.shape[0]
    middle, side = 0.5 * (audio[:, 0] + audio[:, 1]), 0.5 * (audio[:, 0] - audio[:, 1])
    filtered = [
        scipy.signal.oaconvolve(signal, _minimum_phase(curve_db))[:samples]
        for signal, curve_db in ((middle, gains_db), (side, gains_db + side_db))
    ]
    middle, side = filtered
    return np.stack([middle + side, middle - side], axis=1)


@lru_cache
def _bands() -> np.ndarray:
    """Third octave of each bin, -1 for none: (bins,)."""
    bands = np.full(LONG_TERM_BINS, -1)
    for band, (first, end) in enumerate(third_octave_edges(BANDS_HZ, SAMPLE_RATE / LONG_TERM_FFT)):
        bands[first:end] = band
    return bands


def _minimum_phase(gains_db: np.ndarray) -> np.ndarray:
    """Taps of a filter with these gains at `BANDS_HZ`, by folding its cepstrum: (taps,)."""
    bins_hz = scipy.fft.rfftfreq(_GRID, 1.0 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(bins_hz, 10.0))
    curve_db = np.interp(octaves, np.log2(BANDS_HZ), gains_db)
    cepstrum = scipy.fft.irfft(curve_db * (np.log(10.0) / 20.0))
    cepstrum[1 : _GRID // 2] *= 2.0
    cepstrum[_GRID // 2 + 1 :] = 0.0
    taps = scipy.fft.irfft(np.exp(scipy.fft.rfft(cepstrum)))[:_TAPS]
    fade = _TAPS // 4
    taps[-fade:] *= np.linspace(1.0, 0.0, fade)
    return np.asarray(taps)


@compiled
def _add_frame(
    left: np.ndarray,
    right: np.ndarray,
    gains: np.ndarray,
    bands: np.ndarray,
    magnitude: np.ndarray,
    phi: np.ndarray,
    energies: np.ndarray,
) -> None:
    """Add a frame's magnitudes, and its similarity of channels at each gain of the side."""
    for k in range(left.shape[0]):
        l_re, l_im = 0.5 * left[k].real, 0.5 * left[k].imag
        r_re, r_im = 0.5 * right[k].real, 0.5 * right[k].imag
        magnitude[k] += np.sqrt(l_re * l_re + l_im * l_im) + np.sqrt(r_re * r_re + r_im * r_im)
        band = bands[k]
        if band < 0:
            continue
        m_re, m_im, s_re, s_im = l_re + r_re, l_im + r_im, l_re - r_re, l_im - r_im
        middle, side = m_re * m_re + m_im * m_im, s_re * s_re + s_im * s_im
        energies[0, band] += middle
        energies[1, band] += side
        cross = 2.0 * (m_re * s_re + m_im * s_im)
        for g in range(gains.shape[0]):
            both = middle + gains[g] * gains[g] * side
            between = gains[g] * cross
            if both < 1e-20:
                phi[g, band] += 1.0
            else:
                phi[g, band] += np.sqrt(max(0.0, both * both - between * between)) / both
