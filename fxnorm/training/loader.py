"""Batches: which songs, where in them, read ahead by threads.

A batch is a function of (seed, step) alone. So a resumed run goes on with the batches it would
have had, and the number of threads and of devices changes none of them.
"""

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from fxnorm.errors import FxNormError
from fxnorm.seeds import generator
from fxnorm.training.augmentation import Augmentation
from fxnorm.training.training_config import TrainingConfig
from fxnorm.training.training_songs import OpenSong, Piece


class Batch(NamedTuple):
    """Inputs (batch, stems, channels, samples) and target (batch, channels, samples).

    Where songs have no target it is the inputs.
    """

    inputs: torch.Tensor
    target: torch.Tensor


class Loader:
    """Reads batches from disk.

    Args:
        songs: to draw from; songs of further data sets are just more of them.
        config: batch size, length and augmentation.
        seed: the project's seed.
        rank: this process among those that share a batch.
        processes: how many those are.
        workers: threads that read; None takes one per core, up to 8.

    Raises:
        FxNormError: the batch can't be shared evenly, or the augmentation does not suit the songs.
    """

    def __init__(
        self,
        songs: Sequence[OpenSong],
        config: TrainingConfig,
        seed: int,
        *,
        rank: int = 0,
        processes: int = 1,
        workers: int | None = None,
    ) -> None:
        if config.batch_size % processes:
            raise FxNormError(
                f"batch_size {config.batch_size} can't be shared by {processes} processes; "
                "make it a multiple"
            )
        self._songs = songs
        self._config = config
        self._seed = seed
        self._items = range(config.batch_size)[rank::processes]
        self._workers = workers or min(8, os.cpu_count() or 1)
        self._augmentation = Augmentation(config.augmentation, songs)

    def batches(self, first: int, end: int) -> Generator[tuple[int, Batch]]:
        """Yield (step, batch) for steps `first` to `end` - 1, reading ahead."""
        with ThreadPoolExecutor(self._workers, thread_name_prefix="loader") as pool:
            ahead: deque[tuple[int, Future[Batch]]] = deque()
            try:
                for step in range(first, end):
                    ahead.append((step, pool.submit(self.batch, step)))
                    if len(ahead) > 2 * self._workers:
                        ready, future = ahead.popleft()
                        yield ready, future.result()
                while ahead:
                    ready, future = ahead.popleft()
                    yield ready, future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def batch(self, step: int) -> Batch:
        """This process' part of the batch of a step."""
        order = song_order(self._seed, len(self._songs), self._config.batch_size, step)
        pieces = [self._piece(step, item, self._songs[order[item]]) for item in self._items]
        inputs = to_tensor([piece.inputs for piece in pieces])
        targets = [piece.target for piece in pieces if piece.target is not None]
        return Batch(inputs, to_tensor(targets) if targets else inputs)

    def _piece(self, step: int, item: int, song: OpenSong) -> Piece:
        samples = self._config.sequence_samples
        draws = generator(self._seed, "chunks", "start", step, item)
        start = int(draws.integers(max(song.samples, samples)))
        piece = song.chunk(start, samples, wet=self._augmentation.needs_wet)
        return self._augmentation(piece, generator(self._seed, "augmentation", step, item))


def song_order(seed: int, songs: int, batch_size: int, step: int) -> np.ndarray:
    """Indices of the songs in the batch of a step.

    Each refill joins `batch_size` random permutations of the songs and cuts them into as many
    batches as there are songs, so every song comes `batch_size` times in that many steps.
    """
    refill, position = divmod(step, songs)
    batch: np.ndarray = _refill(seed, songs, batch_size, refill)[position]
    return batch


@lru_cache(maxsize=4)
def _refill(seed: int, songs: int, batch_size: int, refill: int) -> np.ndarray:
    draws = generator(seed, "chunks", "order", refill)
    order = np.concatenate([draws.permutation(songs) for _ in range(batch_size)])
    return order.reshape(songs, batch_size)


def to_tensor(items: list[np.ndarray]) -> torch.Tensor:
    """Stack (…, samples, channels) arrays to a (batch, …, channels, samples) tensor."""
    stacked = np.ascontiguousarray(np.swapaxes(np.stack(items), -1, -2))
    return torch.from_numpy(stacked)
