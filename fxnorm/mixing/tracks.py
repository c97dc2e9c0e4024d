"""The recorded tracks of which stems are made."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from fxnorm.audio import from_db
from fxnorm.errors import FxNormError
from fxnorm.mixing.limits import PAN, TRACK_GAIN_DB


@dataclass(frozen=True)
class Track:
    """One recorded track."""

    audio: "np.ndarray | str | os.PathLike[str]"
    """(samples, 1 or 2) or (samples,), full scale = 1, or the path of a file."""
    gain_db: float = 0.0
    """Applied before the tracks of a stem are summed, -60 to 60."""
    pan: float = 0.0
    """-1 (left) to 1 (right), constant power with the middle as it is."""

    def gains(self) -> np.ndarray:
        """Factors of the left and the right channel, (2,) float32."""
        angle = (self.pan + 1.0) * math.pi / 4.0
        # The cosine of a right angle is not quite 0.
        balance = math.sqrt(2.0) * np.sin([math.pi / 2.0 - angle, angle])
        gain: np.ndarray = (from_db(self.gain_db) * balance).astype(np.float32)
        return gain


#: A stem: audio, a file, a track, or several of these to be summed.
Stem = Any
#: Stems by type.
Stems = Mapping[str, Stem]


def tracks_of(stems: Stems) -> dict[str, tuple[Track, ...]]:
    """The tracks of each stem, checked as far as that goes without reading files.

    Raises:
        FxNormError: no stems, a stem that is neither audio nor files, or a track given twice.
    """
    if not isinstance(stems, Mapping) or not stems:
        raise FxNormError("no stems to mix; give at least one, as a mapping of type to audio")
    tracks = {str(stem): _tracks(str(stem), given) for stem, given in stems.items()}
    for stem, its_tracks in tracks.items():
        places = [
            os.path.realpath(t.audio) for t in its_tracks if not isinstance(t.audio, np.ndarray)
        ]
        found = set[str]()
        for place in places:
            if place in found:
                raise FxNormError(f"{place}: is given twice for {stem}; give it once")
            found.add(place)
    return tracks


def _tracks(stem: str, given: Stem) -> tuple[Track, ...]:
    if isinstance(given, Track):
        return (_checked_track(stem, given),)
    if isinstance(given, str | os.PathLike | np.ndarray):
        return (_checked_track(stem, Track(given)),)
    if isinstance(given, list | tuple) and given and not isinstance(given[0], int | float):
        return tuple(track for part in given for track in _tracks(stem, part))
    raise _no_audio(stem, given)


def _no_audio(stem: str, given: Any) -> FxNormError:
    return FxNormError(
        f"{stem}: is {type(given).__name__}, not audio; give an array (samples, channels), a file,"
        " or a list of these"
    )


def _checked_track(stem: str, track: Track) -> Track:
    if not isinstance(track.audio, str | os.PathLike | np.ndarray):
        raise _no_audio(stem, track.audio)
    name = stem if isinstance(track.audio, np.ndarray) else os.fspath(track.audio)
    if "\0" in name:
        raise FxNormError(f"{name!r}: holds a zero byte, which no path has; correct it")
    if isinstance(track.audio, np.ndarray):
        if track.audio.ndim not in (1, 2) or track.audio.dtype.kind not in "fiu":
            raise FxNormError(
                f"{stem}: audio of shape {track.audio.shape} and type {track.audio.dtype}; give"
                " real numbers of shape (samples, channels) or (samples,)"
            )
        if track.audio.dtype.kind != "f":
            raise FxNormError(
                f"{stem}: audio of integers; divide by full scale and give floating point"
            )
    for what, value, (low, high) in (
        ("gain", track.gain_db, TRACK_GAIN_DB),
        ("pan", track.pan, PAN),
    ):
        if not isinstance(value, Real) or not low <= value <= high:
            raise FxNormError(f"{name}: {what} {value!r} must be a number from {low:g} to {high:g}")
    return track
