"""Listening-test stimuli: excerpts of equal length and loudness behind opaque names."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from fxnorm.errors import FxNormError
from fxnorm.listening.answer_key import ANCHORS, REFERENCE, KeyRow, opaque_id, write_key
from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.listening.own_page import write_own_page, write_stimulus_script
from fxnorm.listening.stimulus_audio import (
    ListeningSong,
    find_excerpt,
    match_versions,
    read_versions,
    write_stimulus,
)
from fxnorm.listening.stimulus_pages import stimulus_pages
from fxnorm.listening.waet import write_waet
from fxnorm.listening.webmushra import write_webmushra
from fxnorm.outputs import atomic_folder, require_own
from fxnorm.progress import progress

#: The folder that may be put online; the key lies beside it.
HOSTED = "hosted"

_log = logging.getLogger(__name__)


def export_stimuli(
    songs: Sequence[ListeningSong],
    folder: str | os.PathLike[str],
    config: ListeningConfig | None = None,
    *,
    seed: int,
) -> list[KeyRow]:
    """Write a listening test that can be hosted, and beside it the key to what is what.

    `folder/hosted` holds `stimuli/<id>.wav`, `index.html` with `audio/<id>.js`,
    `webmushra.yaml` and `waet/ape.xml`; `folder/key.csv` is never inside the hosted part. All
    files of a song have the same length, and the same loudness to within 0.1 LU. The same
    arguments give the same bytes.

    Args:
        songs: the pages; all have mixes of the same systems.
        folder: written as a whole; an earlier export there is replaced.
        config: lengths, levels, criteria; the default is the paper's test.
        seed: names of the files, dither, and the orders of the test page derive from it.

    Returns:
        The key, one row per file; numbers are not rounded as in `key.csv`.

    Raises:
        FxNormError: no songs, songs of the same name, without mixes or stems, or of different
            systems, unreadable or silent audio, or `folder` holds something else.
    """
    config = config or ListeningConfig()
    _check_songs(songs, config)
    require_own(folder, "key.csv")
    rows: list[KeyRow] = []
    with atomic_folder(folder, replaces=(HOSTED, "key.csv")) as temporary:
        hosted = temporary / HOSTED
        lowered_db = _common_lowering(songs, config) if config.common_level else 0.0
        for number, song in enumerate(progress(songs, len(songs), "stimuli", "songs"), start=1):
            page = f"song{number:02d}"
            rows += _export_song(song, page, hosted / "stimuli", config, seed, lowered_db)
        if len({row.id for row in rows}) < len(rows):
            raise FxNormError("two stimuli got the same name; use another seed")
        pages = stimulus_pages(rows)
        write_own_page(hosted / "index.html", pages, config, seed)
        write_webmushra(hosted / "webmushra.yaml", pages, config)
        write_waet(hosted / "waet" / "ape.xml", pages, config)
        write_key(temporary / "key.csv", rows, config, seed)
    return rows


def _check_songs(songs: Sequence[ListeningSong], config: ListeningConfig) -> None:
    if not songs:
        raise FxNormError("no songs to export; give at least one")
    names = [song.name for song in songs]
    systems = {system for song in songs for system in song.mixes}
    for song in songs:
        if names.count(song.name) > 1:
            raise FxNormError(f"{song.name}: more than one song of this name; rename one")
        if not song.mixes or not song.stems:
            raise FxNormError(f"{song.name}: needs at least one mix and one dry stem")
        for name in (REFERENCE, *ANCHORS):
            if name in song.mixes:
                raise FxNormError(
                    f"{song.name}: '{name}' names the dry sum or an anchor made of it, which the"
                    " analysis leaves out; rename that system"
                )
        lacking = sorted(systems - set(song.mixes))
        if lacking:
            raise FxNormError(
                f"{song.name}: has no mix of {', '.join(lacking)}, which other songs have; add it,"
                " or leave out the song or the system"
            )
    wanted = config.page.songs_per_participant
    if wanted is not None and wanted > len(songs):
        raise FxNormError(
            f"page.songs_per_participant: {wanted} of {len(songs)} songs; give at most as many"
        )


def _common_lowering(songs: Sequence[ListeningSong], config: ListeningConfig) -> float:
    """How far the whole test must stay below its loudness so that no file exceeds the ceiling."""
    lowered = []
    for song in progress(songs, len(songs), "levels", "songs"):
        versions = read_versions(song, find_excerpt(song, config), config)
        lowered.append(match_versions(song, versions, config.target_lufs, config).lowered_db)
    return max(lowered)


def _export_song(
    song: ListeningSong,
    page: str,
    folder: Path,
    config: ListeningConfig,
    seed: int,
    lowered_db: float,
) -> list[KeyRow]:
    excerpt = find_excerpt(song, config)
    versions = read_versions(song, excerpt, config)
    match = match_versions(song, versions, config.target_lufs - lowered_db, config)
    lowered_db += match.lowered_db
    if lowered_db > 0.0:
        _log.warning(
            "%s: all its stimuli are %.1f dB below %.1f LUFS, so that none exceeds %.1f dBTP",
            song.name,
            lowered_db,
            config.target_lufs,
            config.ceiling_dbtp,
        )
    rows = []
    for system, audio in match.apply(versions).items():
        identifier = opaque_id(seed, song.name, system)
        file = folder / f"{identifier}.wav"
        lufs, true_peak = write_stimulus(file, audio, config.bits, seed)
        write_stimulus_script(file, folder.with_name("audio") / f"{identifier}.js")
        rows.append(
            KeyRow(
                identifier,
                page,
                song.name,
                system,
                float(excerpt.start_s),
                excerpt.seconds,
                match.gains_db[system],
                lufs,
                true_peak,
                lowered_db,
            )
        )
    return rows
