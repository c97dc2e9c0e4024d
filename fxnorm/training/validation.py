"""The loss on whole songs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.losses.stereo import HOP
from fxnorm.models import Network
from fxnorm.models.network import evaluating
from fxnorm.models.windows import run_in_windows
from fxnorm.training.loader import to_tensor
from fxnorm.training.training_songs import OpenSong

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Autocast = Callable[[], AbstractContextManager[None]]


@torch.no_grad()
def validate(
    net: Network,
    songs: Sequence[OpenSong],
    loss: Loss,
    *,
    window: int,
    guard: int,
    batch_size: int,
    max_samples: int | None = None,
    device: torch.device | str = "cpu",
    autocast: Autocast = nullcontext,
    on_mix: Callable[[OpenSong, torch.Tensor], None] = lambda song, mix: None,
) -> list[float]:
    """Loss of every song: run in windows, joined again, compared with the target as a whole.

    Args:
        net: put into evaluation mode for the while.
        songs: what to validate with; one without a target is compared with its inputs.
        loss: takes mix and target, (1, ..., channels, samples).
        window: window length in samples.
        guard: samples at both ends of every window that give no output.
        batch_size: windows that go through the network together.
        max_samples: only this much from the start of every song.
        device: where the network is.
        autocast: makes the context in which the network runs, for mixed precision.
        on_mix: called with every song and its mix, (..., channels, samples).

    Returns:
        One loss per song, in the order given.

    Raises:
        FxNormError: the guards leave nothing, or less than the network needs as context.
    """
    losses = []
    with evaluating(net):
        for song in songs:
            samples = _length(song, max_samples)
            piece = song.beginning(samples)
            inputs = to_tensor([piece.inputs]).to(device)
            target = inputs if piece.target is None else to_tensor([piece.target]).to(device)
            parts: list[torch.Tensor] = []
            run_in_windows(
                net,
                partial(inputs[0].narrow, -1),
                parts.append,
                samples,
                window,
                (guard, guard),
                offset=net.output_offset,
                batch_size=batch_size,
                autocast=autocast,
            )
            mix = torch.cat(parts, dim=-1)
            on_mix(song, mix)
            losses.append(float(loss(mix[None], target)))
    return losses


def check_validation(
    net: Network,
    songs: Sequence[OpenSong],
    loss: torch.nn.Module,
    *,
    guard: int,
    max_samples: int | None = None,
) -> None:
    """Find out before training what `validate` would refuse after an epoch of it.

    Raises:
        FxNormError: a song that is too short for the loss, or guards too short for the network.
    """
    least = getattr(loss, "least_samples", 0)
    for song in songs:
        if _length(song, max_samples) < least:
            raise FxNormError(
                f"{song.song.name}: is too short to validate with: the loss needs "
                f"{least / SAMPLE_RATE:.2f} s; leave the song out, raise validation.max_song_s or "
                "lower loss.guard_frames"
            )
    needed = max(net.output_offset, net.trim - net.output_offset)
    if guard < needed:
        raise FxNormError(
            f"validation.guard_samples: {guard} is less than the network cuts off its input; raise "
            f"it to {needed}"
        )


def align(target: torch.Tensor, mix: torch.Tensor, offset: int) -> torch.Tensor:
    """The stretch of a target that a network's (perhaps shorter) output belongs to."""
    return target[..., offset : offset + mix.shape[-1]]


def _length(song: OpenSong, max_samples: int | None) -> int:
    """Samples that are validated: whole hops of the stereo losses."""
    target = song.song.target
    samples = song.samples if target is None else song.lengths[target]
    samples = samples if max_samples is None else min(samples, max_samples)
    if samples < HOP:
        raise FxNormError(
            f"{song.song.name}: is too short to validate with; leave the song out or raise "
            "validation.max_song_s"
        )
    return samples // HOP * HOP
