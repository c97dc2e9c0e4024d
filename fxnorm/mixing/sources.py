"""The stems that a user gives, read one at a time."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

#: By stem type, arrays (samples, 1 or 2) or (samples,), or paths of audio files.
Stems = Mapping[str, "np.ndarray | str | os.PathLike[str]"]


@dataclass(frozen=True)
class Source:
    """One given stem.

    Attributes:
        stem: its type.
        name: the file, or the type of an array, for messages.
        samples_given: its length at the sample rate of the mix.
        samples: its length at 44.1 kHz.
        notes: what a user should know about the file, as far as its header tells.
    """

    stem: str
    name: str
    samples_given: int
    samples: int
    load: Callable[[], tuple[np.ndarray, int]]
    notes: tuple[str, ...] = ()

    def read(self, samples: int, warm_up: int = 0) -> tuple[np.ndarray, tuple[str, ...]]:
        """Audio at 44.1 kHz, (warm_up + samples, 2) float32, with zeros at the end, and notes.

        Args:
            samples: of the song.
            warm_up: samples put before it: the stem's own end, repeated as often as needed.

        Returns:
            The audio, and what a user should know: `notes`, and what only reading shows.

        Raises:
            FxNormError: the audio is empty, not finite, or has more than two channels.
        """
        given, rate = self.load()
        notes = list(self.notes)
        if given.ndim == 1 or given.shape[1] == 1:
            notes.append(f"{self.stem}: mono, repeated on both channels")
        try:
            stereo = np.asarray(audio.to_stereo(given), np.float32)
        except FxNormError as error:
            raise FxNormError(f"{self.name}: {error}") from error
        if stereo.shape[0] == 0 or not np.isfinite(stereo).all():
            raise FxNormError(f"{self.name}: the audio is empty or holds NaN or infinite samples")
        if audio.peak(stereo) >= 1.0 - 2.0**-15:
            notes.append(f"{self.name}: reaches full scale and may be clipped")
        stereo = audio.resample(stereo, rate, SAMPLE_RATE, samples=self.samples)
        if warm_up:
            stereo = np.pad(stereo, ((warm_up, 0), (0, 0)), mode="wrap")
        whole = audio.resample(stereo, SAMPLE_RATE, SAMPLE_RATE, samples=warm_up + samples)
        return whole, tuple(notes)


def common_rate(stems: Stems, sample_rate: int | None) -> int:
    """The sample rate of the mix: the one given, or else the highest of the files'.

    Raises:
        FxNormError: no stems, not a positive rate, or arrays without one.
    """
    if not stems:
        raise FxNormError("no stems to mix; give at least one")
    if sample_rate is None:
        if any(isinstance(stem, np.ndarray) for stem in stems.values()):
            raise FxNormError("stems that are arrays need their sample rate")
        return max(audio.info(path).sample_rate for path in _paths(stems).values())
    if sample_rate <= 0:
        raise FxNormError(f"sample rate {sample_rate} Hz: must be positive")
    return sample_rate


def open_stems(stems: Stems, sample_rate: int, types: Sequence[str]) -> list[Source]:
    """Sources, checked as far as that goes without reading audio.

    Args:
        stems: given stems.
        sample_rate: of the arrays and of the mix, in Hz.
        types: stem types that can be mixed, in the order of the sources.

    Raises:
        FxNormError: an unknown stem type, or a file that is missing or no audio.
    """
    unknown = set(stems) - set(types)
    if unknown:
        raise FxNormError(f"unknown stem '{min(unknown)}'; use {', '.join(types)}")
    paths = _paths(stems)
    return [
        _open_file(stem, paths[stem], sample_rate)
        if stem in paths
        else _open_array(stem, np.asarray(stems[stem]), sample_rate)
        for stem in types
        if stem in stems
    ]


def _paths(stems: Stems) -> dict[str, "str | os.PathLike[str]"]:
    return {stem: path for stem, path in stems.items() if isinstance(path, str | os.PathLike)}


def _open_array(stem: str, samples: np.ndarray, rate: int) -> Source:
    count = samples.shape[0]
    return Source(stem, stem, count, _scaled(count, rate, SAMPLE_RATE), lambda: (samples, rate))


def _open_file(stem: str, path: "str | os.PathLike[str]", sample_rate: int) -> Source:
    header = audio.info(path)
    name, rate, samples = os.fspath(path), header.sample_rate, audio.count_samples(path)
    notes = []
    if rate != sample_rate:
        notes.append(f"{name}: resampled from {rate} Hz to {sample_rate} Hz")
    if header.lossy:
        notes.append(f"{name}: lossy coding; what it removed can't be brought back")
    return Source(
        stem,
        name,
        _scaled(samples, rate, sample_rate),
        _scaled(samples, rate, SAMPLE_RATE),
        partial(audio.read, path),
        tuple(notes),
    )


def _scaled(samples: int, from_rate: int, to_rate: int) -> int:
    return max(1, round(samples * to_rate / from_rate))
