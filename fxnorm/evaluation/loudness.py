"""Loudness over time."""

import math

import numpy as np
import pyloudnorm

from fxnorm.audio import to_stereo
from fxnorm.evaluation import kernels

_STEP_S = 0.1
_SHORT_TERM_STEPS = 30
_OFFSET_DB = -0.691
_FLOOR_LUFS = -100.0
_CHUNK = 1 << 18


def short_term_loudness(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Loudness of a 3-s window every 0.1 s (EBU R 128 short-term, ungated).

    Args:
        audio: (samples, channels) or (samples,), at least 3 s.
        sample_rate: in Hz.

    Returns:
        Centre of each window in s, and LUFS, floored at -100.
    """
    steps = _step_energies(audio, sample_rate)
    if len(steps) < _SHORT_TERM_STEPS:
        return np.zeros(0), np.zeros(0)
    power = _windows(steps, _SHORT_TERM_STEPS) / (_SHORT_TERM_STEPS * _STEP_S * sample_rate)
    times = (np.arange(len(power)) + _SHORT_TERM_STEPS / 2) * _STEP_S
    return times, np.maximum(_lufs(power), _FLOOR_LUFS)


def _step_energies(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """K-weighted energy, summed over channels, of each 0.1 s; the last step may be partial."""
    audio = to_stereo(audio)
    sections = _k_weighting(sample_rate)
    state = np.zeros((2, 2, 2))
    samples = audio.shape[0]
    total = math.ceil(samples / (_STEP_S * sample_rate))
    edges = [int(_STEP_S * step * sample_rate + 1e-6) for step in range(total)] + [samples]
    energies = np.zeros(total)
    per_chunk = max(1, int(_CHUNK / (_STEP_S * sample_rate)))
    for first in range(0, total, per_chunk):
        last = min(total, first + per_chunk)
        block = np.array(audio[edges[first] : edges[last]].T, np.float64, order="C")
        # The offset keeps the filters' states out of subnormals, as in the normalisation.
        block += 1e-15
        kernels.two_biquads(block, sections, state)
        starts = np.array(edges[first:last]) - edges[first]
        energies[first:last] = np.add.reduceat((block**2).sum(axis=0), starts)
    return energies


def _k_weighting(sample_rate: int) -> np.ndarray:
    shelf = pyloudnorm.IIRfilter(4.0, 1 / math.sqrt(2), 1500.0, sample_rate, "high_shelf")
    high_pass = pyloudnorm.IIRfilter(0.0, 0.5, 38.0, sample_rate, "high_pass")
    return np.array([np.concatenate([stage.b, stage.a]) for stage in (shelf, high_pass)])


def _windows(steps: np.ndarray, width: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(steps, width).sum(axis=-1)


def _lufs(power: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _OFFSET_DB + 10.0 * np.log10(power)
