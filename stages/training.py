"""What `pretrain` and `train` share: both train a network on normalised songs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import find_songs, load_partition
from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.models import MixerConfig, WindowConfig, build, save
from fxnorm.models.weights import read_weights
from fxnorm.normalization import DatasetFeatures, load_impulse_responses
from fxnorm.outputs import atomic_folder
from fxnorm.training import (
    Machine,
    TrainingResult,
    TrainingSong,
    Weights,
    calibrate_width,
    discard_checkpoint,
    on_all_cores,
    open_songs,
    train,
)
from fxnorm.training.training_config import WidthMeasure, whole_blocks
from stages.common import unfinished_work, write_numbers, write_table
from stages.params import Params, SystemConfig
from stages.places import CODE, FEATURES, MODELS, NORMALIZED, PRETRAINED, TRAINING
from stages.tracking import Run

TRAIN, VALID = NORMALIZED / "train", NORMALIZED / "valid"
LOSSES = Path("reports/losses")
#: Without what is done to the trained network.
AS_TRAINED = {"calibrate_width": None, "calibrate_mono": False, "widen_db": 0.0}


def train_stage(name: str, system: SystemConfig, params: Params, run: Run) -> None:
    """Train a system, save it in `models/<name>` and its curves in `reports/training/<name>`.

    The pretraining keeps its best and its last state, in two model folders; a system keeps its
    best, by the mean validation loss.

    Where it trains is no param, as it changes no result by more than rounding, but the
    environment's: FXNORM_ACCELERATOR (auto, cpu, cuda), FXNORM_DEVICES and FXNORM_NODES. Where
    neither number is given, it is one GPU, or all cores as far as they share a batch.
    """
    training = system.training
    seed = params.seed if training.seed is None else training.seed
    stems = tuple(params.stems)
    front_end = _front_end(system)
    start = digest(front_end) if front_end else "fresh"
    wet = _wet_stems(system, params)
    wet_files = [path for stems in wet.values() for path in stems.values()]
    data = {"train": digest(TRAIN), "valid": digest(VALID)}
    run.dataset("train", TRAIN, "training", digest=data["train"])
    run.dataset("valid", VALID, "validation", digest=data["valid"])
    inputs = digest(*data.values(), CODE, *wet_files)
    # Another width of what is trained takes no other training.
    key = digest(name, system.network, training.model_copy(update=AS_TRAINED), seed, start, inputs)
    result = train(
        training,
        system.network,
        training_songs(TRAIN, stems, wet),
        training_songs(VALID, stems),
        seed=seed,
        checkpoint_folder=unfinished_work("training"),
        fingerprint=key,
        title=name,
        front_end=read_weights(front_end) if front_end else None,
        machine=_machine(training.batch_size),
        on_epoch=lambda log: run.metrics(log, step=int(log["epoch"])),
        on_excerpt=lambda excerpt: run.excerpt(
            excerpt.audio, SAMPLE_RATE, f"epoch_{excerpt.epoch:03d}_{excerpt.song}"
        ),
    )
    if not result.first_process:
        return
    states = {"": result.best_mean.weights}
    if training.calibrate_width is not None:
        states = {"": _widened(result.best_mean.weights, system, stems, training.calibrate_width)}
    if system.network.is_pretraining:
        states = {"best": result.best_mean.weights, "last": result.last}
    _save(name, states, system, params)
    _report(name, result, run)
    run.trained(MODELS / name)
    discard_checkpoint(unfinished_work("training"), key)


def _front_end(system: SystemConfig) -> Path | None:
    """Weights of the pretrained front end that a system starts with."""
    if not system.network.takes_front_end or system.network.is_pretraining:
        return None
    state = system.training.front_end
    return None if state is None else MODELS / PRETRAINED / state / "model.safetensors"


def _save(name: str, states: dict[str, Weights], system: SystemConfig, params: Params) -> None:
    features = DatasetFeatures.load(FEATURES)
    config = mixer_config(name, system, params)
    rooms = []
    if params.normalization.needs("impulse_responses"):
        rooms = load_impulse_responses(params.dataset.impulse_responses)
    with atomic_folder(MODELS / name) as folder:
        for state, weights in states.items():
            net = build(system.network)
            net.load_state_dict(weights)
            save(folder / state, net, features, config, rooms)


def _widened(
    weights: Weights, system: SystemConfig, stems: tuple[str, ...], measure: WidthMeasure
) -> Weights:
    net = build(system.network)
    net.load_state_dict(weights)
    songs = open_songs(training_songs(VALID, stems))
    samples = whole_blocks(system.training.validation.max_song_s)
    grown_db = calibrate_width(
        net,
        songs,
        samples,
        measure,
        mono=system.training.calibrate_mono,
        beyond_db=system.training.widen_db,
    )
    print(f"side of the mix: {grown_db:+.1f} dB")
    return net.state_dict()


def _report(name: str, result: TrainingResult, run: Run) -> None:
    history = result.history
    write_table(history, TRAINING / name / "history.csv", digits=7)
    best = result.best_mean
    summary = {"best_epoch": best.epoch, "best_valid_loss_mean": best.value}
    write_numbers(summary, TRAINING / name / "metrics.json")
    losses = history[history["metric"] == "loss_mean"]
    by_epoch = losses.pivot(index="epoch", columns="split", values="value").reset_index()
    write_table(by_epoch, LOSSES / f"{name}.csv", digits=7)
    run.metrics(summary)


def _wet_stems(system: SystemConfig, params: Params) -> dict[str, Mapping[str, Path]]:
    """Files of the processed stems by song, which leaving stems out needs and nothing else."""
    if not system.training.augmentation.drop_stem:
        return {}
    songs = load_partition(params.dataset, "train", tuple(params.stems)).songs
    return {song.name: song.stems for song in songs}


def training_songs(
    folder: Path, stems: Sequence[str], wet: Mapping[str, Mapping[str, Path]] | None = None
) -> list[TrainingSong]:
    """The songs of a folder of normalised stems, with the wet stems of those that have them."""
    return [
        TrainingSong(song.name, song.stems, song.mixture, (wet or {}).get(song.name))
        for song in find_songs(folder, stems).songs
    ]


def _machine(batch_size: int) -> Machine:
    accelerator = os.environ.get("FXNORM_ACCELERATOR", "auto")
    devices, nodes = (_number(name) for name in ("FXNORM_DEVICES", "FXNORM_NODES"))
    if devices is None and nodes is None:
        return on_all_cores(accelerator, batch_size)
    return Machine(accelerator, devices or 1, nodes or 1)


def _number(name: str) -> int | None:
    text = os.environ.get(name)
    if text is not None and (not text.isdigit() or int(text) < 1):
        raise FxNormError(f"environment: {name} is '{text}'; give a number of at least 1")
    return None if text is None else int(text)


def mixer_config(name: str, system: SystemConfig, params: Params) -> MixerConfig:
    """What a trained system's model folder says of it."""
    window = None
    if system.network.in_windows:
        guard = system.training.validation.guard_samples
        window = WindowConfig(
            samples=system.training.window_samples, guard_left=guard, guard_right=guard
        )
    return MixerConfig(
        system=name,
        network=system.network,
        stems=tuple(params.stems),
        normalization=params.normalization,
        window=window,
    )
