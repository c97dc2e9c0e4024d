"""The training loop: the same on a CPU, a GPU, and several of them on several machines."""

import copy
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from lightning_fabric import Fabric

from fxnorm.conventions import LOGGED_S, SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.losses import StereoLossA, StereoLossB, TimeL1
from fxnorm.models import Network, NetworkConfig, build, calibrate_gain
from fxnorm.progress import Progress
from fxnorm.seeds import derive_seed
from fxnorm.training.checkpoint import load_checkpoint, save_checkpoint
from fxnorm.training.loader import Batch, Loader
from fxnorm.training.machine import Clock, Machine, peak_memory_mb
from fxnorm.training.schedule import learning_rate
from fxnorm.training.state import TrainingState, Weights
from fxnorm.training.training_config import LossConfig, TrainingConfig
from fxnorm.training.training_songs import OpenSong
from fxnorm.training.validation import align, check_validation, validate

Log = dict[str, float]

_EXCERPT_SONGS = 2
_CALIBRATION_BATCHES = 5
_CALIBRATION_TRIES = 200


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a validation mix."""

    epoch: int
    """After which it was made."""
    song: str
    """Its name."""
    audio: np.ndarray
    """(samples, 2) float32 at 44.1 kHz, at most 10 s; in pretraining the sum of the stems."""


#: What takes the reports of a run as it goes.
Emit = Callable[[Log | Excerpt], None]


@dataclass(frozen=True)
class Job:
    """One training run, as every process that takes part gets it."""

    title: str
    config: TrainingConfig
    network: NetworkConfig
    train_songs: list[OpenSong]
    valid_songs: list[OpenSong]
    seed: int
    checkpoint: Path
    front_end: Weights | None
    machine: Machine
    excerpts_every_epochs: int


def run(fabric: Fabric, job: Job, emit: Emit) -> Weights:
    """Train until the schedule ends; the last checkpoint holds the result.

    Args:
        fabric: where to train; every process of a run has its own.
        job: what to train.
        emit: called with the log of every epoch and with excerpts of validation mixes, in the
            first process only. The epochs that a resumed run finds in its checkpoint come first,
            without times.

    Returns:
        The weights at the end; every process has the same.

    Raises:
        FxNormError: losses or gradients stay non-finite.
    """
    config = job.config
    loader = Loader(
        job.train_songs,
        config,
        job.seed,
        rank=fabric.global_rank,
        processes=fabric.world_size,
        workers=job.machine.workers,
    )
    shared = fabric.world_size > 1
    loss_function = build_loss(config.loss, shared_batch=shared).to(fabric.device)
    song_loss = build_loss(config.loss, whole_songs=True).to(fabric.device)
    module = _initial_network(job)
    check_validation(
        module,
        job.valid_songs,
        song_loss,
        guard=config.validation.guard_samples,
        max_samples=config.max_song_samples,
    )
    adam = _adam(module, config)
    net, optimizer = fabric.setup(module, adam)
    training = _Training(fabric, job, module, copy.deepcopy(module), adam)
    state = training.resume()

    report = emit if fabric.is_global_zero else (lambda message: None)
    for epoch in range(1, state.step // config.steps_per_epoch + 1):
        report(state.log(epoch))
    end = state.step if state.out_of_patience(config.patience) else config.steps
    clock = Clock()
    progress = Progress(job.title, end, "steps", done=state.step, silent=not fabric.is_global_zero)
    if state.step:
        progress.say(f"resumed at step {state.step}")
    with closing(progress), closing(loader.batches(state.step, end)) as batches:
        for step, batch in batches:
            for group in adam.param_groups:
                group["lr"] = learning_rate(config, step)
            # Dropout, too, is a function of (seed, step): a resumed run draws what it would have.
            torch.manual_seed(derive_seed(job.seed, "dropout", step, fabric.global_rank))
            loss, norm = _gradient_step(
                fabric, net, optimizer, loss_function, batch, module.output_offset, config.clip_norm
            )
            decay = min(config.averaging, (state.step + 1) / (state.step + 10))
            _follow(training.average, module, decay)
            state.record(loss, norm)
            _give_up_if_hopeless(state, config)
            progress.advance(note=f"loss {loss:.4g}")
            clock.tick()

            if state.step % config.steps_per_epoch == 0:
                speed = clock.lap(config.batch_size)
                epoch = training.close_epoch(song_loss, state, report)
                training.save(state)
                memory = {"machine/peak_memory_mb": peak_memory_mb(fabric.device)}
                progress.say(state.summary(epoch))
                report({**state.log(epoch), **speed, **memory})
                if state.out_of_patience(config.patience):
                    break
                clock.restart()
            elif state.step % job.machine.checkpoint_every_steps == 0:
                training.save(state)
    fabric.barrier()
    return _copy(training.average)


def build_loss(
    config: LossConfig, *, whole_songs: bool = False, shared_batch: bool = False
) -> torch.nn.Module:
    """The loss of a configuration.

    Args:
        config: which loss.
        whole_songs: for validation, where time-l1 has no guards.
        shared_batch: for training by several processes; see `StereoLoss`.
    """
    if config.kind == "time-l1":
        return TimeL1(guard_samples=0 if whole_songs else config.guard_samples)
    kind = StereoLossA if config.kind == "stereo-a" else StereoLossB
    return kind(
        guard_frames=config.guard_frames,
        filters=config.filters,
        precision=config.precision,
        shared_batch=shared_batch,
    )


def _initial_network(job: Job) -> Network:
    """The network before the first step: its start, pretrained front end, gain calibrated."""
    torch.manual_seed(derive_seed(job.seed, "weights", job.title))
    net = build(job.network)
    if job.config.start == "sum":
        net.start_as_sum()
    if job.front_end is not None:
        net.set_front_end(job.front_end)
    if job.config.calibrate_gain and not net.pretraining:
        inputs, target = _typical_batch(Loader(job.train_songs, job.config, job.seed))
        calibrate_gain(net, inputs, _rms(target))
    return net


def _typical_batch(loader: Loader) -> Batch:
    """The batch with the median level out of the first few that are not silent."""
    batches: list[Batch] = []
    for step in range(_CALIBRATION_TRIES):
        batch = loader.batch(step)
        if _rms(batch.target) > 0.0 and _rms(batch.inputs) > 0.0:
            batches.append(batch)
        if len(batches) == _CALIBRATION_BATCHES:
            break
    if not batches:
        raise FxNormError(
            f"training.calibrate_gain: the first {_CALIBRATION_TRIES} batches are silent; check "
            "the songs, or set it to false"
        )
    return sorted(batches, key=lambda batch: _rms(batch.target))[len(batches) // 2]


def _rms(audio: torch.Tensor) -> float:
    return float(audio.square().mean().sqrt())


def _adam(net: torch.nn.Module, config: TrainingConfig) -> torch.optim.Adam:
    return torch.optim.Adam(
        [weights for weights in net.parameters() if weights.requires_grad],
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        amsgrad=config.amsgrad,
    )


def _gradient_step(
    fabric: Fabric,
    net: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: torch.nn.Module,
    batch: Batch,
    offset: int,
    clip_norm: float | None,
) -> tuple[float, float]:
    """Change the weights, unless the loss or the gradient is not finite.

    Returns:
        The loss over all processes, and the norm of its gradient before clipping.
    """
    inputs, target = fabric.to_device(batch)
    optimizer.zero_grad()
    mix = net(inputs)
    loss = loss_function(mix, align(target, mix, offset))
    fabric.backward(loss)
    norm = fabric.clip_gradients(
        net, optimizer, max_norm=clip_norm or math.inf, error_if_nonfinite=False
    )
    mean_loss = float(_over_all(fabric, loss.detach(), "mean"))
    total_norm = float(cast(float, norm))
    if math.isfinite(mean_loss) and math.isfinite(total_norm):
        optimizer.step()
    elif scaler := _scaler(fabric):
        # Half precision overflowed: the scale of the next step's loss is halved.
        scaler.update()
    return mean_loss, total_norm


@torch.no_grad()
def _follow(average: Network, net: Network, decay: float) -> None:
    """Move the average of the weights towards the present ones."""
    for mean, weights in zip(average.parameters(), net.parameters(), strict=True):
        mean.lerp_(weights, 1.0 - decay)


@dataclass(frozen=True)
class _Training:
    """A run under way: what is trained, its averaged weights, and what checkpoints keep of it."""

    fabric: Fabric
    job: Job
    module: Network
    average: Network
    adam: torch.optim.Adam

    def close_epoch(self, loss: torch.nn.Module, state: TrainingState, report: Emit) -> int:
        """Add the epoch to the history, validated if it is due, and return its number."""
        config = self.job.config
        epoch = state.step // config.steps_per_epoch
        state.close_epoch(epoch, learning_rate(config, state.step - 1))
        last = state.step == config.steps
        if epoch % config.validation.every_epochs == 0 or last:
            excerpts = _Excerpts(epoch, self.job.excerpts_every_epochs, last=last)
            state.add_validation(epoch, self._validate(loss, excerpts), _copy(self.average))
            for excerpt in excerpts.taken:
                report(excerpt)
        return epoch

    def _validate(
        self, loss: torch.nn.Module, on_mix: Callable[[OpenSong, torch.Tensor], None]
    ) -> list[float]:
        """Validation losses of all songs, shared among the processes, longest songs first."""
        songs, config = self.job.valid_songs, self.job.config
        longest_first = sorted(range(len(songs)), key=lambda index: -songs[index].samples)
        mine = longest_first[self.fabric.global_rank :: self.fabric.world_size]
        losses = torch.zeros(len(songs), dtype=torch.float64, device=self.fabric.device)
        losses[mine] = losses.new_tensor(
            validate(
                self.average,
                [songs[index] for index in mine],
                loss,
                window=config.window_samples,
                guard=config.validation.guard_samples,
                batch_size=config.batch_size,
                max_samples=config.max_song_samples,
                device=self.fabric.device,
                autocast=self.fabric.autocast,
                on_mix=on_mix,
            )
        )
        return _over_all(self.fabric, losses, "sum").tolist()

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint, in the first process."""
        if self.fabric.is_global_zero:
            scaler = _scaler(self.fabric)
            content = {
                "weights": self.module.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.adam.state_dict(),
                "scaler": scaler.state_dict() if scaler else {},
                "state": vars(state),
            }
            save_checkpoint(self.job.checkpoint, content)

    def resume(self) -> TrainingState:
        """Go on where the checkpoint is, or begin."""
        content = load_checkpoint(self.job.checkpoint)
        if content is None:
            return TrainingState()
        self.module.load_state_dict(content["weights"])
        self.average.load_state_dict(content["average"])
        self.adam.load_state_dict(content["optimizer"])
        if scaler := _scaler(self.fabric):
            scaler.load_state_dict(content["scaler"])
        return TrainingState(**content["state"])


