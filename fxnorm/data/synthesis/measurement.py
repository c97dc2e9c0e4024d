"""Statistics of a data set: what can be compared with released music."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.fft

from fxnorm.audio import db, integrated_loudness, peak
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.dynamics import active_energies, active_rms

_FFT = 4096


def measure(audio: np.ndarray) -> dict[str, float]:
    """Describe one recording.

    Args:
        audio: (samples, 2) at 44.1 kHz.

    Returns:
        `loudness_lufs` (integrated), `peak_db`, `crest_db` (peak over root mean square of the
        active time), `centroid_hz` (of the mean magnitude spectrum), `side_share` (energy of the
        side signal over that of middle and side: 0 = mono, 0.5 = unrelated channels), `low_share`
        (energy below 250 Hz), `active_share` (of the time, above -60 dBFS).
    """
    samples = np.asarray(audio, np.float64)
    _, active = active_energies(samples)
    middle, side = samples.sum(axis=1), samples[:, 0] - samples[:, 1]
    total = (middle**2).sum() + (side**2).sum()
    magnitude, energy = _mean_spectra(samples)
    frequencies = scipy.fft.rfftfreq(_FFT, 1.0 / SAMPLE_RATE)
    return {
        "loudness_lufs": integrated_loudness(audio, SAMPLE_RATE),
        "peak_db": float(db(peak(audio))),
        "crest_db": float(db(peak(audio)) - db(active_rms(samples))),
        "centroid_hz": float((frequencies * magnitude).sum() / (magnitude.sum() + 1e-30)),
        "side_share": float((side**2).sum() / (total + 1e-30)),
        "low_share": float(energy[frequencies < 250.0].sum() / (energy.sum() + 1e-30)),
        "active_share": float(active.mean()) if active.size else 0.0,
    }


def ranges(measurements: Iterable[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Minimum, median and maximum of each quantity."""
    rows = list(measurements)
    statistics: dict[str, Any] = {"minimum": np.min, "median": np.median, "maximum": np.max}
    return {
        key: {
            name: round(float(statistic([row[key] for row in rows])), 4)
            for name, statistic in statistics.items()
        }
        for key in rows[0]
    }


def _mean_spectra(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean magnitude and energy spectrum over frames and channels."""
    padded = np.pad(samples, [(0, -samples.shape[0] % _FFT), (0, 0)]).astype(np.float32)
    frames = padded.T.reshape(2, -1, _FFT) * np.hanning(_FFT).astype(np.float32)
    magnitude = np.abs(scipy.fft.rfft(frames))
    return magnitude.mean(axis=(0, 1)), (magnitude**2).mean(axis=(0, 1))
