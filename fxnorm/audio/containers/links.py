"""A file's bytes, and parts of it that are read as files of their own."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, overload

_BLOCK = 2**20

#: Bytes that stand for themselves, or a range of the file's own.
Piece = bytes | range
#: The pieces that are read as one file.
Link = tuple[Piece, ...]


class Damaged(Exception):
    """The bytes are not those that were once written; the message says where."""


class FileBytes:
    """The bytes of a file as they are asked for, a block of them kept.

    Not a map of the file: where that is cut or lost meanwhile, the system would kill the process.

    Args:
        file: open for reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._length = file, os.fstat(file.fileno()).st_size
        self._start, self._block = 0, b""

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> bytes: ...
    def __getitem__(self, place: int | slice) -> int | bytes:
        if isinstance(place, int):
            inside = place - self._start
            if 0 <= inside < len(self._block):
                return self._block[inside]
            return self[place : place + 1][0]
        start, stop, _ = place.indices(self._length)
        if not self._start <= start <= stop <= self._start + len(self._block):
            self._load(start, max(stop, start + _BLOCK))
        return self._block[start - self._start : max(0, stop - self._start)]

    def find(self, wanted: bytes, start: int) -> int:
        """Where bytes are found first from a place on; -1 for nowhere."""
        while start < self._length:
            if not self._start <= start < self._start + len(self._block):
                self._load(start, start + _BLOCK)
            found = self._block.find(wanted, start - self._start)
            if found >= 0:
                return self._start + found
            end = self._start + len(self._block)
            if end == self._length:
                break
            # What is wanted may lie across the edge of two blocks.
            start = max(start, end - len(wanted) + 1)
            self._load(start, start + _BLOCK)
        return -1

    def _load(self, start: int, stop: int) -> None:
        self._file.seek(start)
        stop = min(stop, self._length)
        self._start, self._block = start, self._file.read(max(0, stop - start))
        if start + len(self._block) < stop:
            raise Damaged("was changed while it was read")


#: A whole file.
Bytes = bytes | FileBytes


@dataclass(frozen=True)
class Found:
    """What a file holds."""

    links: tuple[Link, ...] = ()
    """What to read instead of the file as it is; empty where libsndfile reads all of it."""
    notes: tuple[str, ...] = ()
    """What a user should know."""
    exact: bool = True
    """Whether the header's length, or the links', is what decoding gives."""
    by_ffmpeg: bool = False
    """Whether it is none of libsndfile's, which opens it all the same."""
    late: int = 0
    """Samples that coding put in front of the recording and that the file does not tell."""
    begins: int | None = None
    """Sample of a session's time at which it begins; None where it does not say."""


def is_known(size: int) -> bool:
    """Whether a header's size is one: programs that write to a pipe put the largest there is."""
    return size % 2**31 < 2**31 - 2**16


def cut_off(present: int, declared: int) -> Damaged:
    """Where so many bytes of audio are left of so many."""
    return Damaged(f"ends early, with {present} of {declared} bytes of audio")


def damaged_at(at: int, data: Bytes) -> Damaged:
    """Where bytes are not those that were once written."""
    return Damaged(f"is damaged at {at / len(data):.0%} of its length")


def chained(recordings: int) -> list[str]:
    """What a user should know of a file with so many recordings, if they are several."""
    if recordings < 2:
        return []
    return [f"holds {recordings} recordings, one after the other; all are read"]


def open_link(file: BinaryIO, link: Link) -> BinaryIO:
    """A file of the pieces of a link, to be read.

    Args:
        file: from which the ranges are taken.
        link: its pieces.
    """
    return io.BufferedReader(_Pieces(file, link))


class _Pieces(io.RawIOBase):
    """Pieces one behind the other."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        self._file, self._pieces = file, pieces
        self._length = sum(len(piece) for piece in pieces)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        inside = self._at
        for piece in self._pieces:
            if inside < len(piece):
                part = piece[inside : inside + len(buffer)]
                if isinstance(part, range):
                    self._file.seek(part.start)
                    part = self._file.read(len(part))
                buffer[: len(part)] = part
                self._at += len(part)
                return len(part)
            inside -= len(piece)
        return 0
