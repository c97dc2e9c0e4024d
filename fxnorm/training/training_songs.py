"""Songs to train on, and reading pieces of them from disk."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError


@dataclass(frozen=True)
class TrainingSong:
    """Where a song's audio is: wav or flac at 44.1 kHz, mono or stereo."""

    name: str
    """For messages and tables."""
    inputs: Mapping[str, Path]
    """File of every stem, in the network's order; what the network gets."""
    target: Path | None
    """File of the mix that it should make of them; None where it should give back its inputs, as in
    pretraining."""
    wet: Mapping[str, Path] | None = None
    """Files of the processed stems that sum to the target, in the same order; only augmentation by
    leaving stems out needs them."""


class Piece(NamedTuple):
    """A stretch of a song, float32: inputs and wet are (stems, samples, 2), target (samples, 2)."""

    inputs: np.ndarray
    target: np.ndarray | None
    wet: np.ndarray | None = None


@dataclass(frozen=True)
class OpenSong:
    """A song whose files' headers were read."""

    song: TrainingSong
    """Where the audio is."""
    lengths: Mapping[Path, int]
    """Samples of each of its files."""

    @property
    def samples(self) -> int:
        """Length of the longest file."""
        return max(self.lengths.values())

    def chunk(self, start: int, samples: int, *, wet: bool = False) -> Piece:
        """A stretch that wraps around at the end of the song, as the paper's loader cuts it.

        The song is as long as its longest file, or as `samples` if that is more. Shorter files
        get half of what they lack, and one more, in zeros at both ends. All start at the same
        place, and each wraps to its own beginning.

        Args:
            start: first sample, below the song's length.
            samples: how many.
            wet: read the wet stems as well.
        """
        length = max(self.samples, samples)
        return self._piece(lambda path: self._wrapped(path, length, start, samples), wet)

    def beginning(self, samples: int) -> Piece:
        """The first samples, with zeros after the end of shorter files."""
        return self._piece(lambda path: self._stretch(path, 0, samples), wet=False)

    def _piece(self, read: Callable[[Path], np.ndarray], wet: bool) -> Piece:
        song = self.song
        return Piece(
            np.stack([read(path) for path in song.inputs.values()]),
            None if song.target is None else read(song.target),
            np.stack([read(path) for path in song.wet.values()]) if wet and song.wet else None,
        )

    def _wrapped(self, path: Path, length: int, start: int, samples: int) -> np.ndarray:
        own = self.lengths[path]
        if self.song.wet and self.song.target and path in self.song.wet.values():
            # They sum to the target: what they lack of its length is silence at their end.
            own = max(own, self.lengths[self.song.target])
        missing = length - own
        padding = missing // 2 + 1 if missing > 0 else 0
        tail = min(samples, own + 2 * padding - start)
        chunk = self._stretch(path, start - padding, tail)
        if tail == samples:
            return chunk
        return np.concatenate([chunk, self._stretch(path, -padding, samples - tail)])

    def _stretch(self, path: Path, start: int, samples: int) -> np.ndarray:
        """Samples `start` to `start + samples` of a file, zeros outside it."""
        first, last = max(0, start), min(self.lengths[path], start + samples)
        stretch = np.zeros((samples, 2), np.float32)
        if last > first:
            # A mono file fills both channels.
            stretch[first - start : last - start], _ = audio.read(path, first, last - first)
        return stretch


def open_songs(songs: Iterable[TrainingSong]) -> list[OpenSong]:
    """Read the headers of all files.

    Raises:
        FxNormError: no songs, a missing or unreadable file, another sample rate than 44.1 kHz,
            more than two channels, or songs with different stems.
    """
    opened = [_open_files(song) for song in songs]
    if not opened:
        raise FxNormError("no songs to train or validate with: check the partition's list of songs")
    stems = list(opened[0].song.inputs)
    for entry in opened:
        for files in (entry.song.inputs, entry.song.wet):
            if files is not None and list(files) != stems:
                raise FxNormError(
                    f"{entry.song.name}: has the stems {', '.join(files)}, "
                    f"the first song has {', '.join(stems)}; give all songs the same stems"
                )
    return opened


def _open_files(song: TrainingSong) -> OpenSong:
    paths = [*song.inputs.values(), *(song.wet or {}).values()]
    if song.target is not None:
        paths.append(song.target)
    lengths = {}
    for path in paths:
        header = audio.info(path)
        if header.sample_rate != SAMPLE_RATE:
            raise FxNormError(
                f"{path}: has {header.sample_rate} Hz; resample it to {SAMPLE_RATE} Hz for training"
            )
        if header.channels > 2:
            raise FxNormError(f"{path}: has {header.channels} channels; give mono or stereo")
        if header.samples == 0:
            raise FxNormError(f"{path}: holds no audio; replace the file")
        lengths[path] = header.samples
    return OpenSong(song, lengths)
