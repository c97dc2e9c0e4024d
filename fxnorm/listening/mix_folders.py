"""Finding the songs of a listening test: `<mixes>/<system>/<song>.wav` and the dry stems."""

import logging
from collections.abc import Sequence
from pathlib import Path

from fxnorm.audio import is_audio, mixes_by_system
from fxnorm.audio.names import composed, shown
from fxnorm.conventions import STEMS
from fxnorm.data import MIXTURE, Song, find_songs
from fxnorm.errors import FxNormError
from fxnorm.listening.listening_config import HUMAN_MIX
from fxnorm.listening.stimulus_audio import ListeningSong

_log = logging.getLogger(__name__)


def find_listening_songs(
    mixes: Path, dry: Path, stems: Sequence[str] = STEMS
) -> list[ListeningSong]:
    """The songs of a test with everybody's mixes; what is left out is warned of.

    Names match whichever way their accents are encoded.

    Args:
        mixes: a folder per system, in it an audio file per song.
        dry: a folder per song with the dry stems and the human mix.
        stems: stem types that every song has.

    Raises:
        FxNormError: no such folder, a system named "human", two mixes of a song by one system, or
            a link to nothing.
    """
    systems = mixes_by_system(mixes)
    if HUMAN_MIX in systems:
        raise FxNormError(
            f"{mixes / HUMAN_MIX}: '{HUMAN_MIX}' names the songs' own mixtures; rename this system"
        )
    for path in shown(mixes):
        if is_audio(path):
            _log.warning("%s: lies in no system's folder; left out", path)
    found = {composed(song.name): song for song in find_songs(dry, stems).songs}
    for path in sorted(dry.glob("*/*")):
        if is_audio(path) and path.stem not in (*stems, MIXTURE):
            _log.warning("%s: is of no stem type that was named; left out of the reference", path)
    for system, files in systems.items():
        for name, path in files.items():
            if name not in found:
                _log.warning("%s: no song '%s' in %s; left out", path, name, dry)
        if not set(files) & set(found):
            raise FxNormError(
                f"{mixes / system}: holds no mix of a song in {dry}; name mixes like the songs'"
                " folders"
            )
    songs = [_listening_song(name, song, systems) for name, song in found.items()]
    for song in songs:
        if len(song.mixes) == 1:
            _log.warning("%s: no system has mixed it; left out", song.name)
    return [song for song in songs if len(song.mixes) > 1]


def _listening_song(name: str, song: Song, systems: dict[str, dict[str, Path]]) -> ListeningSong:
    own = {system: files[name] for system, files in systems.items() if name in files}
    return ListeningSong(name, {HUMAN_MIX: song.mixture} | own, list(song.stems.values()))
