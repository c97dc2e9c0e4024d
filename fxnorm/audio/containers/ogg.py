"""Pages of ogg files (RFC 3533): damage that decoders pass over, chained streams, early ends."""

import zlib
from itertools import pairwise

from fxnorm.audio.containers.links import Bytes, Damaged, Found, chained, damaged_at

_HEADER = 27
_FIRST, _LAST = 2, 4
#: Bytes with their bits reversed: zlib's checksum is that of ogg in the other order of bits.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_links(data: Bytes) -> Found:
    """The chained streams of a file, looked through page by page.

    Args:
        data: the file.

    Raises:
        Damaged: bytes that are no page, a page that is not as it was written, or pages missing.
    """
    starts: list[int] = []
    following: dict[int, int] = {}
    at, flags = 0, 0
    while at < len(data) and any(data[at : at + 4]):
        if data[at : at + 4] != b"OggS"[: len(data) - at]:
            raise damaged_at(at, data)
        head = data[at : at + _HEADER + 255]
        stop = at + _HEADER + head[26] + sum(head[_HEADER:][: head[26]]) if head[26:] else at
        if stop > len(data) or stop == at:
            raise Damaged("ends early, within a page")
        # Streams side by side begin together, chained ones behind the others' end.
        begins, begun = head[5] & _FIRST, flags & _FIRST
        serial, number, checksum = (int.from_bytes(head[i : i + 4], "little") for i in (14, 18, 22))
        if begins and not begun:
            starts.append(at)
            following = {}
        if _checksum(data[at:stop]) != checksum or not (begins or following.get(serial) == number):
            raise damaged_at(at, data)
        following[serial] = number + 1
        at, flags = stop, head[5]
    notes = [] if flags & _LAST else ["has no mark at its end and may be cut off"]
    if len(starts) < 2:
        return Found((), tuple(notes))
    links = [(range(start, stop),) for start, stop in pairwise([*starts, at])]
    return Found(tuple(links), (*chained(len(starts)), *notes))


def _checksum(page: bytes) -> int:
    blank = page[:22] + bytes(4) + page[26:]
    found = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)
