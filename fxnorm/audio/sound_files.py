"""Reading and writing audio files as (samples, channels) float32 arrays, full scale = 1."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_file

#: Suffixes that `read` accepts.
READABLE = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
#: Suffixes that `write` accepts.
WRITABLE = (".wav", ".flac")

_LOSSY = {"MP3", "OGG"}
_PCM_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
#: What libsndfile notes of a wav or aiff file whose header promises more than there is.
_CUT_OFF = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
#: Lengths from here on are those of programs that write to a pipe and can't know better.
_STREAMED = 2**31 - 2**16
#: Samples that are coded at a time.
_BLOCK = 2**18


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says."""

    samples: int
    channels: int
    sample_rate: int
    subtype: str
    lossy: bool

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate


def info(path: str | os.PathLike[str]) -> AudioInfo:
    """Read a file's header.

    Raises:
        FxNormError: the file is missing, cut off, or not audio that libsndfile reads.
    """
    header = _call(soundfile.info, path, verbose=True)
    if cut := _CUT_OFF.search(header.extra_info):
        declared, present = (int(number) for number in cut.groups())
        if present < declared < _STREAMED:
            raise FxNormError(
                f"{path}: ends early, with {present} of {declared} bytes of audio; copy it again"
            )
    return AudioInfo(
        header.frames,
        header.channels,
        header.samplerate,
        header.subtype,
        header.format in _LOSSY,
    )


def read(
    path: str | os.PathLike[str], start: int = 0, samples: int | None = None
) -> tuple[np.ndarray, int]:
    """Read a file or a part of it.

    Args:
        path: wav, flac, ogg, mp3 or aiff.
        start: first sample.
        samples: how many; the default is all that follow.

    Returns:
        (samples, channels) float32 and the sample rate in Hz.

    Raises:
        FxNormError: missing, unreadable, empty, or with samples that are not finite; when read to
            its end also one that is cut off.
    """
    if samples is None:
        info(path)
    count = -1 if samples is None else samples
    audio, sample_rate = _call(
        soundfile.read, path, start=start, frames=count, dtype="float32", always_2d=True
    )
    if audio.shape[0] == 0:
        raise FxNormError(f"{path}: holds no audio; replace the file")
    if not np.isfinite(audio).all():
        raise FxNormError(f"{path}: holds NaN or infinite samples; export it again")
    return audio, sample_rate


def count_samples(path: str | os.PathLike[str]) -> int:
    """Exact length of a file, also where its header only estimates it (mp3), by decoding it.

    Raises:
        FxNormError: the file is missing, or not audio that libsndfile reads.
    """
    header = info(path)
    return int(_call(_decoded_length, path)) if header.lossy else header.samples


def write(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    sample_rate: int,
    subtype: str = "PCM_16",
) -> None:
    """Write wav or flac, whole or not at all.

    Integer subtypes round to the nearest step of 1/2^(bits-1), the step `read` divides by, and
    clip at full scale: a file read and written again keeps its samples exactly.

    Args:
        path: ends in .wav or .flac.
        audio: (samples, channels) or (samples,), full scale = 1.
        sample_rate: in Hz.
        subtype: PCM_16, PCM_24, PCM_32 or FLOAT (the last two: wav only).

    Raises:
        FxNormError: another suffix or subtype, a folder that can't be written, or audio that is
            not finite.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE:
        raise FxNormError(f"{path}: can't write '{suffix}' files; use one of {', '.join(WRITABLE)}")
    if not np.isfinite(audio).all():
        raise FxNormError(f"{path}: refusing to write NaN or infinite samples")
    if subtype not in (*_PCM_BITS, "FLOAT"):
        known = ", ".join([*_PCM_BITS, "FLOAT"])
        raise FxNormError(f"{path}: unknown subtype '{subtype}'; use one of {known}")
    if subtype == "FLOAT" and suffix != ".wav":
        raise FxNormError(f"{path}: '{suffix}' files can't hold FLOAT samples; use .wav")
    try:
        with atomic_file(path) as temporary:
            if subtype == "FLOAT":
                _write_float(temporary, np.asarray(audio, np.float32), sample_rate)
            else:
                _write_pcm(temporary, np.atleast_2d(audio.T).T, sample_rate, subtype)
    except (OSError, ValueError, soundfile.LibsndfileError) as error:
        raise FxNormError(f"{path}: can't be written as {subtype}: {error}") from error


def to_stereo(audio: np.ndarray) -> np.ndarray:
    """(samples, 2) from mono, by repeating the channel, or from stereo, unchanged.

    Raises:
        FxNormError: more than two channels.
    """
    if audio.ndim == 1:
        audio = audio[:, None]
    if audio.shape[1] > 2:
        raise FxNormError(f"audio has {audio.shape[1]} channels; give mono or stereo")
    return np.repeat(audio, 2, axis=1) if audio.shape[1] == 1 else audio


def _write_float(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    # libsndfile would note the time of day in the header. Slow to load, and few need it.
    import scipy.io.wavfile

    scipy.io.wavfile.write(path, sample_rate, audio)


def _write_pcm(path: Path, audio: np.ndarray, sample_rate: int, subtype: str) -> None:
    with soundfile.SoundFile(path, "w", sample_rate, audio.shape[1], subtype) as file:
        for start in range(0, audio.shape[0], _BLOCK):
            file.write(_to_pcm(audio[start : start + _BLOCK], _PCM_BITS[subtype]))


def _decoded_length(path: Path) -> int:
    total = 0
    with soundfile.SoundFile(path) as file:
        while count := len(file.read(_BLOCK, dtype="float32", always_2d=True)):
            total += count
    return total


def _to_pcm(audio: np.ndarray, bits: int) -> np.ndarray:
    full = 2 ** (bits - 1)
    steps = np.clip(np.rint(np.asarray(audio, np.float64) * full), -full, full - 1)
    if bits == 16:
        return steps.astype(np.int16)
    # libsndfile takes 24-bit samples in the upper bits of 32.
    return (steps.astype(np.int64) << (32 - bits)).astype(np.int32)


def _call(function, path, **arguments):  # type: ignore[no-untyped-def]
    file = Path(path)
    if not file.is_file():
        raise FxNormError(f"{path}: no such file")
    try:
        return function(file, **arguments)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise FxNormError(
            f"{path}: not readable as audio ({reason}); give wav, flac, ogg, mp3 or aiff"
        ) from error
