"""A network run over a long signal in overlapping windows of fixed length."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from fxnorm.errors import FxNormError


def run_in_windows(
    net: torch.nn.Module,
    inputs: Tensor,
    window: int,
    guards: tuple[int, int],
    *,
    offset: int,
    batch_size: int,
    autocast: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Tensor:
    """A network's output for one long input.

    Args:
        net: takes (batch, stems, channels, window).
        inputs: (stems, channels, samples).
        window: window length in samples.
        guards: samples dropped at the start and at the end of every window's output.
        offset: input sample that a window's first output sample is placed at.
        batch_size: windows that go through the network together.
        autocast: makes the context in which the network runs.

    Returns:
        (..., channels, samples), aligned with `inputs`.

    Raises:
        FxNormError: the guards leave nothing, or less than the network needs as context.
    """
    left, right = guards
    if window <= left + right:
        raise FxNormError(f"guards of {left} and {right} samples leave nothing of {window}")
    windows = unfold(inputs, window, left, right)
    with autocast():
        outputs = torch.cat([net(part).float() for part in windows.split(batch_size)])
    last = window - right - offset
    if left < offset or last > outputs.shape[-1]:
        needed = max(offset, window - outputs.shape[-1] - offset)
        raise FxNormError(
            f"guards of {left} and {right} samples are shorter than what the network cuts off its "
            f"input; raise them to {needed}"
        )
    return refold(outputs, inputs.shape[-1], left - offset, last)


def unfold(signal: Tensor, window: int, guard_left: int, guard_right: int) -> Tensor:
    """Cut a signal into windows that overlap by their guards, with zeros beyond both ends.

    Args:
        signal: (..., samples).
        window: length in samples.
        guard_left: samples at the start of a window that only give context.
        guard_right: the same at its end.

    Returns:
        (windows, ..., window), a view of the padded signal.
    """
    hop = window - guard_left - guard_right
    samples = signal.shape[-1]
    count = -(-samples // hop)
    padding = (guard_left, count * hop - samples + guard_right)
    return torch.nn.functional.pad(signal, padding).unfold(-1, window, hop).movedim(-2, 0)


def refold(windows: Tensor, samples: int, first: int, last: int) -> Tensor:
    """Join what is kept of the windows' outputs.

    Args:
        windows: (windows, ..., output samples), from the windows of `unfold`.
        samples: length of the signal that was cut.
        first: first sample kept of every window's output.
        last: the one after the last.

    Returns:
        (..., samples).
    """
    return windows[..., first:last].movedim(0, -2).flatten(-2)[..., :samples]
