"""Figures of real music that the generated songs are made after and compared with.

`real_music.csv` holds statistics of 13 human mixes of released songs (25-s excerpts), and averages
over MUSDB18's wet stems, which the authors of FxNorm-Automix published (Martínez-Ramírez et al.,
ISMIR 2022). Only figures were taken.
"""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from fxnorm.conventions import SAMPLE_RATE

REAL_MUSIC = Path(__file__).with_name("real_music.csv")
_HALF_BAND = 2.0 ** (1.0 / 6.0)


@lru_cache
def real_curve(part: str, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and means of a quantity of a mixture or stem type."""
    with REAL_MUSIC.open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["part"], r["quantity"]) == (part, quantity)]
    return (
        np.array([float(row["frequency_hz"]) for row in rows]),
        np.array([float(row["mean"]) for row in rows]),
    )


def third_octave_edges(centres_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """First bin of each third octave and the one after its last: (bands, 2)."""
    edges_hz = np.outer(centres_hz, (1.0 / _HALF_BAND, _HALF_BAND))
    return np.ceil(edges_hz / bin_hz).astype(int)


def third_octave_means(curve: np.ndarray, centres_hz: np.ndarray) -> np.ndarray:
    """Means of a curve over the bins of a real FFT in each third octave."""
    bin_hz = SAMPLE_RATE / 2.0 / (curve.shape[-1] - 1)
    return np.stack([curve[a:b].mean() for a, b in third_octave_edges(centres_hz, bin_hz)], axis=-1)
