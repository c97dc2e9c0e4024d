"""Wav files whose header says less than there is: of recorders that crashed, or beyond 4 GB."""

from fxnorm.audio.containers.links import Bytes, Found

_UNKNOWN = b"\xff\xff\xff\xff"
#: Bytes behind the audio up to which they are taken for some program's leavings.
_LEAVINGS = 2**16


def wav_links(data: Bytes) -> Found:
    """The file with its audio up to the end, where the header says less.

    Args:
        data: the file.
    """
    if data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        return Found()
    at = 12
    while at + 8 <= len(data) and data[at : at + 4] != b"data":
        at += 8 + _even(_size(data, at))
    start = at + 8
    if start > len(data) or data[start - 4 : start] == _UNKNOWN:
        return Found()
    stop = start + _even(_size(data, at))
    shortest = 0 if _size(data, at) == 0 else _LEAVINGS
    if len(data) - stop <= shortest or _are_chunks(data, stop):
        return Found()
    # As RF64 (EBU Tech 3306), whose sizes have 64 bits.
    present = len(data) - start
    sizes = b"".join(n.to_bytes(8, "little") for n in (present + start + 28, present, 0)) + bytes(4)
    head = b"RF64" + _UNKNOWN + b"WAVEds64" + len(sizes).to_bytes(4, "little") + sizes
    head += data[12 : start - 4] + _UNKNOWN
    note = "its header says less audio than there is, as after a crash; read up to the file's end"
    return Found(((head, range(start, len(data))),), (note,))


def _are_chunks(data: Bytes, at: int) -> bool:
    """Whether a named chunk that ends within the file follows, and not more audio."""
    named = all(32 <= letter < 127 for letter in data[at : at + 4])
    return named and at + 8 + _size(data, at) <= len(data)


def _size(data: Bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8], "little")


def _even(size: int) -> int:
    return size + size % 2
