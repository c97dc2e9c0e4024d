"""Running a mixing network over whole songs."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from fxnorm import audio, scratch
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.models import LoadedModel, mix_stream, share_stream
from fxnorm.models.mixer_config import NO_SHARES
from fxnorm.models.windows import WriteBlock, run_in_windows

#: Normalised stems as (samples, 2) float32 arrays, or as files to be read in blocks.
NormalizedStems = Mapping[str, "np.ndarray | str | os.PathLike[str]"]


def choose_device(device: str) -> str:
    """Resolve "auto" to "cuda" where there is a GPU, else "cpu".

    Raises:
        FxNormError: torch doesn't know the device or can't use it here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise FxNormError(f"device '{device}' can't be used here ({reason}); try cpu") from error
    return device


def apply_network(
    stems: NormalizedStems,
    model: LoadedModel,
    *,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Mix normalised stems, however long: files are read block by block, each part once or twice.

    Args:
        stems: by stem type, at 44.1 kHz; missing ones and what is shorter than the longest are
            silent.
        model: network and its configuration.
        on_progress: called with the fraction done, 0 to 1.

    Returns:
        (samples, 2) float32, as long as the longest stem.

    Raises:
        FxNormError: the network is one for pretraining, or a file is not 44.1 kHz stereo.
    """
    song = _SongToMix(stems, model, on_progress)
    (mixed,) = song.run(1, _run_network)
    return mixed


def apply_network_by_stem(
    stems: NormalizedStems,
    model: LoadedModel,
    *,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> dict[str, np.ndarray]:
    """Like `apply_network`, but each stem's share of the mix; the shares add up to the mix.

    Returns:
        (samples, 2) float32 by stem type.

    Raises:
        FxNormError: see `apply_network`, or a network whose mix is no sum of shares.
    """
    if not model.config.has_shares:
        raise FxNormError(
            f"model '{model.config.system}': {NO_SHARES}; use a model of the kind automix"
        )
    song = _SongToMix(stems, model, on_progress)
    return dict(zip(song.inputs, song.run(len(song.inputs), _share), strict=True))


class _SongToMix:
    """Normalised stems to be read and what is made of them to be written, block by block."""

    def __init__(
        self, stems: NormalizedStems, model: LoadedModel, on_progress: Callable[[float], None]
    ) -> None:
        if model.net.pretraining:
            raise FxNormError(
                f"model '{model.config.system}' is a pretrained front end; train a system from it"
            )
        self.model, self._on_progress = model, on_progress
        types = model.config.stems
        #: The network's input of each given stem.
        self.inputs = {stem: index for index, stem in enumerate(types) if stem in stems}
        self._opened = {index: _stem_reader(stems[stem]) for stem, index in self.inputs.items()}
        self.samples = max(length for length, _ in self._opened.values())
        self._device = next(model.net.parameters()).device
        self._seen = 0

    def run(
        self, outputs: int, compute: "Callable[[_SongToMix, WriteBlock], None]"
    ) -> list[np.ndarray]:
        """What `compute` writes, as so many arrays (samples, 2)."""
        results = [scratch.empty((self.samples, 2)) for _ in range(outputs)]
        written = 0

        def write(parts: torch.Tensor) -> None:
            nonlocal written
            count = parts.shape[-1]
            for result, part in zip(results, parts.reshape(outputs, 2, count), strict=True):
                result[written : written + count] = part.float().cpu().numpy().T
            written += count

        with torch.inference_mode():
            compute(self, write)
        return results

    def read(self, start: int, count: int) -> torch.Tensor:
        """A part of all stems, (S, 2, count)."""
        block = torch.zeros(len(self.model.config.stems), 2, count)
        for index, (length, read) in self._opened.items():
            here = min(count, length - start)
            if here > 0:
                block[index, :, :here] = torch.from_numpy(read(start, here).T)
        self._seen += count
        passes = 2 if self.model.config.has_shares else 1
        self._on_progress(min(1.0, self._seen / (passes * self.samples)))
        return block.to(self._device)


def _share(song: _SongToMix, write: WriteBlock) -> None:
    net: Any = song.model.net
    share_stream(net, song.read, write, song.samples, list(song.inputs.values()))


def _run_network(song: _SongToMix, write: WriteBlock) -> None:
    net: Any = song.model.net
    window, offset = song.model.config.window, song.model.output_offset
    if window is not None:
        guards = window.guard_left, window.guard_right
        run_in_windows(
            net, song.read, write, song.samples, window.samples, guards, offset=offset, batch_size=1
        )
    elif song.model.config.has_shares:
        mix_stream(net, song.read, write, song.samples)
    else:
        whole = F.pad(song.read(0, song.samples), (offset, net.trim - offset))
        write(net(whole[None])[0])


def _stem_reader(
    stem: "np.ndarray | str | os.PathLike[str]",
) -> tuple[int, Callable[[int, int], np.ndarray]]:
    """A stem's length, and a function that reads from a start so many samples."""
    if isinstance(stem, np.ndarray):
        return stem.shape[0], lambda start, count: stem[start : start + count]
    header = audio.info(stem)
    if header.sample_rate != SAMPLE_RATE or header.channels != 2:
        raise FxNormError(
            f"{stem}: has {header.sample_rate} Hz and {header.channels} channels; "
            f"normalised stems are {SAMPLE_RATE} Hz stereo"
        )
    return header.samples, lambda start, count: audio.read(stem, start, count)[0]
