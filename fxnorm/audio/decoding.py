"""How a file is read: by libsndfile as it is, by libsndfile with what it would miss, or by ffmpeg.

libsndfile believes headers. Where they say too little (an mp3 without a count, joined files, flac
from a pipe, wav of a recorder that was switched off) audio would be lost without a word, so the
file's bytes are looked through first (`fxnorm.audio.containers`).
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from fxnorm.audio import ffmpeg
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
from fxnorm.audio.names import existing
from fxnorm.audio.resampling import checked_rate
from fxnorm.errors import FxNormError

#: Suffixes of files that libsndfile reads, and of those that ffmpeg does where it is installed.
READABLE = (
    *(".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".opus", ".oga", ".caf", ".w64", ".au"),
    *(".wave", ".bwf", ".rf64", ".aifc", ".snd"),
    *(".m4a", ".aac", ".webm", ".wma", ".mka", ".wv", ".ape", ".ac3", ".mp4", ".m4b", ".tta"),
    *(".bw64", ".3gp", ".amr", ".mp2", ".spx", ".eac3", ".dts"),
)

_LINKS = {
    "WAV": wav_links,
    "WAVEX": wav_links,
    "RF64": wav_links,
    "FLAC": flac_links,
    "MP3": mp3_links,
    "OGG": ogg_links,
    "CAF": caf_links,
    # What ffmpeg reads, by its first bytes.
    "BW64": wav_links,
    "caff": caf_links,
    "OggS": ogg_links,
}
_LOSSY = re.compile(r"MPEG_|VORBIS|OPUS|[AU]LAW|.*ADPCM|GSM|pcm_(?:alaw|mulaw)")
_LOSSLESS = re.compile(r"pcm|alac|flac|wavpack|ape|tta")
#: First bytes of what ffmpeg may read under any name: it takes bare samples for anything.
_HEAD = 12
_CONTAINERS = re.compile(
    rb"....ftyp|\x1aE\xdf\xa3|RIFF|RF64|BW64|FORM|OggS|fLaC|caff|ID3|wvpk|0&\xb2u|#!AMR", re.DOTALL
)
#: What libsndfile notes of wav, aiff, au and w64 files whose header promises more than there is.
_CUT_OFF = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE
)
#: How much later coding may make one file than another, in seconds.
_DELAY_S = 0.005
#: How much less than what a file says ffmpeg may decode, in seconds: edges of coded frames.
_FRAMES_S = 0.1


@dataclass(frozen=True)
class AudioInfo:
    """What is in a file."""

    samples: int
    """Exact, whatever the header says."""
    channels: int
    """Their number."""
    sample_rate: int
    """In Hz."""
    subtype: str
    """Coding of the samples, as libsndfile or ffmpeg names it."""
    lossy: bool
    """Whether the coding loses."""
    notes: tuple[str, ...] = ()
    """What a user should know of how the file is read."""
    late_s: float = 0.0
    """By how much it begins later than the recording, about: what coding put in front and the file
    does not tell."""
    begins_s: float | None = None
    """When it begins by a session's time stamp, in seconds; None where it has none."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate


@dataclass(frozen=True)
class _ScannedFile:
    """A file that was looked through."""

    path: Path
    """Where it is."""
    info: AudioInfo
    """What is in it."""
    links: tuple[Link, ...] = ()
    """What libsndfile reads one after the other; empty for the file as it is."""
    by_ffmpeg: bool = False
    """Whether ffmpeg reads it."""


def info(path: str | os.PathLike[str]) -> AudioInfo:
    """Look through a file.

    Raises:
        FxNormError: the file is missing, can't be opened, is no audio, damaged or cut off, or has
            a sample rate that no audio has.
    """
    return _looked_through(path).info


