"""Convolution with a room's impulse response."""

import numpy as np
import scipy.fft

from fxnorm.audio import convolved, to_stereo
from fxnorm.audio.filters import transfer_function

#: Samples in which a send's filters have died away.
_SEND_SAMPLES = 1024


def convolve(
    audio: np.ndarray,
    impulse_response: np.ndarray,
    generator: np.random.Generator | None = None,
    *,
    send: np.ndarray | None = None,
) -> np.ndarray:
    """Convolve each channel and cut the response's delay, so that direct sound stays in place.

    The result starts at the sample of the impulse response's peak (over its channels) and is as
    long as `audio`. A mono response serves both channels; of a stereo response one channel serves
    mono audio. Transformed in single precision, whose noise lies 130 dB below the result.

    Args:
        audio: (samples, 1 or 2) or (samples,).
        impulse_response: (samples, 1 or 2) or (samples,), at the rate of `audio`.
        generator: draws the response's channel for mono audio; without it the first is taken.
        send: second-order sections, (sections, 6), that the audio goes through before the room;
            their answer has to last less than 1,024 samples.

    Returns:
        float32, shaped like `audio`; each channel is contiguous.
    """
    signal = audio[:, None] if audio.ndim == 1 else audio
    response = impulse_response[:, None] if impulse_response.ndim == 1 else impulse_response
    start = int(np.abs(response.T).max(axis=0).argmax())
    if signal.shape[1] > 1:
        response = to_stereo(response)
    elif response.shape[1] > 1:
        index = 0 if generator is None else int(generator.integers(response.shape[1]))
        response = response[:, index : index + 1]
    response = np.asarray(response, np.float32)
    if send is not None:
        shelves = scipy.fft.irfft(transfer_function(send, _SEND_SAMPLES))[:, None]
        response = np.pad(response, [(0, _SEND_SAMPLES), (0, 0)])
        response = convolved(response, shelves.astype(np.float32), 0).T
    return convolved(signal, response, start).T.reshape(audio.shape)
