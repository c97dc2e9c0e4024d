"""Levels of recordings, and keeping their peaks down."""

import numpy as np
import scipy.ndimage

from fxnorm.audio import from_db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.oscillators import sample_count

#: Steps of 16 bits from silence to full scale.
STEPS = 32_768

#: A recording is active in blocks of this length whose level is above this one.
_BLOCK_S = 0.1
_ACTIVE_DB = -60.0
_LOOKAHEAD_S = 0.004


def active_energies(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean square of every 0.1-s block, and which are active; (samples,) or (samples, 2)."""
    block = sample_count(_BLOCK_S)
    samples = np.asarray(audio, np.float64)
    count = samples.shape[0] // block
    energies = (samples[: count * block] ** 2).reshape(count, -1).mean(axis=1)
    return energies, energies > from_db(2.0 * _ACTIVE_DB)


def active_rms(audio: np.ndarray) -> float:
    """Root mean square of the active time; 0 where there is none."""
    energies, active = active_energies(audio)
    return float(np.sqrt(energies[active].mean())) if active.any() else 0.0


def louder_channel(audio: np.ndarray) -> np.ndarray:
    """The louder channel's magnitude of every sample of (samples, 2)."""
    louder: np.ndarray = np.maximum(np.abs(audio[:, 0]), np.abs(audio[:, 1]))
    return louder


def limiter_gain(peaks: np.ndarray, ceiling: float) -> np.ndarray:
    """Gain that keeps peaks under the ceiling, smoothed over the look-ahead: (samples,)."""
    window = 2 * round(_LOOKAHEAD_S * SAMPLE_RATE) + 1
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    # The smallest gain of a window, averaged over the same window, never exceeds the wanted gain.
    held = scipy.ndimage.minimum_filter1d(wanted, window)
    gain: np.ndarray = scipy.ndimage.uniform_filter1d(held, window)
    return gain


def limit_crest(audio: np.ndarray, crest_db: float) -> np.ndarray:
    """Limit peaks to `crest_db` above the active time's level; (samples, 2) float64."""
    ceiling = active_rms(audio) * float(from_db(crest_db))
    if ceiling == 0.0:
        return audio
    gain = limiter_gain(louder_channel(audio), ceiling)
    return np.asarray(audio * gain[:, None])
