"""Songs of a data set in MUSDB18's layout, checked by their headers before any audio is read.

A song is a folder `<song>/{mixture,vocals,bass,drums,other}.wav` (or .flac), as in MUSDB18-HQ, or
a file `<song>.stem.mp4`, as in the original MUSDB18. Other stem types make other file names.
"""

import math
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fxnorm import audio
from fxnorm.audio.names import require_target, shown
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.data import stem_mp4
from fxnorm.errors import FxNormError, printable
from fxnorm.workers import in_processes

MIXTURE = "mixture"
_SUFFIXES = (".wav", ".flac")
#: Coding of the samples in files of which the header tells all that can be wrong.
_PLAIN = ("PCM_16", "PCM_24", "PCM_32")


@dataclass(frozen=True)
class Song:
    """Where a song's audio is and how long it is."""

    name: str
    """The folder's name, or the file's without `.stem.mp4`, in one line of text."""
    stems: Mapping[str, Path]
    """File of each stem type."""
    mixture: Path
    """File of the human mix."""
    samples: int
    """Length at 44.1 kHz of the longest of these files; the others are read with zeros at the end.
    """
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What reading will change: resampling, mono repeated, shorter files padded."""


@dataclass(frozen=True)
class SongList:
    """Songs found in a folder, and the ones left out with the reason."""

    songs: list[Song]
    skipped: dict[str, str]


def find_songs(
    folder: str | os.PathLike[str],
    stems: Sequence[str] = STEMS,
    *,
    skip_faulty: bool = False,
    how_to_skip: str | None = None,
) -> SongList:
    """List the songs of a folder by name, checking that every file is there and readable.

    Args:
        folder: holds one folder or one `.stem.mp4` per song; other entries are ignored, but for
            links to nothing, which are faulty songs.
        stems: stem types that every song has; `.stem.mp4` files have the types of MUSDB18 alone.
        skip_faulty: leave a song with a missing or unreadable file out instead of failing. For
            that, files are decoded to their end where their headers can't tell that they are whole.
        how_to_skip: the option that leaves faulty songs out, to be named in messages.

    Raises:
        FxNormError: the folder is missing or holds no song, or two of one name, or (unless
            `skip_faulty`) a song is faulty; the message names the song and the file.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FxNormError(f"{root}: no such data set folder; check dataset.root or the path given")
    songs: list[Song] = []
    skipped: dict[str, str] = {}
    for entry in shown(root):
        try:
            require_target(entry)
            if not _is_song(entry, stems):
                continue
            song = _open_song(entry, stems)
            if skip_faulty:
                _decode(song)
            songs.append(song)
        except FxNormError as error:
            if not skip_faulty:
                advice = f", or leave it out with {how_to_skip}" if how_to_skip else ""
                raise FxNormError(f"{error}; mend the song{advice}") from error
            skipped[_song_name(entry)] = str(error)
    if not songs:
        reason = f" ({len(skipped)} faulty ones were skipped)" if skipped else ""
        raise FxNormError(
            f"{root}: holds no song{reason}; expected <song>/{{{','.join([MIXTURE, *stems])}}}.wav"
            f" or <song>{stem_mp4.SUFFIX}"
        )
    refuse_doubles(songs)
    return SongList(songs, skipped)


def refuse_doubles(songs: Sequence[Song]) -> None:
    """See that songs have names of their own, by which their results are kept.

    Raises:
        FxNormError: two have the same.
    """
    seen: dict[str, Path] = {}
    for song in songs:
        if song.name in seen:
            raise FxNormError(
                f"{song.mixture}: a song of this name is also {seen[song.name]}; rename or remove"
                " one"
            )
        seen[song.name] = song.mixture


def read_stem(song: Song, stem: str) -> np.ndarray:
    """Audio of one stem, (song.samples, 2) float32 at 44.1 kHz.

    Raises:
        FxNormError: the file can't be decoded.
    """
    return _read_part(song.stems[stem], stem, song.samples)


def read_mixture(song: Song) -> np.ndarray:
    """Audio of the human mix, (song.samples, 2) float32 at 44.1 kHz.

    Raises:
        FxNormError: the file can't be decoded.
    """
    return _read_part(song.mixture, MIXTURE, song.samples)