def _give_up_if_hopeless(state: TrainingState, config: TrainingConfig) -> None:
    if state.bad_in_row >= config.max_bad_steps_in_row:
        raise FxNormError(
            f"training: {state.bad_in_row} steps in a row had a loss or gradient that is not "
            f"finite (at step {state.step}); lower the learning rate, or train with precision "
            "32-true"
        )


class _Excerpts:
    """Takes the first few mixes of a validation, in some epochs: the first, and every so many."""

    def __init__(self, epoch: int, every_epochs: int, *, last: bool) -> None:
        self._epoch = epoch
        self._due = every_epochs > 0 and (last or (epoch - 1) % every_epochs == 0)
        self.taken: list[Excerpt] = []

    def __call__(self, song: OpenSong, mix: torch.Tensor) -> None:
        if self._due and len(self.taken) < _EXCERPT_SONGS:
            beginning = mix[..., : int(LOGGED_S * SAMPLE_RATE)].float().cpu()
            stereo = beginning if beginning.ndim == 2 else beginning.sum(0)
            self.taken.append(Excerpt(self._epoch, song.song.name, stereo.numpy().T))


def _over_all(fabric: Fabric, tensor: torch.Tensor, operation: str) -> torch.Tensor:
    return cast(torch.Tensor, fabric.all_reduce(tensor, reduce_op=operation))


def _copy(module: Network) -> Weights:
    return {name: weights.detach().cpu().clone() for name, weights in module.state_dict().items()}


def _scaler(fabric: Fabric) -> torch.amp.GradScaler | None:
    """What scales losses for half precision; only 16-mixed has one."""
    return getattr(fabric.strategy.precision, "scaler", None)
