"""Parts of a file that are read as files of their own."""

import io
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

#: A whole file.
Bytes = bytes | mmap.mmap
#: Bytes that stand for themselves, or a range of the file's own.
Piece = bytes | range
#: The pieces that are read as one file.
Link = tuple[Piece, ...]


class Damaged(Exception):
    """The bytes are not those that were once written; the message says where."""


@dataclass(frozen=True)
class Found:
    """What a file holds."""

    links: tuple[Link, ...] = ()
    """What to read instead of the file as it is; empty where libsndfile reads all of it."""
    notes: tuple[str, ...] = ()
    """What a user should know."""
    exact: bool = True
    """Whether the header's length, or the links', is what decoding gives."""


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
