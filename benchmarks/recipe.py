"""What each departure from the released recipe, and each augmentation, does to validation loss.

Run it as `python -m benchmarks.recipe [--steps 120] [--seeds 1 2] [--songs 8]` after
`dvc repro pretrain`. The default network learns loss B from a few of the normalised training songs,
so that it can overfit within minutes; every variant changes one thing. The figures are the lowest
mean validation loss of the run and the last one, each the mean over the seeds.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fxnorm.data import load_partition
from fxnorm.models.storage import read_weights
from fxnorm.training import Machine, TrainingConfig, TrainingSong, train
from stages.params import Params, load_params
from stages.training import TRAIN, VALID, _training_songs

PRETRAINED = Path("models/pretrained")
EQUALISER = {
    "processor": "Equaliser",
    "ranges": {f"{band}_gain": [-4.0, 4.0] for band in ("low_shelf", "second_band", "high_shelf")},
}
COMPRESSOR = {
    "processor": "Compressor",
    "ranges": {"threshold": [-40.0, -20.0], "ratio": [1.0, 3.0]},
}
RECIPE: dict[str, dict[str, Any]] = {
    "default recipe": {},
    "no ramp": {"ramp_steps": 0},
    "constant learning rate": {"decay": "none"},
    "learning rate 0 in the first epoch": {"first_rate": 0.0},
    "gain not calibrated": {"calibrate_gain": False},
    "fresh front end": {"transfer": None},
    "last state of the pretraining": {"transfer": "last"},
    "no AMSGrad": {"amsgrad": False},
    "double precision in the loss": {"loss": {"precision": "double"}},
}
AUGMENTATION: dict[str, dict[str, Any]] = {
    "no augmentation": {"swap_channels": 0.0},
    "swapped channels (default)": {},
    "+ stem gain ± 2 dB": {"gain_db": 2.0},
    "+ polarity": {"flip_polarity": 0.5},
    "+ stems left out (0.1)": {"drop_stem": 0.1},
    "+ equaliser ± 4 dB": {"chain": [EQUALISER]},
    "+ compressor": {"chain": [COMPRESSOR]},
}


def main() -> None:
    """Print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--songs", type=int, default=8, help="training songs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    params = load_params("params.yaml")
    wet = {song.name: song.stems for song in load_partition(params.dataset, "train").songs}
    songs = _training_songs(TRAIN, wet)[: options.songs]
    print(f"{options.steps} steps, {len(songs)} songs, seeds {options.seeds}; loss B: best, last")
    variants = {name: {"recipe": change} for name, change in RECIPE.items()}
    variants |= {name: {"augmentation": change} for name, change in AUGMENTATION.items()}
    for name, change in variants.items():
        start = time.perf_counter()
        curves = [run(params, songs, options.steps, seed, change) for seed in options.seeds]
        best, last = (np.mean([pick(curve) for curve in curves]) for pick in (min, lambda c: c[-1]))
        seconds = (time.perf_counter() - start) / len(curves)
        print(f"{name:36}{best:8.2f}{last:8.2f}   ({seconds:.0f} s per run)", flush=True)


def run(
    params: Params,
    songs: list[TrainingSong],
    steps: int,
    seed: int,
    change: dict[str, dict[str, Any]],
) -> list[float]:
    """Mean validation loss after each of six epochs."""
    system = params.systems["ours_S_Lb"]
    recipe = dict(change.get("recipe", {}))
    rate = system.training.schedule[0].learning_rate
    first = {"epochs": 1, "learning_rate": recipe.pop("first_rate", rate)}
    settings = system.training.model_dump() | {
        "steps_per_epoch": steps // 6,
        "schedule": [first, {"epochs": 5, "learning_rate": rate}],
    }
    settings["loss"] |= recipe.pop("loss", {})
    settings["augmentation"] |= change.get("augmentation", {})
    config = TrainingConfig.parse(settings | recipe, "variant")
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            config,
            system.network,
            songs,
            _training_songs(VALID),
            seed=seed,
            checkpoint_folder=folder,
            fingerprint="variant",
            title="recipe",
            init=None
            if config.transfer is None
            else read_weights(PRETRAINED / config.transfer / "model.safetensors"),
            machine=Machine(accelerator="cpu", threads=1),
            excerpts_every_epochs=0,
        )
    history = result.history
    valid = history[(history["split"] == "valid") & (history["metric"] == "loss_mean")]
    return [float(value) for value in valid["value"]]


if __name__ == "__main__":
    main()
