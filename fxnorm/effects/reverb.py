"""Convolution with a room's impulse response."""

import numpy as np
import scipy.signal

from fxnorm import scratch
from fxnorm.audio import to_stereo


def convolve(
    audio: np.ndarray,
    impulse_response: np.ndarray,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """Convolve each channel and cut the response's delay, so that direct sound stays in place.

    The result starts at the sample of the impulse response's peak (over its channels) and is as
    long as `audio`. A mono response serves both channels; of a stereo response one channel serves
    mono audio.

    Args:
        audio: (samples, 1 or 2) or (samples,).
        impulse_response: (samples, 1 or 2) or (samples,), at the rate of `audio`.
        generator: draws the response's channel for mono audio; without it the first is taken.

    Returns:
        float32, shaped like `audio`.
    """
    signal = audio[:, None] if audio.ndim == 1 else audio
    response = impulse_response[:, None] if impulse_response.ndim == 1 else impulse_response
    start = int(np.abs(response).max(axis=1).argmax())
    if signal.shape[1] > 1:
        response = to_stereo(response)
    elif response.shape[1] > 1:
        index = 0 if generator is None else int(generator.integers(response.shape[1]))
        response = response[:, index : index + 1]
    # In double: a long response sums many samples.
    response = np.asarray(response, np.float64)
    samples, channels = signal.shape
    answer = scratch.empty((samples, channels))
    tail = np.zeros((response.shape[0] - 1, channels))
    for block in scratch.blocks(samples + start):
        part = np.asarray(signal[block], np.float64)
        part = np.pad(part, [(0, block.stop - block.start - len(part)), (0, 0)])
        full = scipy.signal.oaconvolve(part, response, axes=0)
        full[: len(tail)] += tail
        done = full[: len(part)]
        tail = full[len(part) :]
        first = max(0, start - block.start)
        answer[block.start + first - start : block.stop - start] = done[first:]
    return answer.reshape(audio.shape)
