"""Native Instruments' stem format, in which MUSDB18 is distributed, decoded by ffmpeg."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

SUFFIX = ".stem.mp4"
#: Audio streams in MUSDB18's order.
_STREAMS = ("mixture", "drums", "bass", "other", "vocals")


def is_stem_file(path: Path) -> bool:
    """Whether a path names a `.stem.mp4` file."""
    return path.name.endswith(SUFFIX)


def length(path: str | os.PathLike[str]) -> int:
    """Samples at 44.1 kHz of the longest stream, from the container's header.

    Raises:
        FxNormError: no ffmpeg, not a readable file, or not five audio streams.
    """
    answer = _run(
        path,
        "ffprobe",
        *(
            "-select_streams",
            "a",
            "-show_entries",
            "stream=duration",
            "-of",
            "json",
            os.fspath(path),
        ),
    )
    streams = json.loads(answer).get("streams", [])
    if len(streams) != len(_STREAMS):
        raise FxNormError(
            f"{path}: has {len(streams)} audio streams instead of {len(_STREAMS)}"
            f" ({', '.join(_STREAMS)})"
        )
    return max(round(float(stream["duration"]) * SAMPLE_RATE) for stream in streams)


def read(path: str | os.PathLike[str], part: str) -> np.ndarray:
    """Decode one stream.

    Args:
        path: a `.stem.mp4` file.
        part: a stem type or `mixture`.

    Returns:
        (samples, 2) float32 at 44.1 kHz.

    Raises:
        FxNormError: no ffmpeg, or not decodable.
    """
    pcm = _run(
        path,
        "ffmpeg",
        *("-i", os.fspath(path), "-map", f"0:a:{_STREAMS.index(part)}"),
        *("-ac", "2", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"),
    )
    if not pcm:
        raise FxNormError(f"{path}: stream '{part}' holds no audio; replace the file")
    return np.frombuffer(pcm, np.float32).reshape(-1, 2).copy()


def _run(path: str | os.PathLike[str], program: str, *arguments: str) -> bytes:
    if shutil.which(program) is None:
        raise FxNormError(f"{path}: reading {SUFFIX} files needs {program}; install ffmpeg")
    if not Path(path).is_file():
        raise FxNormError(f"{path}: no such file")
    done = subprocess.run(
        [program, "-v", "error", *arguments],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[
            0
        ]
        raise FxNormError(f"{path}: {program} can't decode it ({reason}); replace the file")
    return done.stdout
