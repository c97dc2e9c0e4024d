"""Running a mixing network over whole songs."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.models import AutomixNet, LoadedModel, mix_stream
from fxnorm.models.windows import ReadBlock, run_in_windows

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
    if isinstance(model.net, AutomixNet) and model.net.pretraining:
        raise FxNormError(
            f"model '{model.config.system}' is a pretrained front end; train a system from it"
        )
    known = [stem for stem in model.config.stems if stem in stems]
    opened = {model.config.stems.index(stem): _open(stems[stem]) for stem in known}
    samples = max(length for length, _ in opened.values())
    device = next(model.net.parameters()).device
    to_read = samples * (2 if _is_streamed(model) else 1)
    seen = 0

    def read_block(start: int, count: int) -> torch.Tensor:
        nonlocal seen
        block = torch.zeros(len(model.config.stems), 2, count)
        for index, (length, read) in opened.items():
            here = min(count, length - start)
            if here > 0:
                block[index, :, :here] = torch.from_numpy(read(start, here).T)
        seen += count
        on_progress(min(1.0, seen / to_read))
        return block.to(device)

    mixed = np.empty((samples, 2), np.float32)
    written = 0

    def write_block(part: torch.Tensor) -> None:
        nonlocal written
        mixed[written : written + part.shape[-1]] = part.float().cpu().numpy().T
        written += part.shape[-1]

    with torch.inference_mode():
        _mix(read_block, write_block, samples, model)
    return mixed


def _mix(
    read_block: ReadBlock,
    write_block: Callable[[torch.Tensor], None],
    samples: int,
    model: LoadedModel,
) -> None:
    net: Any = model.net
    window, offset = model.config.window, model.output_offset
    if window is not None:
        guards = window.guard_left, window.guard_right
        run_in_windows(
            net,
            read_block,
            write_block,
            samples,
            window.samples,
            guards,
            offset=offset,
            batch_size=1,
        )
    elif _is_streamed(model):
        mix_stream(net, read_block, write_block, samples)
    else:
        # Its group statistics are those of the whole song.
        song = F.pad(read_block(0, samples), (offset, net.trim - offset))
        write_block(net(song[None])[0])


def _is_streamed(model: LoadedModel) -> bool:
    """Whether the network sees the song as a whole, in two passes."""
    return isinstance(model.net, AutomixNet) and model.config.window is None


def _open(
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
