"""A look at the generated songs: spectrograms of stems and mixtures."""

import os
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxnorm.audio import db, read, stft
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.errors import FxNormError

_SONGS = 4
_FFT = 2048
_HOP = 1024
_ROWS = (*STEMS, "mixture")
#: Logarithmic frequency axis in Hz, and the range of levels shown.
_FREQUENCIES_HZ = np.geomspace(40.0, 18_000.0, 160)
_RANGE_DB = 75.0


def overview_figure(folder: str | os.PathLike[str]) -> Figure:
    """Spectrograms of the first four training songs, by name, a column each: every one of a style.

    Args:
        folder: as `synthesize` wrote it.

    Raises:
        FxNormError: the folder holds no generated songs.
    """
    train = Path(folder) / "wet" / "train"
    paths = sorted(path for path in train.glob("*") if path.is_dir())[:_SONGS]
    if not paths:
        raise FxNormError(f"{train}: no songs; run the stage 'synthesize' first")
    figure = Figure(figsize=(4.2 * len(paths), 2.1 * len(_ROWS)), layout="constrained")
    grid = figure.subplots(len(_ROWS), len(paths), squeeze=False, sharey=True)
    for column, path in zip(grid.T, paths, strict=True):
        for axes, row in zip(column, _ROWS, strict=True):
            _spectrogram(axes, path / f"{row}.wav")
        column[0].set_title(path.name, fontsize=10)
        column[-1].set_xlabel("time (s)")
    for axes, row in zip(grid[:, 0], _ROWS, strict=True):
        axes.set_ylabel(f"{row}\nfrequency (Hz)")
    return figure


def _spectrogram(axes: Axes, path: Path) -> None:
    audio, _ = read(path)
    power = sum(np.abs(stft(channel, _FFT, _HOP)) ** 2 for channel in audio.T)
    bins_hz = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    levels = np.stack([np.interp(_FREQUENCIES_HZ, bins_hz, frame) for frame in power], axis=1)
    levels_db = db(levels) / 2.0
    time_s = np.arange(levels.shape[1]) * _HOP / SAMPLE_RATE
    top = float(levels_db.max())
    axes.pcolormesh(
        time_s,
        _FREQUENCIES_HZ,
        levels_db,
        vmin=top - _RANGE_DB,
        vmax=top,
        cmap=matplotlib.colormaps["magma"],
        rasterized=True,
        shading="nearest",
    )
    axes.set_yscale("log")
