"""Training as one function call."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from fxnorm.errors import FxNormError
from fxnorm.models import NetworkConfig
from fxnorm.training.checkpoint import checkpoint_path, load_checkpoint
from fxnorm.training.engine import Excerpt, Job, Log, run
from fxnorm.training.machine import Machine, launch
from fxnorm.training.state import Weights
from fxnorm.training.training_config import TrainingConfig
from fxnorm.training.training_songs import OpenSong, TrainingSong, open_songs


@dataclass(frozen=True)
class Selected:
    """The weights of the epoch whose validation loss was lowest."""

    epoch: int
    value: float
    weights: Weights


@dataclass(frozen=True)
class TrainingResult:
    """What a run leaves behind; nothing in it depends on when or how fast it ran."""

    history: pd.DataFrame
    """Tidy, one row per (epoch, split, metric) with its value. Epochs count from 1; split is train
    or valid; metrics are loss_mean and loss_median (over steps or songs), for train also
    learning_rate (at the epoch's end), gradient_norm_mean, gradient_norm_max (before clipping) and
    skipped_steps."""
    best_mean: Selected
    """Lowest mean over the validation songs."""
    last: Weights
    """The weights at the end."""
    first_process: bool = True
    """False in the processes beside the first that torchrun starts: they must write no outputs."""


def train(
    config: TrainingConfig,
    network: NetworkConfig,
    train_songs: Sequence[TrainingSong],
    valid_songs: Sequence[TrainingSong],
    *,
    seed: int,
    checkpoint_folder: str | os.PathLike[str],
    fingerprint: str,
    title: str = "train",
    front_end: Weights | None = None,
    machine: Machine | None = None,
    on_epoch: Callable[[Log], None] = lambda log: None,
    on_excerpt: Callable[[Excerpt], None] = lambda excerpt: None,
    excerpts_every_epochs: int = 5,
) -> TrainingResult:
    """Train a network, or go on with a run that was killed.

    A run is found again by its fingerprint. It then ends with the weights, bit by bit, that it
    would have had without the interruption. Its checkpoint stays until `discard_checkpoint`, so
    that a caller killed while it writes its outputs loses nothing.

    Args:
        config: how to train.
        network: what to train; a pretraining network gets the inputs as targets.
        train_songs: songs to learn from.
        valid_songs: songs to select the weights by.
        seed: the project's seed.
        checkpoint_folder: holds the checkpoints of all runs.
        fingerprint: names what decides the result: see `fxnorm.digests.digest`.
        title: the system's name; part of the seed of the weights, and shown with the progress.
        front_end: weights of a pretrained network, whose front end the network starts with.
        machine: where to run; the default is one device, a GPU if there is one.
        on_epoch: called after every epoch with its losses and times, by name; after a
            resumption first with the epochs done before, without times.
        on_excerpt: called with the beginnings of two validation mixes in the first epoch, in the
            last, and in every so many.
        excerpts_every_epochs: how many; 0 takes none.

    Returns:
        History and weights.

    Raises:
        FxNormError: files that don't suit, a device that is not there, a batch that the devices
            can't share, or losses that stay non-finite.
    """
    machine = machine or Machine()
    job = Job(
        title,
        config,
        network,
        _open_for(network, train_songs),
        _open_for(network, valid_songs),
        seed,
        checkpoint_path(checkpoint_folder, fingerprint),
        front_end,
        machine,
        excerpts_every_epochs,
    )

    def receive(message: Log | Excerpt) -> None:
        if isinstance(message, Excerpt):
            on_excerpt(message)
        else:
            on_epoch(message)

    first_process = launch(machine, config.precision, run, job, receive)
    content = load_checkpoint(job.checkpoint)
    if content is None:
        raise FxNormError(f"{job.checkpoint}: was removed while training; start again")
    return _result(content, first_process)


def _open_for(network: NetworkConfig, songs: Sequence[TrainingSong]) -> list[OpenSong]:
    if network.is_pretraining:
        return open_songs([replace(song, target=None, wet=None) for song in songs])
    for song in songs:
        if song.target is None:
            raise FxNormError(f"{song.name}: has no target mix to train with")
    return open_songs(songs)


def _result(content: Mapping[str, Any], first_process: bool) -> TrainingResult:
    state = content["state"]
    if not state["best"]:
        raise FxNormError(
            "training: the validation loss was never finite; lower the learning rate, or check "
            "the validation songs"
        )
    return TrainingResult(
        pd.DataFrame(state["history"], columns=["epoch", "split", "metric", "value"]),
        Selected(**state["best"]),
        content["average"],
        first_process,
    )
