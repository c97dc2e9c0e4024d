"""Reading and writing audio files as (samples, channels) float32 arrays, full scale = 1."""

import os
from pathlib import Path

import numpy as np
import soundfile

from fxnorm import scratch
from fxnorm.audio.decoding import READABLE, blocks, info
from fxnorm.audio.ffmpeg import BLOCK
from fxnorm.audio.levels import is_finite
from fxnorm.audio.names import composed, require_target, shown
from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_file

#: Suffixes that `write` accepts.
WRITABLE = (".wav", ".flac")

_PCM_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def read(
    path: str | os.PathLike[str], start: int = 0, samples: int | None = None
) -> tuple[np.ndarray, int]:
    """Read a file or a part of it.

    Args:
        path: of a file with one of the suffixes `READABLE`.
        start: first sample.
        samples: how many; the default is all that follow.

    Returns:
        (samples, channels) float32 and the sample rate in Hz.

    Raises:
        FxNormError: missing, unreadable, damaged, cut off, empty, or with samples that are not
            finite.
    """
    header = info(path)
    left = max(0, header.samples - start)
    count = left if samples is None else min(samples, left)
    if count == 0:
        raise FxNormError(f"{path}: holds no audio; replace the file")
    audio = scratch.empty((count, header.channels))
    filled = 0
    for block in blocks(path, start, count):
        audio[filled : filled + len(block)] = block
        filled += len(block)
    return audio, header.sample_rate


def write(
    path: str | os.PathLike[str], audio: np.ndarray, sample_rate: int, subtype: str = "PCM_16"
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
    if not is_finite(audio):
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


def audio_files(folder: Path) -> dict[str, Path]:
    """Audio files of a folder by name without suffix, sorted; hidden ones are left out.

    Names are the same whichever way their accents are encoded.

    Raises:
        FxNormError: two of one name, or a link to nothing.
    """
    files: dict[str, Path] = {}
    for path in shown(folder):
        require_target(path)
        if not is_audio(path):
            continue
        other = files.setdefault(composed(path.stem), path)
        if other != path:
            raise FxNormError(f"{path}: there is also {other.name}; remove one of the two")
    return files


def mixes_by_system(folder: Path) -> dict[str, dict[str, Path]]:
    """`audio_files` of every folder in a folder, by its name.

    Raises:
        FxNormError: see `audio_files`; or there is no such folder.
    """
    if not folder.is_dir():
        raise FxNormError(f"{folder}: no such folder; give the one with a folder per system")
    for path in shown(folder):
        require_target(path)
    return {composed(path.name): audio_files(path) for path in shown(folder) if path.is_dir()}


def is_audio(path: Path) -> bool:
    """Whether a path is a file whose name says that it holds audio, and not hidden."""
    return path.is_file() and path.suffix.lower() in READABLE and not path.name.startswith(".")


def require_stereo(name: str | os.PathLike[str], channels: int) -> None:
    """Refuse a file, or what is named so, with more than two channels."""
    if channels > 2:
        raise FxNormError(f"{name}: has {channels} channels; give mono or stereo")


def to_stereo(audio: np.ndarray) -> np.ndarray:
    """(samples, 2) from mono, by repeating the channel, or from stereo, unchanged.

    Raises:
        FxNormError: more than two channels.
    """
    if audio.ndim == 1:
        audio = audio[:, None]
    if audio.shape[1] > 2:
        raise FxNormError(f"audio has {audio.shape[1]} channels; give mono or stereo")
    if audio.shape[1] == 2:
        return audio
    stereo = scratch.empty((audio.shape[0], 2), audio.dtype)
    for block in scratch.blocks(audio.shape[0]):
        stereo[block] = audio[block]
    return stereo


def _write_float(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    # libsndfile would note the time of day in the header. Slow to load, and few need it.
    import scipy.io.wavfile

    scipy.io.wavfile.write(path, sample_rate, audio)


def _write_pcm(path: Path, audio: np.ndarray, sample_rate: int, subtype: str) -> None:
    name = os.fsencode(path)  # For names that are not UTF-8.
    with soundfile.SoundFile(name, "w", sample_rate, audio.shape[1], subtype) as file:
        for start in range(0, audio.shape[0], BLOCK):
            file.write(_to_pcm(audio[start : start + BLOCK], _PCM_BITS[subtype]))


def _to_pcm(audio: np.ndarray, bits: int) -> np.ndarray:
    full = 2 ** (bits - 1)
    steps: np.ndarray = np.clip(np.rint(np.asarray(audio, np.float64) * full), -full, full - 1)
    if bits == 16:
        return steps.astype(np.int16)
    # libsndfile takes 24-bit samples in the upper bits of 32.
    return (steps.astype(np.int64) << (32 - bits)).astype(np.int32)
