"""Work on long channels in little memory, and which of their frames sound."""

from collections.abc import Sequence

import numpy as np

from fxnorm import scratch
from fxnorm.audio import from_db, peak

#: A frame whose peak lies so far below the signal's is silent.
_SILENT_DB = -70.0


def times(samples: np.ndarray, gain: float) -> np.ndarray:
    """`samples` times a gain rounded to single, float32; any shape, time last."""
    product = scratch.empty(samples.shape)
    for block in scratch.blocks(samples.shape[-1]):
        np.multiply(samples[..., block], np.float32(gain), out=product[..., block])
    return product


def stacked(channels: Sequence[np.ndarray]) -> np.ndarray:
    """Channels (samples,) as one array (channels, samples), float32."""
    whole = scratch.empty((len(channels), channels[0].shape[0]))
    for row, channel in zip(whole, channels, strict=True):
        for block in scratch.blocks(channel.shape[0]):
            row[block] = channel[block]
    return whole


def is_silent(samples: np.ndarray) -> bool:
    """Whether all are zero; of those with sound mostly the first row is looked at."""
    return not (samples[0].any() or samples.any())


def sounding_frames(channels: np.ndarray, length: int, hop: int) -> np.ndarray:
    """Which frames sound, of all that begin `hop` apart and lie within (channels, samples).

    Args:
        channels: (channels, samples), at least one frame.
        length: of a frame, a multiple of `hop`.
        hop: from one frame to the next.
    """
    threshold = peak(channels) * from_db(_SILENT_DB)
    steps = channels.shape[1] // hop
    loudest = np.zeros(steps, np.float32)
    for channel in channels:
        for block in scratch.blocks(steps, max(1, 2**20 // hop)):
            part = channel[block.start * hop : block.stop * hop].reshape(-1, hop)
            highest = np.maximum(part.max(axis=1), -part.min(axis=1))
            loudest[block] = np.maximum(loudest[block], highest)
    windows = np.lib.stride_tricks.sliding_window_view(loudest, length // hop)
    sounding: np.ndarray = windows.max(axis=1) > threshold
    return sounding
