"""Sample rates that audio has, and conversion between them."""

import math
from typing import Any

import numpy as np
import soxr

from fxnorm import scratch
from fxnorm.errors import FxNormError

#: Rates in Hz that are taken; others are mistakes.
_LOWEST, _HIGHEST = 4_000, 768_000
#: Samples that are resampled in one go.
_AT_ONCE = 2**24


def checked_rate(sample_rate: Any) -> int:
    """A sample rate in Hz as a whole number.

    Raises:
        FxNormError: it is none, or none that audio has.
    """
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float | np.number):
        raise FxNormError(f"sample rate {sample_rate!r}: give a number in Hz")
    if not _LOWEST <= sample_rate <= _HIGHEST or sample_rate != int(sample_rate):
        raise FxNormError(
            f"sample rate {sample_rate} Hz: must be a whole number from {_LOWEST} to {_HIGHEST}"
        )
    return int(sample_rate)


def resample(
    audio: np.ndarray, from_rate: int, to_rate: int, *, samples: int | None = None
) -> np.ndarray:
    """Band-limited resampling (soxr, very high quality).

    Args:
        audio: (samples, channels) or (samples,) float32.
        from_rate: sample rate of `audio` in Hz.
        to_rate: wanted sample rate in Hz.
        samples: exact length wanted; the default is what the ratio gives. Resampling there and
            back can be off by a sample: give the original length on the way back.
    """
    if from_rate != to_rate:
        audio = _converted(audio, from_rate, to_rate)
    if samples is None or audio.shape[0] == samples:
        return audio
    if audio.shape[0] > samples:
        return audio[:samples]
    whole = scratch.empty((samples, *audio.shape[1:]))
    for block in scratch.blocks(samples):
        part = audio[block]
        whole[block][: len(part)] = part
        whole[block][len(part) :] = 0.0
    return whole


def _converted(audio: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """All of the audio at the other rate, block by block where it is long."""
    if audio.shape[0] <= _AT_ONCE:
        converted: np.ndarray = soxr.resample(audio, from_rate, to_rate, quality="VHQ")
        return converted.astype(np.float32)
    channels = audio.shape[1] if audio.ndim == 2 else 1
    stream = soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32", quality="VHQ")
    out = scratch.empty((math.ceil(audio.shape[0] * to_rate / from_rate) + 1, *audio.shape[1:]))
    written = 0
    for block in scratch.blocks(audio.shape[0]):
        given = np.ascontiguousarray(audio[block], np.float32)
        part = stream.resample_chunk(given, last=block.stop == audio.shape[0])[: len(out) - written]
        out[written : written + len(part)] = part
        written += len(part)
    return out[:written]
