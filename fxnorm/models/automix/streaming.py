"""Mixing songs of any length in bounded memory, reading and writing them block by block."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxnorm.errors import FxNormError
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.automix.front_end import weigh
from fxnorm.models.automix.spectral import (
    Blocks,
    analysis_kernel,
    analyze,
    envelope,
    envelope_kernel,
    overlap_add,
    synthesis_kernel,
    synthesize,
)
from fxnorm.models.windows import ReadBlock, WriteBlock, read_padded

#: Samples read at a time, about 12 s.
BLOCK_SAMPLES = 2**19


def mix_stream(
    net: AutomixNet,
    read_block: ReadBlock,
    write_block: WriteBlock,
    samples: int,
    block: int = BLOCK_SAMPLES,
) -> None:
    """Mix a whole song in two passes; the result is that of `net` on all of it, to rounding.

    The front end and the decoder see a few hundred samples around each one. Only the latent network
    sees the song as a whole, at 1 / pool of its rate. So the first pass computes the latent
    network's input, the second computes the front end again and decodes.

    Args:
        net: network, on the device to compute on.
        read_block: reads the normalised stems; each part twice.
        write_block: takes the mix, on the network's device.
        samples: length of the song.
        block: samples to read at a time, about.

    Raises:
        FxNormError: a pretraining network, or a song without samples.
    """
    if net.pretraining or samples < 1:
        raise FxNormError("mixing takes a mixing network and a song of at least one sample")
    with _evaluating(net) as device:
        song = _Song(net, read_block, samples, block, device)
        scale = net.scale(*song.pool())
        for part in song.decode(scale):
            write_block(torch.tanh_(part))


class _Song:
    """The two passes over one song."""

    def __init__(
        self,
        net: AutomixNet,
        read_block: ReadBlock,
        samples: int,
        block: int,
        device: torch.device,
    ) -> None:
        self.net, self.read_block, self.samples, self.device = net, read_block, samples, device
        self.blocks: Blocks = net.blocks
        self.whole = samples + -samples % self.blocks.pool
        self.step = max(1, block // self.blocks.hop)
        self.filters = net.conv_1.out_channels
        self.kernel_1 = analysis_kernel(net.conv_1.weight, self.blocks)

    def pool(self) -> tuple[Tensor, Tensor]:
        """The first pass: peaks and sums of all frames, each (1, N, F)."""
        blocks, kernel = self.blocks, envelope_kernel(self.net.weight_2, self.blocks)
        frames = self.whole // blocks.pool
        peaks = torch.empty(1, self.filters, frames, device=self.device)
        sums = torch.empty_like(peaks)
        for first, input_frames in self._input():
            for part in blocks.chunks(len(input_frames), self.filters, self.device):
                local = self._analyze(input_frames[part], first + part.start).abs_()
                own = local.narrow(-1, blocks.envelope_lead, blocks.hop)
                where = slice((first + part.start) * blocks.frames, frames)
                _put(peaks[0, :, where], envelope(local, kernel, blocks).amax(-1))
                _put(sums[0, :, where], blocks.by_frame(own).sum(-1))
        return peaks, sums

    def decode(self, scale: Tensor) -> Iterator[Tensor]:
        """The second pass: consecutive parts (C, n) of the mix before its tanh."""
        blocks, hop = self.blocks, self.blocks.hop
        kernel = synthesis_kernel(self.net.mix_kernel(), blocks)
        overlap = torch.zeros(self.net.channels, blocks.kernel - 1, device=self.device)
        scale = F.pad(scale, (0, blocks.count(self.whole) * blocks.frames - scale.shape[-1]))
        for first, input_frames in self._input():
            count = len(input_frames)
            out = F.pad(overlap, (0, count * hop))
            for part in blocks.chunks(count, self.filters, self.device):
                index = first + part.start
                local = self._analyze(input_frames[part], index)
                own = local.narrow(-1, blocks.envelope_lead, hop)
                columns = slice(index * blocks.frames, (first + part.stop) * blocks.frames)
                mask = scale[0, :, columns].unflatten(-1, (-1, blocks.frames)).transpose(0, 1)
                weighted = weigh(own, mask.unsqueeze(-1), blocks, index, self.whole)
                overlap_add(synthesize(weighted, kernel, blocks), hop, out[:, part.start * hop :])
            overlap = out[:, count * hop :]
            start = first * hop - blocks.lead
            yield out[:, max(0, -start) : min(count * hop, self.samples - start)]
        rest = self.samples - (start + count * hop)
        if rest > 0:
            yield overlap[:, :rest]

    def _analyze(self, input_frames: Tensor, first: int) -> Tensor:
        return analyze(input_frames, self.kernel_1, self.blocks, first, self.whole)

    def _input(self) -> Iterator[tuple[int, Tensor]]:
        """Index of the first block and (blocks, S * C, n_fft) of each part of the song."""
        blocks, count = self.blocks, self.blocks.count(self.whole)
        for first in range(0, count, self.step):
            number = min(self.step, count - first)
            start = first * blocks.hop - blocks.halo
            length = (number - 1) * blocks.hop + blocks.n_fft
            part = read_padded(self.read_block, start, length, self.samples).to(self.device)
            yield first, part.flatten(0, 1).unfold(-1, blocks.n_fft, blocks.hop).transpose(0, 1)


def _put(target: Tensor, values: Tensor) -> None:
    """Write (blocks, N, frames) into the beginning of (N, F), as far as that reaches."""
    rows = values.transpose(0, 1).flatten(1)[:, : target.shape[-1]]
    target[:, : rows.shape[-1]] = rows


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[torch.device]:
    """Evaluation mode without gradients; yields the network's device."""
    training = net.training
    net.eval()
    try:
        with torch.inference_mode():
            yield next(net.parameters()).device
    finally:
        net.train(training)
