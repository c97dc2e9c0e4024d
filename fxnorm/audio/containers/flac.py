"""The number of samples of flac files, by their last frame (RFC 9639).

Encoders that write to a pipe leave the number in the header empty, and libsndfile needs it.
"""

import re
from itertools import pairwise

from fxnorm.audio.containers.links import Bytes, Damaged, Found, chained

#: A file's first bytes, and where the 36 bits of the number of samples end.
_MARK, _START = b"fLaC", re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_HEAD, _BITS = 26, 36
#: How far back the last frame is looked for, where the header does not say how long frames are.
_LONGEST_FRAME = 2**17
_SHORTEST_FRAME = 10
#: By the code of a sample rate, how many bytes of the header hold it.
_RATE_BYTES = {12: 1, 13: 2, 14: 2}
_BLOCKS = {1: 192, **{n: 576 << n - 2 for n in range(2, 6)}, **{n: 1 << n for n in range(8, 16)}}


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
    return value


_CHECKSUMS = [_crc(bytes([byte]), 16, 0x8005) for byte in range(256)]
#: Each of them has another lower byte; which one has which.
_INDICES = {checksum & 0xFF: index for index, checksum in enumerate(_CHECKSUMS)}


def flac_links(data: Bytes) -> Found:
    """The recordings of a file, with their true numbers of samples where a header is wrong.

    Args:
        data: the file.

    Raises:
        Damaged: no whole frame at the end of a recording that does not say its length.
    """
    starts, at = list[int](), -1
    while (at := data.find(_MARK, at + 1)) >= 0:
        if _START.match(data[at : at + 8]):
            starts.append(at)
    if not starts or starts[0] != 0:
        return Found(exact=False)
    found = [_recording(data, *ends) for ends in pairwise([*starts, len(data)])]
    notes = chained(len(starts)) + [note for recording in found for note in recording.notes]
    links = tuple(link for recording in found for link in recording.links)
    exact = all(recording.exact for recording in found)
    mended = any(isinstance(piece, bytes) for link in links for piece in link)
    return Found(links if notes or mended else (), tuple(notes), exact)


def _recording(data: Bytes, start: int, stop: int) -> Found:
    """One recording, as it is or with another head."""
    head = data[start : start + _HEAD]
    number = int.from_bytes(head[18:26], "big")
    said = number & (1 << _BITS) - 1
    present = _samples(data, start, stop)
    if present == said or (present is None and said):
        return Found(((range(start, stop),),), exact=present is not None)
    if present is None:
        raise Damaged("ends early, within a frame")
    mended = head[:18] + (number - said + present).to_bytes(8, "big")
    notes = (f"its header says {said} samples, and there are {present}; all are read",)
    link = (mended, range(start + len(head), stop))
    return Found((link,), notes if said else ())


def _samples(data: Bytes, start: int, stop: int) -> int | None:
    """Where a recording's last frame ends in samples; None if no frame ends at its end."""
    longest = int.from_bytes(data[start + 15 : start + 18], "big") or _LONGEST_FRAME
    fixed_block = int.from_bytes(data[start + 10 : start + 12], "big")
    tail = data[max(start + _HEAD, stop - longest) : stop]
    # A whole frame's checksum is 0. Followed back from the end, it is 0 again where a frame begins.
    before = 0
    for at in range(len(tail) - 1, -1, -1):
        index = _INDICES[before & 0xFF]
        before = (index ^ tail[at]) << 8 | (before ^ _CHECKSUMS[index]) >> 8
        if before == 0 and len(tail) - at > _SHORTEST_FRAME:
            begins = int.from_bytes(tail[at : at + 2], "big") & 0xFFFE == 0xFFF8
            end = _end(tail[at:], fixed_block) if begins else None
            if end is not None:
                return end
    return None


def _end(frame: bytes, fixed_block: int) -> int | None:
    """The first sample behind a frame; None if its header is none."""
    number, count = frame[4], 0
    while number & 0x80 >> count:
        count += 1
    number &= 0x7F >> count
    extra = max(0, count - 1)
    for byte in frame[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    code, at = frame[2] >> 4, 5 + extra
    if code in (6, 7):
        block = int.from_bytes(frame[at : at + code - 5], "big") + 1
        at += code - 5
    else:
        block = _BLOCKS.get(code, 0)
    at += _RATE_BYTES.get(frame[2] & 0x0F, 0)
    if _crc(frame[: at + 1], 8, 0x07) != 0:
        return None
    return (number if frame[1] & 1 else number * fixed_block) + block
