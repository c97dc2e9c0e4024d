"""Small songs and runs that the training tests share; the kill test starts this as a script."""

import sys
from pathlib import Path

import numpy as np
import torch

from fxnorm import audio
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.models import AutomixConfig, WaveUNetConfig
from fxnorm.training import (
    LossConfig,
    Machine,
    SchedulePart,
    TrainingConfig,
    TrainingResult,
    TrainingSong,
    ValidationConfig,
    train,
)
from fxnorm.training.engine import run

AUTOMIX = AutomixConfig(
    filters=8, kernel=16, pool=16, bottleneck=8, skip=8, hidden=8, blocks=2, repeats=1, se_ratio=2
)
WAVE_U_NET = WaveUNetConfig(filters=8, levels=2)
PRETRAINING = AUTOMIX.model_copy(update={"pretraining": True})

CONFIG = TrainingConfig(
    batch_size=2,
    sequence_s=0.2,
    steps_per_epoch=4,
    learning_rate=1e-3,
    schedule=(SchedulePart(epochs=2),),
    loss=LossConfig(guard_frames=1, guard_samples=100),
    validation=ValidationConfig(window_s=0.2, guard_samples=512),
)
CPU = Machine(accelerator="cpu", threads=1)


def make_songs(folder: Path, count: int = 3, level: float = 0.2) -> list[TrainingSong]:
    """Songs of about half a second: noisy tones, mixed with gains and pans that can be learned."""
    draws = np.random.default_rng(3)
    songs = []
    for number in range(count):
        files, wet = {}, {}
        for index, stem in enumerate(STEMS):
            samples = 20_000 + 1500 * number - 500 * index
            tone = np.sin(np.arange(samples) * 0.01 * (1 + index + number))
            dry = level * tone[:, None] + level / 10 * draws.standard_normal((samples, 2))
            files[stem] = folder / f"song {number}" / f"{stem}.wav"
            wet[stem] = folder / f"song {number}" / "wet" / f"{stem}.flac"
            audio.write(files[stem], dry.astype(np.float32), 44_100, "FLOAT")
            processed = np.zeros((20_000 + 1500 * number, 2), np.float32)
            processed[:samples] = dry * [0.2 + 0.1 * index, 0.5 - 0.1 * index]
            audio.write(wet[stem], processed, 44_100)
        mixture = folder / f"song {number}" / "mixture.wav"
        audio.write(mixture, sum(audio.read(path)[0] for path in wet.values()), 44_100, "FLOAT")
        songs.append(TrainingSong(f"song {number}", files, mixture, wet))
    return songs


def train_small(
    songs: list[TrainingSong], folder: Path, *, config=CONFIG, network=AUTOMIX, **rest
) -> TrainingResult:
    """Train on all songs but the last, which is for validation."""
    arguments = {"seed": 5, "fingerprint": "small", "machine": CPU, **rest}
    return train(config, network, songs[:-1], songs[-1:], checkpoint_folder=folder, **arguments)


def run_keep_and_fail(fabric, job, emit) -> None:
    """Train, let every process write the weights it ends with, and fail in the end."""
    torch.save(run(fabric, job, emit), job.checkpoint.with_name(f"{fabric.global_rank}.pt"))
    raise FxNormError(f"{job.title}: can't go on")


def interrupted_run() -> tuple[TrainingConfig, Machine]:
    """Configuration of the run that the kill test interrupts, long enough to be hit anywhere."""
    schedule = (SchedulePart(epochs=4),)
    config = CONFIG.model_copy(update={"steps_per_epoch": 15, "schedule": schedule})
    return config, Machine(accelerator="cpu", threads=1, checkpoint_every_steps=2)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    config, machine = interrupted_run()
    train_small(make_songs(root / "songs"), root / "killed", config=config, machine=machine)
