"""Decoding with ffmpeg, where it is installed, what libsndfile does not read."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxnorm.errors import FxNormError

#: Files alone: a playlist must not lead elsewhere.
_INPUT = ("-protocol_whitelist", "file,pipe")
#: Check sums, which it passes over otherwise.
_CHECK = ("-err_detect", "crccheck")
#: Samples that are decoded or coded at a time.
BLOCK = 2**18
#: What ffmpeg begins messages with: a part of it, and where that lies in memory.
_ADDRESS = re.compile(r"^\[[^\]]* @ 0x[0-9a-f]+\] ")


#: Formats without a header: their duration is an estimate from the rate of bits.
_BARE = ("aac", "ac3", "eac3", "mp3")
#: Samples that coders put in front of a recording, at least, which these formats don't tell.
_LATE = {"aac": 1024, "ac3": 256, "eac3": 256, "mp2": 481}


@dataclass(frozen=True)
class Stream:
    """An audio stream of a file."""

    codec: str
    """The name of its coding, as ffmpeg has it."""
    channels: int
    """Their number."""
    sample_rate: int
    """In Hz."""
    duration_s: float | None
    """What the file says; None where it says nothing, or only an estimate."""
    late: int
    """Samples that coding put in front, about, where the file can't tell."""


def is_installed() -> bool:
    """Whether ffmpeg and ffprobe are there."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def streams(path: str | os.PathLike[str]) -> list[Stream]:
    """The audio streams of a file.

    Raises:
        FxNormError: no ffmpeg, or not a readable file.
    """
    _require(path)
    command = ["ffprobe", "-v", "error", *_INPUT, "-select_streams", "a", "-of", "json"]
    shown = "stream=codec_name,channels,sample_rate,duration,start_time:format=format_name"
    done = subprocess.run(
        [*command, "-show_entries", shown, _file_url(path)],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise _undecodable(path, "ffprobe", done.stderr)
    answer = json.loads(done.stdout.decode(errors="replace"))
    bare = answer.get("format", {}).get("format_name") in _BARE
    return [
        Stream(
            found["codec_name"],
            int(found["channels"]),
            int(found["sample_rate"]),
            None if bare or "duration" not in found else float(found["duration"]),
            _LATE.get(found["codec_name"], 0) if bare else 0,
        )
        for found in answer.get("streams", [])
        if found.get("codec_name") and int(found.get("channels", 0)) > 0
    ]


def decoded(
    path: str | os.PathLike[str], index: int, channels: int, sample_rate: int
) -> Iterator[np.ndarray]:
    """Decode one audio stream, block by block.

    Args:
        path: of the file.
        index: of the stream among the audio streams.
        channels: wanted.
        sample_rate: wanted, in Hz.

    Yields:
        (samples, channels) float32.

    Raises:
        FxNormError: no ffmpeg, or ffmpeg finds anything wrong with the file.
    """
    _require(path)
    command = ["ffmpeg", "-v", "error", "-nostdin", *_CHECK, *_INPUT, "-i", _file_url(path)]
    command += ["-map", f"0:a:{index}", "-ac", str(channels), "-ar", str(sample_rate)]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(
            [*command, "-f", "f32le", "-"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process:
            assert process.stdout is not None
            try:
                while data := process.stdout.read(4 * channels * BLOCK):
                    whole = len(data) // (4 * channels) * channels
                    yield np.frombuffer(data, np.float32, whole).reshape(-1, channels)
            except BaseException:
                process.kill()
                raise
        said.seek(0)
        message = said.read()
    # ffmpeg leaves out what it can't decode and calls it a success.
    if message.strip() or process.returncode != 0:
        raise _undecodable(path, "ffmpeg", message)


def _require(path: str | os.PathLike[str]) -> None:
    if not is_installed():
        suffix = "".join(Path(path).suffixes[-2:])
        raise FxNormError(
            f"{path}: reading {suffix} files needs ffmpeg; install it, or convert the file to wav"
        )
    if not Path(path).is_file():
        raise FxNormError(f"{path}: no such file")


def _file_url(path: str | os.PathLike[str]) -> str:
    """A path that is no option and no other protocol, whatever it begins with."""
    return f"file:{Path(path).absolute()}"


def _undecodable(path: str | os.PathLike[str], program: str, message: bytes) -> FxNormError:
    lines = message.decode(errors="replace").strip().splitlines() or ["no reason given"]
    reason = _ADDRESS.sub("", lines[0]).removeprefix(f"{_file_url(path)}: ")
    return FxNormError(f"{path}: not readable as audio ({program}: {reason}); replace the file")
