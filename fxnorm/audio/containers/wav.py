"""Wav files whose header says less than there is: of recorders that crashed, or beyond 4 GB."""

from fxnorm.audio.containers.links import Bytes, Found, cut_off, is_known

_UNKNOWN = b"\xff\xff\xff\xff"
#: Where the size of the audio lies in RF64 and BW64 (EBU Tech 3306), whose sizes have 64 bits.
_LONG_SIZE = slice(28, 36)
#: Where the time of the first sample lies in the chunk "bext" (EBU Tech 3285).
_REFERENCE = 8 + 338
#: Bytes behind the audio that may be a chunk that ends early, a tag or a filling.
_LEAVINGS = 2**16


def wav_links(data: Bytes) -> Found:
    """The file with its audio up to the end, where the header says less, and when it begins.

    Args:
        data: the file.

    Raises:
        Damaged: there is less audio than the header says.
    """
    if data[:4] not in (b"RIFF", b"RF64", b"BW64") or data[8:12] != b"WAVE":
        return Found()
    at, begins = 12, None
    while at + 8 <= len(data) and data[at : at + 4] != b"data":
        if data[at : at + 4] == b"bext":
            begins = int.from_bytes(data[at + _REFERENCE : at + _REFERENCE + 8], "little")
        at += 8 + _even(_chunk_size(data, at))
    start, size = at + 8, _chunk_size(data, at)
    if data[12:16] == b"ds64" and data[at + 4 : start] == _UNKNOWN:
        size = int.from_bytes(data[_LONG_SIZE], "little")
    if start > len(data) or not is_known(size):
        return Found(begins=begins)
    if size > len(data) - start:
        raise cut_off(len(data) - start, size)
    stop = start + _even(size)
    if len(data) - stop < 8 or _are_chunks(data, stop) or _are_chunks(data, start + size):
        return Found(begins=begins)
    present = len(data) - start
    sizes = b"".join(n.to_bytes(8, "little") for n in (present + start + 28, present, 0)) + bytes(4)
    head = b"RF64" + _UNKNOWN + b"WAVEds64" + len(sizes).to_bytes(4, "little") + sizes
    others = 20 + _chunk_size(data, 12) if data[12:16] == b"ds64" else 12
    head += data[others : start - 4] + _UNKNOWN
    note = "its header says less audio than there is, as after a crash; read up to the file's end"
    return Found(((head, range(start, len(data))),), (note,), begins=begins)


def _are_chunks(data: Bytes, at: int) -> bool:
    """Whether a chunk, a tag or a filling of zeros follows, and not more audio."""
    named = all(32 <= letter < 127 for letter in data[at : at + 4])
    if len(data) - at <= _LEAVINGS:
        return named or data[at : at + 3] in (b"TAG", b"ID3") or not any(data[at : len(data)])
    return named and at + 8 + _chunk_size(data, at) <= len(data)


def _chunk_size(data: Bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8], "little")


def _even(size: int) -> int:
    return size + size % 2
