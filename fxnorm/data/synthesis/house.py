"""What the engineer finds right: by style, instrument and voice.

Tones are gains in dB at `CURVE_HZ`, levels are in LU. Whatever a style is given is taken relative
to the average over the styles, so that all styles together keep the averages of MUSDB18.
"""

from collections.abc import Mapping

import numpy as np

CURVE_HZ = np.array([50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12_800.0])


def _centred(rows: Mapping[str, tuple[float, ...]]) -> dict[str, np.ndarray]:
    mean = np.mean(list(rows.values()), axis=0)
    return {name: np.array(row) - mean for name, row in rows.items()}


STYLE_TONES = _centred(
    {
        "rock": (-2.0, 0.0, -0.5, -1.0, 0.0, 2.0, 3.0, 1.0, 0.0),
        "pop": (1.0, 0.0, -1.0, -2.0, 0.0, 0.5, 1.0, 3.0, 4.0),
        "ballad": (-3.0, -1.5, 2.0, 2.0, 1.0, -1.5, -2.5, -2.0, -2.0),
        "soul": (0.0, 2.5, 2.5, 1.0, 0.0, -1.5, -2.0, -3.0, -4.0),
        "folk": (-9.0, -4.0, 1.0, 2.0, 1.0, 0.0, 0.0, -2.0, -3.0),
        "electronic": (9.0, 3.0, -3.5, -3.0, -2.0, -1.0, 0.5, 3.0, 5.0),
    }
)
_LEVELS = _centred(
    {
        "rock": (-1.0, 0.0, 1.5, 2.0),
        "pop": (0.5, 0.0, 0.5, -1.0),
        "ballad": (1.5, -1.0, -3.0, 0.0),
        "soul": (0.0, 1.5, 0.5, -0.5),
        "folk": (1.0, -1.5, -4.0, 1.0),
        "electronic": (-2.0, 2.5, 2.0, 0.0),
    }
)
STYLE_LEVELS = {
    style: dict(zip(("vocals", "bass", "drums", "other"), row, strict=True))
    for style, row in _LEVELS.items()
}
#: Similarity of the channels, relative to the average.
STYLE_WIDTHS = {
    style: float(row[0])
    for style, row in _centred(
        {
            "rock": (-0.02,),
            "pop": (-0.01,),
            "ballad": (0.0,),
            "soul": (0.02,),
            "folk": (0.02,),
            "electronic": (-0.02,),
        }
    ).items()
}
#: Loudness of the finished mix relative to the target, in LU: heavy music is mastered louder.
MASTERING = {
    "rock": 1.0,
    "pop": 0.5,
    "ballad": -1.0,
    "soul": 0.0,
    "folk": -2.0,
    "electronic": 0.5,
}
#: Deep voices are kept clear, high ones warm.
VOICES = _centred(
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
#: What the smoothing and averaging of the data set's features, and the chain behind the equaliser,
#: add to a single song's curves: taken away from what is wanted, at `BANDS_HZ`.
HOUSE_DB = {
    "vocals": (-1.5, 3.6, 4.4, 4, 3.9, 3.6, 3, 2.3, 1.1, -0.1, -0.9, -2.4, -1.1, -0.2, 0.2, -0.2, 0.7, 2.9, 0.3, -1.1, -0.8, -1.3, -1.6, -0.7, -1, -1.4, -2.3, -5.1),
    "bass": (-4.9, -2.7, -0.6, -4.1, -1.2, 2.7, 1.8, 2.5, 1.6, 0.2, -0.5, 0.3, 0.3, 0.2, 0.6, 0.9, 0.5, 0.7, 1.3, 1.4, 1.3, -0, -0.3, -1.2, -3.9, -9.2, -14.1, -13.4),
    "drums": (1.4, 4.4, 3.3, -0.9, -0.4, 0.8, -1.3, -1.3, -1, 0.3, 0.4, -0.2, 0.1, 0.1, -0.1, -0.2, 0.6, 0.3, -0.4, -0.6, -0.3, -0, -0.5, -0.1, -0.3, -0.8, -1.7, -3.2),
    "other": (0.3, 5.7, 6.5, 6, 5.5, 4.9, 3.9, 3, 1.2, -0.2, -0.7, -1.3, -0.2, 0.2, 0.4, -0.3, 0.1, 1.7, 0.4, 0.1, 0, 0.4, -0.2, -1, -1.4, -1.2, -2, -4.2),
}
HOUSE_PHI = {
    "vocals": (13, 17, 16, 14, 13, 13, 11, 10, 10, 5, 2, 5, 4, 6, 6, 4, -6, -6, -8, 7, 19, 26, 15, 7, 2, -7, -16, -36),
    "bass": (20, 20, 20, 19, 19, 19, 17, 16, 16, 15, 11, 10, 4, -4, -7, -1, -11, -12, -30, -9, -12, -11, -24, -35, -65, -90, -155, -185),
    "drums": (21, 21, 22, 21, 22, 21, 20, 15, 15, 13, 10, 2, -6, -16, -17, -2, -6, -7, -20, 3, -12, 0, 0, -4, -23, -50, -76, -90),
    "other": (-12, -12, -12, -12, -12, -13, -13, -11, -16, -17, -17, -19, -20, -19, -17, -8, -11, -12, -6, 1, 1, 11, 8, 6, -11, -53, -117, -168),
}
