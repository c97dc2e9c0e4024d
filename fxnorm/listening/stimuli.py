"""Listening-test stimuli: excerpts of equal length and loudness behind opaque names."""

import hashlib
import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fxnorm.audio import (
    info,
    integrated_loudness,
    read,
    short_term_loudness,
    to_stereo,
    true_peak_db,
    write,
)
from fxnorm.audio.excerpts import (
    busiest_start,
    fade,
    match_loudness,
    read_excerpt,
)
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.listening.tool_formats import StimulusPage, write_waet, write_webmushra
from fxnorm.outputs import atomic_folder
from fxnorm.progress import progress
from fxnorm.seeds import generator

#: Name, in the key, of the sum of the dry stems.
REFERENCE = "reference"
#: The folder that may be put online; the key lies beside it.
HOSTED = "hosted"
#: Columns of the key, in order.
KEY_COLUMNS = (
    "id",
    "page",
    "song",
    "system",
    "start_s",
    "seconds",
    "gain_db",
    "lufs",
    "true_peak_dbtp",
    "lowered_db",
)

#: The shortest file that has a loudness, in seconds (ITU-R BS.1770: one block).
_LEAST_S = 0.4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListeningSong:
    """One page of the test.

    Attributes:
        name: the song's name, for the key.
        mixes: audio file of each system's mix, the human mix among them.
        stems: the dry stems; their sum is the reference, and the excerpt is where all are active.
            They must be aligned with the mixes.
    """

    name: str
    mixes: Mapping[str, str | os.PathLike[str]]
    stems: Sequence[str | os.PathLike[str]]


def export_stimuli(
    songs: Sequence[ListeningSong],
    folder: str | os.PathLike[str],
    config: ListeningConfig | None = None,
    *,
    seed: int,
) -> pd.DataFrame:
    """Write a listening test that can be hosted, and beside it the key to what is what.

    `folder/hosted` holds `stimuli/<id>.wav`, `webmushra.yaml` and `waet/ape.xml`;
    `folder/key.csv` is never inside the hosted part. All files of a song have the same length,
    and the same loudness to within 0.1 LU. The same arguments give the same bytes.

    Args:
        songs: the pages.
        folder: written as a whole; an earlier export there is replaced.
        config: lengths, levels, criteria; the default is the paper's test.
        seed: names of the files and dither derive from it.

    Returns:
        The key, one row per file: id, page, song, system ("reference" is the sum of the dry
        stems), start_s, seconds, gain_db, the lufs and true_peak_dbtp measured in the written
        file, and lowered_db, by how much the whole page stays below the target loudness for the
        sake of the true-peak ceiling.

    Raises:
        FxNormError: no songs, songs of the same name or without mixes or stems, unreadable or
            silent audio, or `folder` holds something else.
    """
    config = config or ListeningConfig()
    _check(songs, Path(folder))
    rows: list[dict[str, object]] = []
    with atomic_folder(folder, replaces=(HOSTED, "key.csv")) as temporary:
        hosted = temporary / HOSTED
        for number, song in enumerate(progress(songs, len(songs), "stimuli", "songs"), start=1):
            page = f"song{number:02d}"
            rows += _export_song(song, page, hosted / "stimuli", config, seed)
        key = pd.DataFrame(rows, columns=list(KEY_COLUMNS))
        if key["id"].duplicated().any():
            raise FxNormError("two stimuli got the same name; use another seed")
        pages = _pages(key)
        write_webmushra(hosted / "webmushra.yaml", pages, config)
        write_waet(hosted / "waet" / "ape.xml", pages, config)
        key.to_csv(temporary / "key.csv", index=False, float_format="%.3f", lineterminator="\n")
    return key


def opaque_id(seed: int, song: str, system: str) -> str:
    """The name of a stimulus: it begins with a letter, as XML ids must, and tells nothing."""
    text = "\0".join([str(seed), "stimulus", song, system])
    return "s" + hashlib.sha256(text.encode()).hexdigest()[:12]


def dither(audio: np.ndarray, bits: int, rng: np.random.Generator) -> np.ndarray:
    """Add triangular noise of two steps' width, to be rounded to `bits` afterwards.

    With this density neither mean nor power of the rounding error depends on the signal
    (Lipshitz, Wannamaker & Vanderkooy 1992, JAES 40(5)).
    """
    step = 2.0 ** (1 - bits)
    noise = rng.random(audio.shape) - rng.random(audio.shape)
    return audio + step * noise


