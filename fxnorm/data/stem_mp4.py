"""Native Instruments' stem format, in which MUSDB18 is distributed, decoded by ffmpeg."""

import os
from pathlib import Path

import numpy as np

from fxnorm.audio import ffmpeg
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

SUFFIX = ".stem.mp4"
#: Audio streams in MUSDB18's order.
_STREAMS = ("mixture", "drums", "bass", "other", "vocals")
#: How much shorter than it says a stream may be, in samples: two frames of AAC.
_FRAMES = 2048


def is_stem_file(path: Path) -> bool:
    """Whether a path names a `.stem.mp4` file."""
    return path.name.lower().endswith(SUFFIX)


def length(path: str | os.PathLike[str]) -> int:
    """Samples at 44.1 kHz of the longest stream, from the container's header.

    Raises:
        FxNormError: no ffmpeg, not a readable file, or not five audio streams.
    """
    return max(_lengths(path))


def read(path: str | os.PathLike[str], part: str) -> np.ndarray:
    """Decode one stream.

    Args:
        path: a `.stem.mp4` file.
        part: a stem type or `mixture`.

    Returns:
        (samples, 2) float32 at 44.1 kHz.

    Raises:
        FxNormError: no ffmpeg, not decodable, or shorter than the file says.
    """
    index = _STREAMS.index(part)
    blocks = list(ffmpeg.decoded(path, index, 2, SAMPLE_RATE))
    samples, said = sum(len(block) for block in blocks), _lengths(path)[index]
    if samples == 0:
        raise FxNormError(f"{path}: stream '{part}' holds no audio; replace the file")
    if samples < said - _FRAMES:
        raise FxNormError(f"{path}: '{part}' ends early, with {samples} of {said} samples; copy it")
    return np.concatenate(blocks)


def _lengths(path: str | os.PathLike[str]) -> list[int]:
    """What the file says of each stream, in samples at 44.1 kHz."""
    streams = ffmpeg.streams(path)
    if len(streams) != len(_STREAMS):
        raise FxNormError(
            f"{path}: has {len(streams)} audio streams instead of {len(_STREAMS)}"
            f" ({', '.join(_STREAMS)})"
        )
    return [round((stream.duration_s or 0.0) * SAMPLE_RATE) for stream in streams]
