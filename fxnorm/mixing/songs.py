"""Mixing the songs of a partition."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fxnorm import audio
from fxnorm.data import Song, read_stem
from fxnorm.mixing.network import apply_network
from fxnorm.models import LoadedModel
from fxnorm.progress import progress
from fxnorm.stems import SAMPLE_RATE


def mix_songs(
    songs: Sequence[Song],
    folder: str | os.PathLike[str],
    model: LoadedModel | None,
    *,
    title: str = "mix",
    subtype: str = "PCM_16",
) -> dict[str, Path]:
    """Mix songs into `<folder>/<song>.wav`.

    Args:
        songs: with normalised stems, as the stage `normalize` writes them, for a model.
        folder: where the mixes go.
        model: what mixes them; None for the plain sum of the stems.
        title: shown with the progress.
        subtype: of the files; see `fxnorm.audio.write`.

    Returns:
        The mixes' files by song.

    Raises:
        FxNormError: a stem can't be read or a mix can't be written.
    """
    paths = {}
    for song in progress(songs, len(songs), title, "songs"):
        mixed = sum_song(song) if model is None else apply_network(song.stems, model)
        paths[song.name] = Path(folder) / f"{song.name}.wav"
        audio.write(paths[song.name], mixed, SAMPLE_RATE, subtype)
    return paths


def sum_song(song: Song) -> np.ndarray:
    """The plain sum of a song's stems, (samples, 2) float32."""
    total = np.zeros((song.samples, 2), np.float32)
    for stem in song.stems:
        total += read_stem(song, stem)
    return total
