"""Cutting the silence at a song's ends."""

import numpy as np

from fxnorm.evaluation import kernels

_THRESHOLD = 1e-3
_SUSTAINED_S = 0.1
_WINDOW_S = 0.02


def trim_silence(
    mix: np.ndarray, target: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Cut silence at both ends of the target, and the same samples of the mix.

    A song starts with the first 0.1 s in which the RMS of the last 20 ms, in any channel, stays
    above 0.1 % of full scale (SoX's `silence`, as the released evaluation calls it), and ends
    likewise, seen from its end. A target that never gets that loud is left whole.

    Args:
        mix: (samples, channels).
        target: (samples, channels), as long as `mix`.
        sample_rate: in Hz.

    Returns:
        Mix, target and the range of samples kept (views, not copies).
    """
    window = round(_WINDOW_S * sample_rate)
    run = round(_SUSTAINED_S * sample_rate)
    samples = len(target)
    start = kernels.first_sustained(target, window, _THRESHOLD, run)
    end = samples - kernels.first_sustained(target[::-1], window, _THRESHOLD, run)
    if start >= end:
        return mix, target, (0, samples)
    return mix[start:end], target[start:end], (start, end)
