"""Normalising a whole partition on disk."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, read_stem
from fxnorm.errors import FxNormError
from fxnorm.normalization.normalizer import FxNormalizer
from fxnorm.outputs import atomic_file, write_text
from fxnorm.progress import progress
from fxnorm.seeds import derive_seed
from fxnorm.stems import in_order
from fxnorm.workers import OnDisk, in_processes, on_disk


def normalize_dataset(
    songs: Sequence[Song],
    folder: str | os.PathLike[str],
    normalizer: FxNormalizer,
    *,
    seed: int,
    subtype: str = "PCM_16",
    jobs: int = -1,
    cache: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Normalise every stem of every song into `<folder>/<song>/<stem>.wav`.

    One stem is one task of a worker process, so that no more stems than workers are in memory.
    The files are the same for any number of workers.

    Args:
        songs: what to normalise.
        folder: where the files go.
        normalizer: the chain.
        seed: the project's seed; each song's is derived from it and the song's name.
        subtype: of the files written; see `fxnorm.audio.write`.
        jobs: worker processes; -1 for all cores.
        cache: folder that keeps finished stems in case the run is interrupted, one for each
            combination of input and settings; a further run with it continues where the last one
            stopped. It is removed when all is done.

    Returns:
        The stems' reports (see `NormalizedStem`) with the key `song` added, song by song in the
        order of `songs` and, within a song, of `fxnorm.stems.in_order`.

    Raises:
        FxNormError: no songs, two songs of one name, or a file that can't be read or written.
    """
    if not songs:
        raise FxNormError("no songs to normalise; check the partition")
    names = [song.name for song in songs]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FxNormError(f"songs with the same name: {', '.join(twice)}; rename them")
    target = Path(folder)
    kept = None if cache is None else Path(cache)
    with on_disk(normalizer, target) as shared:
        tasks = [
            (song.name, (song, stem, target, shared, seed, subtype, kept))
            for song in songs
            for stem in in_order(song.stems)
        ]
        results = in_processes(_normalize_stem, tasks, jobs)
        reports = list(progress(results, len(tasks), "normalise", "stems"))
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)
    return reports


def tabulate_reports(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One flat row per stem, with the same columns in all, for a CSV file or a data frame."""
    flat = [_flatten(report) for report in reports]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    return [{column: row.get(column) for column in columns} for row in flat]


def _flatten(report: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, value in report.items():
        if isinstance(value, dict):
            # "effects" adds nothing to the names of what lies under it.
            row.update(_flatten(value, prefix if key == "effects" else f"{prefix}{key}_"))
        else:
            row[f"{prefix}{key}"] = "; ".join(value) if isinstance(value, list) else value
    return row


def _normalize_stem(
    song: Song,
    stem: str,
    folder: Path,
    shared: OnDisk[FxNormalizer],
    seed: int,
    subtype: str,
    cache: Path | None,
) -> dict[str, Any]:
    normalizer = shared.value
    path = folder / song.name / f"{stem}.wav"
    if cache is None:
        return _process(song, stem, path, normalizer, seed, subtype)
    kept = cache / song.name / f"{stem}.wav"
    # The report is written last: where it is, the audio beside it is whole.
    note = kept.with_suffix(".json")
    if not note.is_file():
        report = _process(song, stem, kept, normalizer, seed, subtype)
        write_text(note, json.dumps(report))
    with atomic_file(path) as temporary:
        shutil.copyfile(kept, temporary)
    return dict(json.loads(note.read_text("utf-8")))


def _process(
    song: Song, stem: str, path: Path, normalizer: FxNormalizer, seed: int, subtype: str
) -> dict[str, Any]:
    result = normalizer(
        read_stem(song, stem), SAMPLE_RATE, stem, derive_seed(seed, "normalize", song.name)
    )
    audio.write(path, result.audio, SAMPLE_RATE, subtype)
    return {"song": song.name, **result.report}
