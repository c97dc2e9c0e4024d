"""A network run over a long signal in overlapping windows of fixed length, read as they come."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from fxnorm.errors import FxNormError

#: Called with a start and a count, both within the song; returns (S, C, count) float32.
ReadBlock = Callable[[int, int], Tensor]
#: Called with consecutive parts (C, n) of the mix, or (stems, C, n) of the stems' shares of it.
WriteBlock = Callable[[Tensor], None]


def run_in_windows(
    net: torch.nn.Module,
    read_block: ReadBlock,
    write_block: WriteBlock,
    samples: int,
    window: int,
    guards: tuple[int, int],
    *,
    offset: int,
    batch_size: int,
    autocast: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """A network's output for one long input: windows that overlap by their guards, joined again.

    The input counts as zero beyond both of its ends.

    Args:
        net: takes (batch, stems, channels, window).
        read_block: reads the input, onto the network's device.
        write_block: takes the output, aligned with the input.
        samples: length of the input.
        window: window length in samples.
        guards: samples at the start and at the end of every window that give no output.
        offset: input sample that a window's first output sample is placed at.
        batch_size: windows that go through the network together.
        autocast: makes the context in which the network runs.

    Raises:
        FxNormError: the guards leave nothing, or less than the network needs as context.
    """
    left, right = guards
    hop = window - left - right
    if hop <= 0:
        raise FxNormError(f"guards of {left} and {right} samples leave nothing of {window}")
    first, last = left - offset, window - right - offset
    for start in range(0, samples, batch_size * hop):
        count = min(batch_size, -(-(samples - start) // hop))
        stretch = read_padded(read_block, start - left, (count - 1) * hop + window, samples)
        with autocast():
            output = net(stretch.unfold(-1, window, hop).movedim(-2, 0)).float()
        if first < 0 or last > output.shape[-1]:
            needed = max(offset, window - output.shape[-1] - offset)
            raise FxNormError(
                f"guards of {left} and {right} samples are shorter than what the network cuts off "
                f"its input; raise them to {needed}"
            )
        kept = output[..., first:last].movedim(0, -2).flatten(-2)
        write_block(kept[..., : samples - start])


def read_padded(read_block: ReadBlock, start: int, count: int, samples: int) -> Tensor:
    """Read [start, start + count) of a song, zeros outside of it."""
    begin, end = max(0, start), min(samples, start + count)
    return F.pad(read_block(begin, end - begin), (begin - start, start + count - end))
