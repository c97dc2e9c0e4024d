"""Excerpts of several versions of a song: where to cut, fades, and matched loudness."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxnorm.audio.decoding import info
from fxnorm.audio.levels import from_db
from fxnorm.audio.loudness import (
    ABSOLUTE_GATE_LUFS,
    BLOCK_S,
    SHORT_TERM_S,
    TRUE_PEAK_MARGIN_DB,
    integrated_loudness,
    short_term_loudness,
    true_peak_db,
)
from fxnorm.audio.resampling import resample
from fxnorm.audio.sound_files import read, to_stereo
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

_GAIN_ITERATIONS = 3


@dataclass(frozen=True)
class LoudnessMatch:
    """Gains that bring every version to one loudness."""

    gains_db: dict[str, float]
    """Gain of each version."""
    lowered_db: float
    """How far the common loudness stays below the target so that no version exceeds the true-peak
    ceiling; 0 when the target is reached."""

    def apply(self, versions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The versions with their gains, float32."""
        return {
            name: (audio * from_db(self.gains_db[name])).astype(np.float32)
            for name, audio in versions.items()
        }


def busiest_start(profiles: Sequence[np.ndarray], seconds: float) -> tuple[int, float]:
    """Where the excerpt begins in which all tracks are most active.

    A track's activity in an excerpt is the mean of its short-term loudness over the windows that
    lie inside, so that pauses count against it; the excerpt with the highest activity of its
    least active track wins, the earliest of equals. Tracks silent throughout don't count.

    Args:
        profiles: `short_term_loudness` of each track of one song.
        seconds: length of the excerpt.

    Returns:
        The start in whole seconds and the activity there, LUFS of the least active track.
    """
    shortest = min(profile.size for profile in profiles)
    heard = [profile[:shortest] for profile in profiles if profile.max() > ABSOLUTE_GATE_LUFS]
    if not heard:
        return 0, ABSOLUTE_GATE_LUFS
    span = min(shortest, max(1, math.floor(seconds - SHORT_TERM_S) + 1))
    activity = np.min(
        [np.convolve(profile, np.ones(span) / span, mode="valid") for profile in heard], axis=0
    )
    # Rounded, so that equals stay equal whatever the order of summation.
    start = int(np.argmax(np.round(activity, 6)))
    return start, float(activity[start])


def busiest_in_files(
    paths: Sequence[str | os.PathLike[str]], shortest_s: float, seconds: float
) -> tuple[int, float]:
    """`busiest_start` of the tracks in files.

    Args:
        paths: of the tracks.
        shortest_s: length of the song's shortest file, longer than the excerpt, which it holds.
        seconds: length of the excerpt.
    """
    profiles = []
    for path in paths:
        audio, sample_rate = read(path)
        audio = to_stereo(audio)[: math.floor(shortest_s * sample_rate)]
        profiles.append(short_term_loudness(audio, sample_rate, hop_s=1.0)[1])
    start_s, activity_lufs = busiest_start(profiles, seconds)
    return min(start_s, math.floor(shortest_s - seconds)), activity_lufs


def read_excerpt(path: str | os.PathLike[str], start_s: float, samples: int) -> np.ndarray:
    """A part of a file as (samples, 2) float32 at 44.1 kHz.

    Args:
        path: audio file, any sample rate, mono or stereo.
        start_s: beginning in seconds.
        samples: length at 44.1 kHz; what the file lacks is silence.
    """
    rate = info(path).sample_rate
    count = math.ceil(samples * rate / SAMPLE_RATE)
    audio, _ = read(path, start=round(start_s * rate), samples=count)
    return resample(to_stereo(audio), rate, SAMPLE_RATE, samples=samples)


def fade(audio: np.ndarray, samples: int) -> np.ndarray:
    """Raised-cosine fades of `samples` at both ends of (samples, channels) audio."""
    length = min(samples, audio.shape[0] // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length)[:, None] + 0.5) / max(1, length))
    faded = audio.astype(np.float32)
    faded[:length] = audio[:length] * ramp
    faded[len(audio) - length :] = audio[len(audio) - length :] * ramp[::-1]
    return faded


def match_loudness(
    song: str, versions: Mapping[str, np.ndarray], *, target_lufs: float, ceiling_dbtp: float
) -> LoudnessMatch:
    """One loudness for all versions, none above a true-peak ceiling.

    Where a version would exceed the ceiling at the target loudness all are lowered together, so
    that they stay matched; no version is limited or clipped.

    Args:
        song: its name, for the message.
        versions: (samples, channels) at 44.1 kHz by name.
        target_lufs: integrated loudness (BS.1770).
        ceiling_dbtp: highest true peak allowed.

    Raises:
        FxNormError: a version is silent, or shorter than 0.4 s.
    """
    gains, peaks = {}, {}
    for name, audio in versions.items():
        gains[name] = _gain_to(audio, target_lufs, f"{song}: {name}")
        peaks[name] = true_peak_db(audio) + gains[name]
    lowered = max(0.0, max(peaks.values()) - (ceiling_dbtp - TRUE_PEAK_MARGIN_DB))
    return LoudnessMatch({name: gain - lowered for name, gain in gains.items()}, lowered)


def _gain_to(audio: np.ndarray, target_lufs: float, name: str) -> float:
    # Repeated because the absolute gate sees other blocks once the level has changed.
    gain = 0.0
    for _ in range(_GAIN_ITERATIONS):
        loudness = integrated_loudness(audio * from_db(gain), SAMPLE_RATE)
        if not math.isfinite(loudness):
            raise FxNormError(
                f"{name}: no loudness to match (silent, or shorter than {BLOCK_S:g} s); leave it"
                " out or give another excerpt"
            )
        gain += target_lufs - loudness
    return gain
