"""Caf files that end early: libsndfile refuses them, ffmpeg reads what is left."""

from fxnorm.audio.containers.links import Bytes, Found, cut_off


def caf_links(data: Bytes) -> Found:
    """The file as it is, if it is whole.

    Args:
        data: the file.

    Raises:
        Damaged: a chunk ends behind the file's end.
    """
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 12], "big", signed=True)
        at += 12
        if size < 0:  # Up to the end, wherever that is.
            break
        if size > len(data) - at:
            raise cut_off(len(data) - at, size)
        at += size
    return Found()
