"""Mixing the songs of a partition that is already normalised."""

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
    """Mix normalised songs into `<folder>/<song>.wav`.

    Args:
        songs: normalised stems.
        folder: where the mixes go.
        model: what mixes them; None for the baseline, the plain sum of the normalised stems.
        title: shown with the progress.
        subtype: of the files; see `fxnorm.audio.write`.

    Returns:
        The mixes' files by song.

    Raises:
        FxNormError: a stem can't be read or a mix can't be written.
    """
    paths = {}
    for song in progress(songs, len(songs), title, "songs"):
        stems = {stem: read_stem(song, stem) for stem in song.stems}
        mixed = sum_stems(stems) if model is None else apply_network(stems, model)
        paths[song.name] = Path(folder) / f"{song.name}.wav"
        audio.write(paths[song.name], mixed, SAMPLE_RATE, subtype)
    return paths


def sum_stems(stems: dict[str, np.ndarray]) -> np.ndarray:
    """Sum of stems of one length, (samples, 2) float32."""
    return np.sum(np.stack(list(stems.values())), axis=0)