def blocks(
    path: str | os.PathLike[str], start: int = 0, samples: int | None = None
) -> Iterator[np.ndarray]:
    """Decode a file or a part of it, block by block.

    Args:
        path: of the file.
        start: first sample.
        samples: how many; the default is all that follow.

    Yields:
        (samples, channels) float32.

    Raises:
        FxNormError: see `info`; or fewer samples than there should be, or some that are not finite.
    """
    file = _looked_through(path)
    stop = file.info.samples if samples is None else min(start + samples, file.info.samples)
    wanted = max(0, stop - start)
    with _decoding_explained(path):
        for block in _decoded(file, start):
            part = block[:wanted]
            if not np.isfinite(part).all():
                raise FxNormError(f"{path}: holds NaN or infinite samples; export it again")
            wanted -= len(part)
            if len(part):
                yield part
            if wanted == 0:
                return
    if wanted > 0:
        raise FxNormError(
            f"{path}: damaged, {wanted} of {file.info.samples} samples can't be decoded; copy it"
            " again"
        )


def delay_notes(late_s: Mapping[str, float]) -> list[str]:
    """Warnings of files that coding has made later than others; what is late alike is together.

    Args:
        late_s: see `AudioInfo`; by the file's name.
    """
    first = min(late_s, key=lambda name: late_s[name])
    return [
        f"{name}: may begin about {1000.0 * (late - late_s[first]):.0f} ms late beside {first}: it"
        " does not tell what its coding put in front; give the original, or move it"
        for name, late in late_s.items()
        if late - late_s[first] > _DELAY_S
    ]


def begins_like_audio(path: Path) -> bool:
    """Whether a file's first bytes are those of a container of audio, or of audio and video.

    They may be where they can't be read.
    """
    try:
        return path.is_file() and _CONTAINERS.match(_head(path)) is not None
    except OSError:
        return True


def _looked_through(path: str | os.PathLike[str]) -> _ScannedFile:
    with _decoding_explained(path):
        found = existing(path)
        if not found.is_file():
            fault = "is a folder or a pipe; give a file" if found.exists() else "no such file"
            raise FxNormError(f"{path}: {fault}")
        state = found.stat()
    file = _opened(found, state.st_ino, state.st_size, state.st_mtime_ns)
    try:
        checked_rate(file.info.sample_rate)
    except FxNormError as error:
        raise FxNormError(f"{path}: {error}; export it again") from error
    return file


# A mix asks several times for what takes long to find out. A file that has changed is another key.
@lru_cache(maxsize=4096)
def _opened(path: Path, _inode: int, size: int, _changed: int) -> _ScannedFile:
    with _decoding_explained(path):
        path.open("rb").close()  # libsndfile does not say why it can't.
        try:
            header = soundfile.info(_name(path), verbose=True)
        # A TypeError is what soundfile has for names that end in .raw.
        except (soundfile.LibsndfileError, RuntimeError, TypeError):
            head = _head(path)
            if not ffmpeg.is_installed() or not (
                path.suffix.lower() in READABLE or _CONTAINERS.match(head)
            ):
                raise
            return _by_ffmpeg(path, _find_links(path, head[:4].decode("latin-1")))
        if header.format in ("WAV", "WAVEX") and header.subtype == "MPEG_LAYER_III":
            raise FxNormError(
                f"{path}: holds mp3 in a wav file, of which the end is lost; convert it to PCM, as"
                " with ffmpeg"
            )
        if cut := _CUT_OFF.search(header.extra_info):
            declared, present = (int(number) for number in cut.groups())
            if present < declared and is_known(declared):
                raise cut_off(present, declared)
        found = _find_links(path, header.format) if size else Found()
        if found.by_ffmpeg:
            return _by_ffmpeg(path, found)
        content = AudioInfo(
            header.frames,
            header.channels,
            header.samplerate,
            header.subtype,
            _LOSSY.match(header.subtype) is not None,
            tuple(f"{path}: {note}" for note in found.notes),
            found.late / header.samplerate,
            None if found.begins is None else found.begins / header.samplerate,
        )
        file = _ScannedFile(path, content, found.links)
        if found.links or not found.exact:
            formats = {(sound.channels, sound.samplerate) for sound in _sounds(file)}
            if len(formats) > 1:
                raise Damaged("holds recordings of different formats")
            if found.exact:
                counted = sum(sound.frames for sound in _sounds(file))
            else:
                counted = sum(len(block) for block in _decoded(file, 0))
            if counted < header.frames and not found.links:
                raise Damaged(f"ends early, with {counted} of {header.frames} samples")
            file = replace(file, info=replace(content, samples=counted))
    return file


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _find_links(path: Path, container: str) -> Found:
    if container not in _LINKS:
        return Found()
    with path.open("rb", buffering=0) as file:
        return _LINKS[container](FileBytes(file))