def write_mixtures(songs: Sequence[Song], folder: str | os.PathLike[str], subtype: str) -> None:
    """Write every song's human mix as `<folder>/<song>/mixture.wav`, 44.1 kHz stereo.

    Args:
        songs: whose mixes to write.
        folder: where they go.
        subtype: of the files; see `fxnorm.audio.write`.

    Raises:
        FxNormError: a mix can't be read or written.
    """
    paths = (Path(folder) / song.name / f"{MIXTURE}.wav" for song in songs)
    tasks = ((song.name, (song, path, subtype)) for song, path in zip(songs, paths, strict=True))
    deque(in_processes(_write_mixture, tasks, jobs=-1, threads=True), maxlen=0)


def _write_mixture(song: Song, path: Path, subtype: str) -> None:
    audio.write(path, read_mixture(song), SAMPLE_RATE, subtype)


def read_audio(path: str | os.PathLike[str]) -> np.ndarray:
    """Any readable file as (samples, 2) float32 at 44.1 kHz.

    Raises:
        FxNormError: the file can't be decoded, or has more than two channels.
    """
    samples, sample_rate = audio.read(path)
    audio.require_stereo(path, samples.shape[1])
    return audio.resample(audio.to_stereo(samples), sample_rate, SAMPLE_RATE)


def _read_part(path: Path, part: str, length: int) -> np.ndarray:
    samples = stem_mp4.read(path, part) if stem_mp4.is_stem_file(path) else read_audio(path)
    return audio.resample(samples, SAMPLE_RATE, SAMPLE_RATE, samples=length)


def _decode(song: Song) -> None:
    """Find what only decoding shows.

    Raises:
        FxNormError: a file is damaged, or holds samples that are not finite.
    """
    for part, path in {**song.stems, MIXTURE: song.mixture}.items():
        if stem_mp4.is_stem_file(path):
            stem_mp4.read(path, part)
        elif audio.info(path).subtype not in _PLAIN or path.suffix.lower() != ".wav":
            for _ in audio.blocks(path):
                pass


def _is_song(entry: Path, stems: Sequence[str]) -> bool:
    if entry.is_dir():
        parts = {MIXTURE, *stems}
        files = entry.iterdir()
        return any(file.stem in parts and file.suffix.lower() in _SUFFIXES for file in files)
    return stem_mp4.is_stem_file(entry)


def _song_name(entry: Path) -> str:
    name = entry.name[: -len(stem_mp4.SUFFIX)] if stem_mp4.is_stem_file(entry) else entry.name
    return printable(name)  # It becomes a label and a part of other files' names.


def _open_song(entry: Path, stems: Sequence[str]) -> Song:
    if stem_mp4.is_stem_file(entry):
        foreign = [stem for stem in stems if stem not in STEMS]
        if foreign:
            raise FxNormError(f"{entry}: holds no {foreign[0]}, only {', '.join(STEMS)}")
        samples = stem_mp4.length(entry)
        return Song(_song_name(entry), dict.fromkeys(stems, entry), entry, samples)
    files = {part: _part_file(entry, part) for part in (*stems, MIXTURE)}
    headers = {part: audio.info(path) for part, path in files.items()}
    for part, header in headers.items():
        audio.require_stereo(files[part], header.channels)
    lengths = {
        part: math.ceil(header.samples * SAMPLE_RATE / header.sample_rate)
        for part, header in headers.items()
    }
    empty = [str(files[part]) for part, length in lengths.items() if length == 0]
    if empty:
        raise FxNormError(f"{', '.join(empty)}: holds no audio")
    samples = max(lengths.values())
    notes = _header_notes(headers, lengths, samples)
    mixture = files.pop(MIXTURE)
    return Song(_song_name(entry), files, mixture, samples, tuple(notes))


def _part_file(folder: Path, part: str) -> Path:
    files = {path.suffix.lower(): path for path in folder.glob(f"{part}.*") if path.is_file()}
    for suffix in _SUFFIXES:
        if suffix in files:
            return files[suffix]
    raise FxNormError(f"{folder / part}.wav: no such file, and no .flac either")


def _header_notes(
    headers: Mapping[str, audio.AudioInfo], lengths: Mapping[str, int], samples: int
) -> Sequence[str]:
    notes: list[str] = []
    for part, header in headers.items():
        notes += header.notes
        if header.sample_rate != SAMPLE_RATE:
            notes.append(f"{part}: resampled from {header.sample_rate} Hz")
        if header.channels == 1:
            notes.append(f"{part}: mono, repeated on both channels")
        if lengths[part] < samples:
            missing_s = (samples - lengths[part]) / SAMPLE_RATE
            notes.append(f"{part}: {missing_s:.2f} s of silence added at the end")
    return notes
