"""Mixing songs of any length in bounded memory, reading and writing them block by block."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from fxnorm import scratch
from fxnorm.errors import FxNormError
from fxnorm.models.automix import spectral
from fxnorm.models.automix.automix_net import AutomixNet
from fxnorm.models.automix.front_end import weigh
from fxnorm.models.automix.long_latent import LONG_FRAMES, scale_in_parts
from fxnorm.models.network import evaluating
from fxnorm.models.windows import ReadBlock, WriteBlock, read_padded
from fxnorm.workers import in_threads

T = TypeVar("T")

#: Samples read at a time, about 12 s.
BLOCK_SAMPLES = 2**19
#: Chunks worked on side by side. Each takes some tens of MB.
_MOST_AT_ONCE = 8


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
    with _two_passes(net, read_block, samples, block) as song:
        for (part,) in song.decode(song.scale(), [slice(None)]):
            write_block(torch.tanh_(part))


def share_stream(
    net: AutomixNet,
    read_block: ReadBlock,
    write_block: WriteBlock,
    samples: int,
    stems: Sequence[int],
    block: int = BLOCK_SAMPLES,
) -> None:
    """Like `mix_stream`, but each stem's share of the mix; the shares add up to the mix.

    Given the mask, the network is linear up to its last tanh: y is the sum of what the decoder
    makes of each stem alone, y_s. A stem's share is y_s tanh(y) / y, to rounding. Arguments as for
    `mix_stream`, but for these.

    Args:
        write_block: takes the shares, (len(stems), C, n), on the network's device.
        stems: the inputs whose shares are wanted; all others must be silent.

    Raises:
        FxNormError: see `mix_stream`.
    """
    inputs = [slice(stem * net.channels, (stem + 1) * net.channels) for stem in stems]
    with _two_passes(net, read_block, samples, block) as song:
        for parts in song.decode(song.scale(), inputs):
            whole = parts.sum(0)
            gain = torch.where(whole == 0.0, 1.0, torch.tanh(whole) / whole)
            write_block(parts.mul_(gain))


class _TwoPasses:
    """The two passes over one song."""

    def __init__(
        self,
        net: AutomixNet,
        read_block: ReadBlock,
        samples: int,
        block: int,
        device: torch.device,
        threads: Executor | None,
    ) -> None:
        self.net, self.read_block, self.samples, self.device = net, read_block, samples, device
        self.threads = threads
        self.blocks: spectral.Blocks = net.blocks
        self.whole = samples + -samples % self.blocks.pool
        self.step = max(1, block // self.blocks.hop)
        self.filters = net.conv_1.out_channels
        self.kernel_1 = spectral.analysis_kernel(net.conv_1.weight, self.blocks)

    def scale(self) -> Tensor:
        """What the decoder multiplies each filter by in each frame, (1, N, F)."""
        peaks, sums = self.pool()
        if self.device.type == "cpu" and peaks.shape[-1] > LONG_FRAMES:
            return scale_in_parts(self.net, peaks, sums)
        return self.net.scale(peaks, sums)

    def pool(self) -> tuple[Tensor, Tensor]:
        """The first pass: peaks and sums of all frames, each (1, N, F)."""
        blocks, kernel = self.blocks, spectral.envelope_kernel(self.net.weight_2, self.blocks)
        frames = self.whole // blocks.pool
        shape = 1, self.filters, frames
        peaks, sums = (
            torch.from_numpy(scratch.empty(shape))
            if self.device.type == "cpu"
            else torch.empty(shape, device=self.device)
            for _ in range(2)
        )
        for first, input_frames in self._input():
            results = self._each_chunk(partial(self._pool_chunk, kernel), first, input_frames)
            for index, (maxima, totals) in results:
                where = slice(index * blocks.frames, frames)
                _put(peaks[0, :, where], maxima)
                _put(sums[0, :, where], totals)
        return peaks, sums

    def decode(self, scale: Tensor, inputs: Sequence[slice]) -> Iterator[Tensor]:
        """The second pass: consecutive parts (len(inputs), C, n) of the mix before its tanh.

        Args:
            scale: of all frames, (1, N, F).
            inputs: groups of the network's S * C input channels, each decoded by itself.
        """
        blocks, hop = self.blocks, self.blocks.hop
        kernel = spectral.synthesis_kernel(self.net.mix_kernel(), blocks)
        overlap = torch.zeros(len(inputs), self.net.channels, blocks.kernel - 1, device=self.device)
        for first, input_frames in self._input():
            count = len(input_frames)
            out = F.pad(overlap, (0, count * hop))
            compute = partial(self._decode_chunk, kernel, scale, inputs)
            for index, decoded in self._each_chunk(compute, first, input_frames):
                for pieces, whole in zip(decoded, out, strict=True):
                    spectral.overlap_add(pieces, hop, whole[:, (index - first) * hop :])
            overlap = out[..., count * hop :]
            start = first * hop - blocks.lead
            yield out[..., max(0, -start) : min(count * hop, self.samples - start)]
        rest = self.samples - (start + count * hop)
        if rest > 0:
            yield overlap[..., :rest]

    def _pool_chunk(self, kernel: Tensor, chunk: Tensor, index: int) -> tuple[Tensor, Tensor]:
        """Peaks and sums, (blocks, N, frames), of input frames from the block `index` on."""
        blocks = self.blocks
        local = self._analyze(chunk, index).abs_()
        own = local.narrow(-1, blocks.envelope_lead, blocks.hop)
        return spectral.envelope(local, kernel, blocks).amax(-1), blocks.by_frame(own).sum(-1)

    def _decode_chunk(
        self, kernel: Tensor, scale: Tensor, inputs: Sequence[slice], chunk: Tensor, index: int
    ) -> list[Tensor]:
        """For each group of inputs (blocks, C, hop + K - 1), to be overlap-added."""
        blocks = self.blocks
        columns = slice(index * blocks.frames, (index + len(chunk)) * blocks.frames)
        # Frames behind the song's last one are multiplied by zero.
        mask = scale[0, :, columns]
        missing = len(chunk) * blocks.frames - mask.shape[-1]
        mask = torch.unflatten(F.pad(mask, (0, missing)), -1, (-1, blocks.frames))
        mask = mask.transpose(0, 1).unsqueeze(-1)
        decoded = []
        for group in inputs:
            local = self._analyze(chunk, index, group)
            own = local.narrow(-1, blocks.envelope_lead, blocks.hop)
            weighted = weigh(own, mask, blocks, index, self.whole)
            decoded.append(spectral.synthesize(weighted, kernel, blocks))
        return decoded

    def _each_chunk(
        self, compute: Callable[[Tensor, int], T], first: int, input_frames: Tensor
    ) -> Iterator[tuple[int, T]]:
        """The first block of each chunk, in order, and what `compute` makes of the chunk.

        Args:
            compute: takes input frames and the index of their block.
            first: index of the first block of `input_frames`.
            input_frames: (blocks, S * C, n_fft).
        """
        chunks = list(self.blocks.chunks(len(input_frames), self.filters, self.device))
        frames = (input_frames[chunk] for chunk in chunks)
        indices = [first + chunk.start for chunk in chunks]
        side_by_side = map if self.threads is None else self.threads.map
        results = side_by_side(torch.inference_mode()(compute), frames, indices)
        return zip(indices, results, strict=True)

    def _analyze(self, input_frames: Tensor, first: int, group: slice = slice(None)) -> Tensor:
        frames, kernel = input_frames[:, group], self.kernel_1[:, group]
        return spectral.analyze(frames, kernel, self.blocks, first, self.whole)

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
def _two_passes(
    net: AutomixNet, read_block: ReadBlock, samples: int, block: int
) -> Iterator[_TwoPasses]:
    if net.pretraining or samples < 1:
        raise FxNormError("mixing takes a mixing network and a song of at least one sample")
    device = next(net.parameters()).device
    with evaluating(net), torch.inference_mode(), _threads_for_chunks(device) as threads:
        yield _TwoPasses(net, read_block, samples, block, device, threads)


@contextmanager
def _threads_for_chunks(device: torch.device) -> Iterator[Executor | None]:
    """As many threads as torch uses, each for a chunk of its own; None where one does it all.

    That uses the cores better than all threads on each operation: those are small.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield None
        return
    try:
        with in_threads(min(threads, _MOST_AT_ONCE), partial(torch.set_num_threads, 1)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)
