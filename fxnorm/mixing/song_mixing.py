"""Mixing the songs of a partition."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, read_stem
from fxnorm.mixing.inference import apply_network
from fxnorm.models import LoadedModel
from fxnorm.progress import progress
from fxnorm.workers import OnDisk, in_processes, on_disk


def mix_songs(
    songs: Sequence[Song],
    folder: str | os.PathLike[str],
    model: LoadedModel | None,
    *,
    title: str = "mix",
    subtype: str = "PCM_16",
    jobs: int = 1,
) -> dict[str, Path]:
    """Mix songs into `<folder>/<song>.wav`.

    Args:
        songs: with normalised stems, as the stage `normalize` writes them, for a model.
        folder: where the mixes go.
        model: what mixes them; None for the plain sum of the stems.
        title: shown with the progress.
        subtype: of the files; see `fxnorm.audio.write`. Mixes beyond full scale are FLOAT, as they
            would be clipped: what is scored and heard is then another mix.
        jobs: how many songs at a time; -1 for one per core.

    Returns:
        The mixes' files by song.

    Raises:
        FxNormError: a stem can't be read or a mix can't be written.
    """
    paths = {song.name: Path(folder) / f"{song.name}.wav" for song in songs}

    with on_disk(model, folder) as shared:
        tasks = ((song.name, (song, paths[song.name], shared, subtype)) for song in songs)
        # Torch, FFTs and codecs all release the interpreter.
        done = in_processes(_mix_song, tasks, jobs, threads=True)
        for _ in progress(done, len(songs), title, "songs"):
            pass
    return paths


def _mix_song(song: Song, path: Path, shared: OnDisk[LoadedModel | None], subtype: str) -> None:
    model = shared.value
    mixed = sum_song(song) if model is None else apply_network(song.stems, model)
    audio.write(path, mixed, SAMPLE_RATE, "FLOAT" if audio.peak(mixed) > 1.0 else subtype)


def sum_song(song: Song) -> np.ndarray:
    """The plain sum of a song's stems, (samples, 2) float32."""
    total = np.zeros((song.samples, 2), np.float32)
    for stem in song.stems:
        total += read_stem(song, stem)
    return total
