"""What the engineer finds right: by style, instrument and voice.

Tones are gains in dB at `CURVE_HZ`, levels are in LU. Whatever a style is given is taken relative
to the average over the styles, so that all styles together keep the averages of MUSDB18.
"""

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from fxnorm.conventions import STEMS

_HOUSE_CURVES = Path(__file__).with_name("house_curves.csv")
CURVE_HZ = np.array([50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12_800.0])


def _centered(rows: Mapping[str, float | tuple[float, ...]]) -> dict[str, np.ndarray]:
    mean = np.mean(list(rows.values()), axis=0)
    return {name: np.array(row) - mean for name, row in rows.items()}


STYLE_TONES = _centered(
    {
        "rock": (-2.0, 0.0, -0.5, -1.0, 0.0, 2.0, 3.0, 1.0, 0.0),
        "pop": (1.0, 0.0, -1.0, -2.0, 0.0, 0.5, 1.0, 3.0, 4.0),
        "ballad": (-3.0, -1.5, 2.0, 2.0, 1.0, -1.5, -2.5, -2.0, -2.0),
        "soul": (0.0, 2.5, 2.5, 1.0, 0.0, -1.5, -2.0, -3.0, -4.0),
        "folk": (-9.0, -4.0, 1.0, 2.0, 1.0, 0.0, 0.0, -2.0, -3.0),
        "electronic": (9.0, 3.0, -3.5, -3.0, -2.0, -1.0, 0.5, 3.0, 5.0),
    }
)
_LEVELS = _centered(
    {
        "rock": (-1.0, 0.0, 1.5, 2.0),
        "pop": (0.5, 0.0, 0.5, -1.0),
        "ballad": (1.5, -1.0, -3.0, 0.0),
        "soul": (0.0, 1.5, 0.5, -0.5),
        "folk": (1.0, -1.5, -4.0, 1.0),
        "electronic": (-2.0, 2.5, 2.0, 0.0),
    }
)
STYLE_LEVELS = {style: dict(zip(STEMS, row, strict=True)) for style, row in _LEVELS.items()}
_WIDTHS = _centered(
    {"rock": -0.02, "pop": -0.01, "ballad": 0.0, "soul": 0.02, "folk": 0.02, "electronic": -0.02}
)
#: Similarity of the channels, relative to the average.
STYLE_WIDTHS = {style: float(width) for style, width in _WIDTHS.items()}
#: Loudness of the finished mix relative to the target, in LU: heavy music is mastered louder.
MASTERING = {"rock": 1.0, "pop": 0.5, "ballad": -1.0, "soul": 0.0, "folk": -2.0, "electronic": 0.5}
#: Deep voices are kept clear, high ones warm.
VOICES = _centered(
    {
        "baritone": (0.0, 0.0, -1.0, -1.0, 0.0, 0.5, 1.0, 1.0, 0.5),
        "tenor": (0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.0, 0.0),
        "alto": (0.0, 0.0, 0.5, 0.5, 0.0, 0.0, -0.5, 0.0, 0.0),
        "soprano": (0.0, 0.0, 1.0, 1.0, 0.0, -0.5, -1.0, -0.5, 0.5),
    }
)
_FLAT = np.zeros(CURVE_HZ.size)
#: Level and tone of each bass, and of the instrument that carries the accompaniment.
BASSES = {
    "finger_bass": (0.0, _FLAT),
    "picked_bass": (0.0, np.array([-1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.0])),
    "synth_bass": (0.5, np.array([1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0])),
    "sub_bass": (0.0, np.array([2.0, 1.0, -1.0, -2.0, -2.0, -2.0, -2.0, 0.0, 0.0])),
    "upright_bass": (-0.5, np.array([-1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])),
}
INSTRUMENTS = {
    "distorted_guitar": (1.0, np.array([0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 1.0, -1.0, -2.0])),
    "crunch_guitar": (0.5, np.array([0.0, 0.0, -1.0, 0.0, 1.0, 1.0, 1.0, 0.0, -1.0])),
    "acoustic_guitar": (0.0, np.array([0.0, -1.0, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 2.0])),
    "nylon_guitar": (0.0, np.array([0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0, -1.0])),
    "clean_guitar": (-0.5, np.array([0.0, 0.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])),
    "piano": (0.5, np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])),
    "electric_piano": (0.0, np.array([0.0, 1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0, 0.0])),
    "pluck": (-0.5, np.array([0.0, 0.0, -1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0])),
    "synth_stab": (0.0, np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0])),
}


@lru_cache
def house_curves(stem: str) -> tuple[np.ndarray, np.ndarray]:
    """What is added to MUSDB18's average level in dB and phi to reach it, at `bus.BANDS_HZ`.

    An average over songs is not the average song: silence, the smoothing of the features, the
    chain behind the equaliser and the master change it. The values in `house_curves.csv` were
    settled by generating the default data set, comparing (`benchmarks.songs`) and correcting until
    stems and mixes agreed with the real averages.
    """
    with _HOUSE_CURVES.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == stem]
    return (
        np.array([float(row["level_db"]) for row in rows]),
        np.array([float(row["phi"]) for row in rows]),
    )
