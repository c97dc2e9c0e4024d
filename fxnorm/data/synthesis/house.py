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
        "rock": (-2.0, 0.0, 0.0, -1.0, 0.0, 1.5, 2.5, 1.0, 0.0),
        "pop": (1.0, 0.0, -1.0, -2.0, 0.0, 0.5, 1.0, 3.0, 4.0),
        "ballad": (-3.0, -1.0, 2.0, 2.0, 1.0, -1.0, -2.0, -2.0, -2.0),
        "soul": (0.0, 1.5, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0),
        "folk": (-9.0, -3.0, 1.0, 2.0, 1.0, 0.0, 0.0, -2.0, -3.0),
        "electronic": (9.0, 2.0, -3.0, -3.0, -2.0, -1.0, 0.5, 3.0, 5.0),
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
    "vocals": (-0.4, 3.3, 3.8, 3.4, 3.3, 2.9, 2.5, 2, 0.9, -0.1, -0.6, -1.6, -1.4, -0.4, 0.3, -0, 0.9, 2.4, 0.4, -0.8, -0.6, -1, -1.3, -0.7, -1, -1.4, -2.3, -4),
    "bass": (-2.5, -1.8, -0.8, -3.3, -0.7, 2.9, 2.2, 2.3, 1.2, -0.1, -0.5, 0, 0.2, 0.2, 0.5, 0.6, 0.5, 0.8, 1.2, 1.3, 1.2, 0.2, -0.4, -1.4, -3, -5.6, -8, -7.2),
    "drums": (0.7, 2.2, 1.3, -1.2, -0.4, 1.1, -0.4, -0.8, -1.1, -0.1, 0.3, 0.1, 0.2, 0.2, 0.1, 0.1, 0.6, 0.3, -0.4, -0.5, -0.1, 0.3, -0.2, -0.2, -0.4, -1, -1.9, -2.6),
    "other": (2.6, 7.4, 7.9, 7.3, 6.6, 5.8, 4.8, 3.3, 1.2, -0.5, -1.2, -1.6, -0.8, -0.1, 0.2, -0.4, 0.1, 1.3, 0.4, -0.1, -0, 0.1, -0.5, -1.1, -1.4, -1.5, -2.1, -3.1),
}
HOUSE_PHI = {
    "vocals": (12, 15, 14, 13, 12, 12, 11, 10, 10, 6, 4, 6, 5, 7, 7, 5, -4, -6, -8, 4, 14, 25, 16, 8, 4, -4, -10, -26),
    "bass": (22, 22, 22, 21, 21, 21, 19, 18, 18, 17, 13, 12, 6, -1, -4, 0, -8, -10, -26, -14, -20, -21, -30, -36, -57, -70, -86, -109),
    "drums": (27, 27, 28, 27, 28, 27, 26, 22, 22, 20, 18, 11, 3, -7, -10, 2, -2, -1, -13, 0, -15, -2, 0, -2, -15, -28, -38, -52),
    "other": (-23, -23, -23, -23, -23, -23, -23, -21, -24, -24, -23, -23, -23, -21, -19, -14, -18, -17, -10, -2, 0, 13, 13, 12, 1, -25, -47, -83),
}
