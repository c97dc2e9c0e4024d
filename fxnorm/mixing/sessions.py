"""Sessions of many tracks: a folder whose names say what is what, or a table."""

import math
import mimetypes
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from fxnorm import audio
from fxnorm.audio.names import composed, require_target, shown
from fxnorm.configuration import Config, within
from fxnorm.documents import read_yaml
from fxnorm.errors import FxNormError
from fxnorm.mixing.limits import PAN, TRACK_GAIN_DB
from fxnorm.mixing.track_names import is_mix, stem_types_of, take_of, words_of
from fxnorm.mixing.tracks import Track

#: Audio that is not read and that Python's own table of file types does not have.
_NOT_READ = (".dsf", ".dff", ".mogg", ".stem.mp4")
#: What Python's table, or the system's, takes for audio and is notes or names of files.
_NO_SOUND = (".mid", ".midi", ".kar", ".m3u", ".m3u8", ".pls")
#: Names of a table in a song's folder.
_OWN_TABLES = ("session.yaml", "session.yml")
#: What ends the names of the two sides of a stereo recording.
_SIDE = re.compile(r"(.*?)[ ._-]+(l|r|left|right)", re.IGNORECASE | re.DOTALL)
#: So that a track at one side has the gain 1 there.
_SIDE_GAIN_DB = -10.0 * math.log10(2.0)

#: Suffixes of tables.
TABLES = (".yaml", ".yml")


@dataclass(frozen=True)
class Session:
    """The tracks of one song."""

    tracks: dict[str, tuple[Track, ...]]
    """By stem type."""
    notes: tuple[str, ...] = ()
    """What was left out or put to one side, and what was taken for `other`."""


class TrackSettings(Config):
    """What a table says of one file."""

    stem: str
    """Stem type."""
    gain: Annotated[float, within(TRACK_GAIN_DB)] = 0.0
    """Gain in dB."""
    pan: Annotated[float, within(PAN)] = 0.0
    """Position, from -1 (left) to 1 (right)."""


def read_session(
    path: str | os.PathLike[str], types: Collection[str], *, unknown_as_other: bool = False
) -> Session:
    """A folder (`read_folder`), or a table (`read_table`): a folder's own is its `session.yaml`."""
    if Path(path).is_dir():
        if own := own_tables(path):
            session = read_table(own[0], types)
            return replace(session, notes=(f"{own[0]}: is the table of the song",))
        return read_folder(path, types, unknown_as_other=unknown_as_other)
    if Path(path).suffix.lower() in TABLES:
        return read_table(path, types)
    if Path(path).exists():
        raise FxNormError(
            f"{path}: is neither a folder nor a table (.yaml); give a file with the option of its"
            " stem type, such as --vocals"
        )
    raise FxNormError(f"{path}: no such folder or table")


def read_folder(
    folder: str | os.PathLike[str], types: Collection[str], *, unknown_as_other: bool = False
) -> Session:
    """The tracks in a folder, in its folders and linked ones, matched to stem types by their names.

    Hidden files, files that are no audio, and mixes of the whole song are left out. Two mono files
    whose names say left and right are put there (`at_sides`).

    Args:
        folder: of one song.
        types: stem types that can be mixed.
        unknown_as_other: take files whose names say nothing, or several types, as `other`.

    Raises:
        FxNormError: no tracks, files that can't be matched or read, or links to nothing or to a
            folder that is there already.
    """
    found: dict[str, list[Track]] = {}
    notes = [
        f"{path}: is not looked at; a folder's own table is called {_OWN_TABLES[0]}"
        for path in shown(folder)
        if path.suffix.lower() in TABLES
    ]
    doubtful = []
    files, unnamed = _audio_files(Path(folder))
    notes += [
        f"{path}: left out by its name's ending, and may hold audio; name it with an option"
        for path in unnamed
    ]
    # "Sub Culture - Vocals": a title says nothing where other words do.
    title = set.intersection(*(set(words_of(path.stem)) for path in files)) if files else set()
    for path in files:
        inner = path.relative_to(folder)
        matched = stem_types_of(inner, types)
        if len(matched) > 1:
            matched = stem_types_of(inner, types, title) or matched
        if not _is_read(path):
            doubtful.append(f"{inner} (not read here; convert it to wav or flac)")
        elif is_mix(inner) and not matched:
            notes.append(f"{path}: left out, as a mix of the whole song")
        elif len(matched) == 1:
            found.setdefault(matched.pop(), []).append(Track(path))
        elif unknown_as_other and "other" in types:
            found.setdefault("other", []).append(Track(path))
            said = " or ".join(sorted(matched)) or "no stem type"
            notes.append(f"{path}: its name says {said}; taken as other")
        else:
            doubtful.append(f"{inner} ({' or '.join(sorted(matched))})" if matched else f"{inner}")
    if doubtful:
        raise FxNormError(
            f"{folder}: no clear stem type in the name of {', '.join(doubtful)}; rename, name it"
            " with an option such as --bass, write a table, or send it to other (--unknown other)"
        )
    if not found:
        raise FxNormError(f"{folder}: no audio files; give a folder with the song's tracks")
    _require_one_of_a_name([Path(str(t.audio)) for tracks in found.values() for t in tracks])
    session = at_sides({stem: tuple(tracks) for stem, tracks in found.items()})
    notes += _notes_on_versions(folder, found)
    return replace(session, notes=(*notes, *session.notes))


