"""Convolution of long signals by fast Fourier transforms."""

import numpy as np
import scipy.fft

from fxnorm import scratch

_SMALLEST_FFT = 2**14
#: Transforms of stereo blocks run four side by side in the processor's vectors.
_BLOCKS_AT_ONCE = 2


def convolved(signal: np.ndarray, response: np.ndarray, start: int) -> np.ndarray:
    """A part, as long as the signal, of its convolution with a response, in blocks.

    Args:
        signal: (samples, channels).
        response: (taps, channels or 1), in the precision to compute in. That of single precision
            has a noise 130 dB below the result.
        start: first sample of the whole convolution to give.

    Returns:
        (channels, samples), in the response's precision.
    """
    samples, channels = signal.shape
    reach = response.shape[0] - 1
    size = max(_SMALLEST_FFT, 1 << (2 * reach).bit_length())
    step = size - reach
    spectrum = scipy.fft.rfft(response.T, size)
    answer = scratch.empty((channels, samples), response.dtype)
    blocks = np.empty((_BLOCKS_AT_ONCE, channels, size), response.dtype)
    for batch in scratch.blocks(samples, _BLOCKS_AT_ONCE * step):
        starts = range(batch.start, batch.stop, step)
        for block, first in zip(blocks, starts, strict=False):
            begin = first + start - reach
            part = signal[max(0, begin) : max(0, begin + size)].T
            before = max(0, -begin)
            block[:, :before] = 0.0
            block[:, before : before + part.shape[1]] = part
            block[:, before + part.shape[1] :] = 0.0
        spectra = scipy.fft.rfft(blocks[: len(starts)])
        spectra *= spectrum
        wet = scipy.fft.irfft(spectra, size, overwrite_x=True)
        for row, first in zip(wet, starts, strict=True):
            # The beginning of a block is what the response has wrapped around into.
            answer[:, first : first + step] = row[:, reach : reach + samples - first]
    return answer
