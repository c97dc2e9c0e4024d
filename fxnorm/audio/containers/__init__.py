"""What the bytes of audio files say of their length, where libsndfile would read too little.

Each module looks through one kind of file and gives its links: ranges of bytes that libsndfile
reads exactly, one after the other, with headers mended where they say too little.
"""

from fxnorm.audio.containers.caf import caf_links
from fxnorm.audio.containers.flac import flac_links
from fxnorm.audio.containers.links import (
    Damaged,
    FileBytes,
    Found,
    Link,
    cut_off,
    is_known,
    open_link,
)
from fxnorm.audio.containers.mp3 import mp3_links
from fxnorm.audio.containers.ogg import ogg_links
from fxnorm.audio.containers.wav import wav_links

__all__ = [
    "Damaged",
    "FileBytes",
    "Found",
    "Link",
    "caf_links",
    "cut_off",
    "flac_links",
    "is_known",
    "mp3_links",
    "ogg_links",
    "open_link",
    "wav_links",
]