def _notes_on_versions(
    folder: str | os.PathLike[str], found: Mapping[str, Sequence[Track]]
) -> Iterator[str]:
    """Warnings of files of a stem whose names differ only in how far the take was worked on."""
    for its in found.values():
        takes: dict[tuple[str, ...], Path] = {}
        for path in (Path(str(track.audio)) for track in its):
            inner = path.relative_to(folder)
            first = takes.setdefault(take_of(inner), inner)
            if first != inner:
                yield (
                    f"{path}: by its name another version of {first}, and both are in the mix; if"
                    " they are one take, move one away, or write a session.yaml"
                )


def notes_on_place(
    song: str | os.PathLike[str], files: Iterable[str | os.PathLike[str]], types: Collection[str]
) -> tuple[str, ...]:
    """Which audio files to be written lie where the next mix takes them for tracks.

    Args:
        song: its folder; one with a table of its own takes no other files, and a table none at all.
        files: to be written.
        types: stem types that can be mixed.
    """
    place = Path(os.path.realpath(song))
    if not place.is_dir() or own_tables(place):
        return ()
    inner = {file: Path(os.path.realpath(file)) for file in files}
    inner = {file: p.relative_to(place) for file, p in inner.items() if place in p.parents}
    return tuple(
        f"{file}: lies in the song's folder, of which the next mix takes it for a track; move it"
        for file, name in inner.items()
        if stem_types_of(name, types) or not is_mix(name)
    )


def own_tables(folder: str | os.PathLike[str]) -> list[Path]:
    """The tables of a song's folder that say what its files are; the first one counts."""
    return [Path(folder, name) for name in _OWN_TABLES if Path(folder, name).is_file()]


def at_sides(tracks: Mapping[str, Sequence[Track]]) -> Session:
    """The same tracks, the two sides of a stereo recording panned to where they were.

    Two mono files of one stem whose names are the same but for L and R, or left and right, at the
    end ("OH.L.wav", "OH.R.wav"): summed, they are the stereo recording again.

    Args:
        tracks: files by stem type.

    Raises:
        FxNormError: one of two sides can't be read.
    """
    panned, notes = {}, []
    for stem, its_tracks in tracks.items():
        sides: dict[tuple[Path, str], dict[str, Track]] = {}
        for track in its_tracks:
            path = Path(str(track.audio))
            if side := _SIDE.fullmatch(path.stem):
                place = path.parent, composed(side[1]).casefold()
                sides.setdefault(place, {})[side[2][0].lower()] = track
        moved: dict[Track, Track] = {}
        for pair in sides.values():
            if set(pair) == {"l", "r"} and all(_is_mono(track) for track in pair.values()):
                for side_name, pan in (("l", -1.0), ("r", 1.0)):
                    moved[pair[side_name]] = Track(pair[side_name].audio, _SIDE_GAIN_DB, pan)
                left, right = pair["l"].audio, Path(str(pair["r"].audio)).name
                notes.append(f"{left}: with {right}, the two sides of a stereo recording")
        panned[stem] = tuple(moved.get(track, track) for track in its_tracks)
    return Session(panned, tuple(notes))


def _is_mono(track: Track) -> bool:
    return audio.info(str(track.audio)).channels == 1


def _require_one_of_a_name(paths: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(composed(str(path.with_suffix(""))).casefold(), path)
        if other != path:
            raise FxNormError(f"{path}: there is also {other.name}; remove one of the two")


def read_table(path: str | os.PathLike[str], types: Collection[str]) -> Session:
    """A table in YAML: file → stem type, or → `stem`, `gain` (dB) and `pan` (-1 to 1).

    Args:
        path: of the table; files are relative to its folder.
        types: stem types that can be mixed.

    Raises:
        FxNormError: unreadable, a file given twice, unknown keys or stem types, or values out of
            range.
    """
    entries = read_yaml(path, "write a table, one line per file")
    if not isinstance(entries, Mapping) or not entries:
        raise FxNormError(
            f"{path}: not a table; write one line per file, such as 'kick.wav: drums'"
        )
    tracks: dict[str, list[Track]] = {}
    for file, entry in entries.items():
        given = {"stem": entry} if isinstance(entry, str) else entry
        if not isinstance(given, Mapping):
            raise FxNormError(f"{path}: {file}: give its stem type, or stem, gain and pan")
        settings = TrackSettings.parse(given, f"{path}: {file}")
        if settings.stem not in types:
            raise FxNormError(
                f"{path}: {file}: unknown stem '{settings.stem}'; use {', '.join(types)}"
            )
        track = Track(Path(path).parent / str(file), settings.gain, settings.pan)
        tracks.setdefault(settings.stem, []).append(track)
    return Session({stem: tuple(its) for stem, its in tracks.items()})


def _audio_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Those whose names say that they are audio, and those of which only their bytes do."""
    files, unnamed, seen = [], [], {os.path.realpath(folder)}
    for root, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            real = os.path.realpath(Path(root, name))
            if real in seen:
                raise FxNormError(
                    f"{Path(root, name)}: leads to a folder that is there already; remove the link"
                )
            seen.add(real)
        for path in (Path(root, name) for name in sorted(names) if not name.startswith(".")):
            require_target(path)
            if _is_audio(path):
                files.append(path)
            elif audio.begins_like_audio(path):
                unnamed.append(path)
    return files, unnamed


def _raise(error: OSError) -> None:
    raise error


def _is_audio(path: Path) -> bool:
    name = path.name.lower()
    if name.endswith(_NO_SOUND):
        return False
    kind = mimetypes.guess_type(name)[0] or ""
    return _is_read(path) or name.endswith(_NOT_READ) or kind.startswith("audio/")


def _is_read(path: Path) -> bool:
    return path.suffix.lower() in audio.READABLE and not path.name.lower().endswith(_NOT_READ)