def _by_ffmpeg(path: Path, found: Found) -> _ScannedFile:
    if any(isinstance(piece, bytes) for link in found.links for piece in link):
        raise Damaged("has a header that says less audio than there is")
    streams = ffmpeg.streams(path)
    if not streams:
        raise FxNormError(f"{path}: not readable as audio (ffmpeg finds none); replace the file")
    first, notes = streams[0], [f"{path}: {note}" for note in found.notes]
    decoded = ffmpeg.decoded(path, 0, first.channels, first.sample_rate)
    samples = sum(len(block) for block in decoded)
    seconds = samples / first.sample_rate
    if len(streams) > 1:
        notes.append(f"{path}: holds {len(streams)} streams of audio; the first is read")
    if first.duration_s is not None and seconds < first.duration_s - _FRAMES_S:
        raise Damaged(f"ends early, with {seconds:.2f} of {first.duration_s:.2f} s")
    lossy = not _LOSSLESS.match(first.codec) or _LOSSY.match(first.codec) is not None
    content = AudioInfo(
        samples,
        first.channels,
        first.sample_rate,
        first.codec,
        lossy,
        tuple(notes),
        first.late / first.sample_rate,
    )
    return _ScannedFile(path, content, by_ffmpeg=True)


def _decoded(file: _ScannedFile, start: int) -> Iterator[np.ndarray]:
    """All that follows a sample."""
    if file.by_ffmpeg:
        for block in ffmpeg.decoded(file.path, 0, file.info.channels, file.info.sample_rate):
            yield block[start:]
            start = max(0, start - len(block))
        return
    try:
        for sound in _sounds(file):
            if start < sound.frames:
                if start > 0:
                    sound.seek(start)
                while len(block := sound.read(ffmpeg.BLOCK, dtype="float32", always_2d=True)):
                    yield block
            start = max(0, start - sound.frames)
    except soundfile.LibsndfileError as error:
        raise Damaged(f"is damaged or cut off ({error})") from error


def _sounds(file: _ScannedFile) -> Iterator[soundfile.SoundFile]:
    """What libsndfile reads of a file, one after the other."""
    if not file.links:
        with soundfile.SoundFile(_name(file.path)) as sound:
            yield sound
        return
    with file.path.open("rb") as raw:
        for link in file.links:
            with soundfile.SoundFile(open_link(raw, link)) as sound:
                yield sound


def _name(path: Path) -> bytes:
    # As bytes, for names that are not UTF-8; absolute, as "-" is the standard input.
    return os.fsencode(path.absolute())


@contextmanager
def _decoding_explained(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except Damaged as error:
        raise FxNormError(f"{path}: {error}; copy it again, or export it again") from error
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0].removeprefix(f"Error opening {_name(Path(path))!r}: ")
        raise FxNormError(
            f"{path}: not readable as audio ({reason}); give wav, flac, ogg, mp3 or aiff"
            f"{'' if ffmpeg.is_installed() else ', or install ffmpeg'}"
        ) from error
    except OSError as error:
        raise FxNormError(f"{path}: can't be read ({error.strerror})") from error
