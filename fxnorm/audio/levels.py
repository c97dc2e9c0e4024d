"""Levels in decibels relative to full scale."""

import math
from typing import Any

import numpy as np

from fxnorm import scratch

#: Level of what is e times as large.
DB_PER_NEPER = 20.0 / math.log(10.0)


def db(amplitude: Any) -> Any:
    """20 log10(amplitude + 1e-30): finite for silence (-600 dB)."""
    return 20.0 * np.log10(amplitude + 1e-30)


def from_db(level_db: Any) -> Any:
    """Amplitude of a level in dB."""
    return 10.0 ** (np.asarray(level_db) / 20.0)


def peak(audio: np.ndarray) -> float:
    """Largest magnitude over samples and channels; 0 for no samples."""
    if audio.size == 0:
        return 0.0
    lowest, highest = _extremes(audio)
    return float(max(highest, -lowest))


def is_finite(audio: np.ndarray) -> bool:
    """Whether no sample is NaN or infinite."""
    # Either would survive in the largest or the smallest sample; no array is made for that.
    return audio.size == 0 or bool(np.isfinite(_extremes(audio)).all())


def _extremes(audio: np.ndarray) -> tuple[Any, Any]:
    """The smallest and the largest sample, block by block along the longest axis; NaN where any."""
    along = np.moveaxis(audio, int(np.argmax(audio.shape)), 0)
    found = [(along[block].min(), along[block].max()) for block in scratch.blocks(len(along))]
    return np.min(found), np.max(found)


def weighted_sum(*terms: tuple[np.ndarray, float]) -> np.ndarray:
    """The sum of signals (samples, ...) of one shape, each times its weight, float32."""
    total = scratch.empty(terms[0][0].shape)
    for block in scratch.blocks(len(total)):
        total[block] = sum(signal[block] * np.float32(weight) for signal, weight in terms)
    return total


def peak_db(audio: np.ndarray) -> float:
    """Sample peak in dBFS over samples and channels."""
    return float(db(peak(audio)))