def _check(songs: Sequence[ListeningSong], folder: Path) -> None:
    if not songs:
        raise FxNormError("no songs to export; give at least one")
    names = [song.name for song in songs]
    for song in songs:
        if names.count(song.name) > 1:
            raise FxNormError(f"{song.name}: more than one song of this name; rename one")
        if not song.mixes or not song.stems:
            raise FxNormError(f"{song.name}: needs at least one mix and one dry stem")
        if REFERENCE in song.mixes:
            raise FxNormError(f"{song.name}: '{REFERENCE}' names the dry sum; rename that system")
    if folder.exists() and not folder.is_dir():
        raise FxNormError(f"{folder}: is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "key.csv").is_file():
        raise FxNormError(f"{folder}: holds files of something else; give a new or empty folder")


def _export_song(
    song: ListeningSong, page: str, folder: Path, config: ListeningConfig, seed: int
) -> list[dict[str, object]]:
    start_s, seconds = _excerpt(song, config)
    samples = round(seconds * SAMPLE_RATE)
    versions = {
        system: read_excerpt(path, start_s, samples, SAMPLE_RATE)
        for system, path in song.mixes.items()
    }
    versions[REFERENCE] = np.sum(
        [read_excerpt(path, start_s, samples, SAMPLE_RATE) for path in song.stems], axis=0
    )
    fade_samples = round(config.fade_ms * SAMPLE_RATE / 1000.0)
    versions = {system: fade(audio, fade_samples) for system, audio in versions.items()}
    try:
        match = match_loudness(
            versions,
            SAMPLE_RATE,
            target_lufs=config.target_lufs,
            ceiling_dbtp=config.ceiling_dbtp,
        )
    except FxNormError as error:
        raise FxNormError(f"{song.name}: {error}") from error
    if match.lowered_db > 0.0:
        _log.warning(
            "%s: all its stimuli are %.1f dB below %.1f LUFS, so that none exceeds %.1f dBTP",
            song.name,
            match.lowered_db,
            config.target_lufs,
            config.ceiling_dbtp,
        )
    rows = []
    for system, audio in match.apply(versions).items():
        identifier = opaque_id(seed, song.name, system)
        lufs, true_peak = _write(folder / f"{identifier}.wav", audio, config.bits, seed)
        values = (
            *(identifier, page, song.name, system, start_s, seconds),
            *(match.gains_db[system], lufs, true_peak, match.lowered_db),
        )
        rows.append(dict(zip(KEY_COLUMNS, values, strict=True)))
    return rows


def _excerpt(song: ListeningSong, config: ListeningConfig) -> tuple[int, float]:
    lengths = {str(path): info(path).duration_s for path in [*song.mixes.values(), *song.stems]}
    shortest = min(lengths.values())
    if shortest < _LEAST_S:
        file = min(lengths, key=lambda file: lengths[file])
        raise FxNormError(f"{file}: lasts {shortest:.2f} s, too short to compare; replace the file")
    if max(lengths.values()) - shortest > 1.0:
        _log.warning(
            "%s: its files differ in length by %.1f s (shortest: %s); are they aligned?",
            song.name,
            max(lengths.values()) - shortest,
            min(lengths, key=lambda path: lengths[path]),
        )
    if shortest <= config.excerpt_s:
        _log.warning(
            "%s: used whole, %.1f s instead of %.1f s", song.name, shortest, config.excerpt_s
        )
        return 0, math.floor(shortest * SAMPLE_RATE) / SAMPLE_RATE
    profiles = []
    for path in song.stems:
        audio, sample_rate = read(path)
        audio = to_stereo(audio)[: math.floor(shortest * sample_rate)]
        profiles.append(short_term_loudness(audio, sample_rate, hop_s=1.0)[1])
    start_s, activity_lufs = busiest_start(profiles, config.excerpt_s)
    start_s = min(start_s, math.floor(shortest - config.excerpt_s))
    _log.info(
        "%s: excerpt from %d s, where its least active stem has %.1f LUFS",
        song.name,
        start_s,
        activity_lufs,
    )
    return start_s, config.excerpt_s


def _write(path: Path, audio: np.ndarray, bits: int, seed: int) -> tuple[float, float]:
    if bits == 16:
        audio = dither(audio, bits, generator(seed, "dither", path.stem))
    write(path, audio, SAMPLE_RATE, subtype=f"PCM_{bits}")
    written, _ = read(path)
    return integrated_loudness(written, SAMPLE_RATE), true_peak_db(written)


def _pages(key: pd.DataFrame) -> list[StimulusPage]:
    pages = []
    for page, rows in key.groupby("page", sort=True):
        is_reference = rows["system"] == REFERENCE
        # Sorted by their opaque names: the order in the files gives nothing away either.
        stimuli = tuple(sorted(rows.loc[~is_reference, "id"]))
        pages.append(StimulusPage(str(page), rows.loc[is_reference, "id"].item(), stimuli))
    return pages
