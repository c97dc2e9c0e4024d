"""Sample-rate conversion."""

import numpy as np
import soxr


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
        audio = soxr.resample(audio, from_rate, to_rate, quality="VHQ").astype(np.float32)
    if samples is not None and audio.shape[0] != samples:
        missing = max(0, samples - audio.shape[0])
        padding = [(0, missing)] + [(0, 0)] * (audio.ndim - 1)
        audio = np.pad(audio[:samples], padding)
    return audio
