"""What each departure from the released recipe, and each augmentation, does to validation loss.

Run it as `python -m benchmarks.recipe [--steps 120] [--songs 6] [--seeds 1 2 3]` after
`dvc repro pretrain`. The default network learns loss B from a few of the normalised training songs,
so that it can overfit within minutes; every variant changes one thing. The figures are the lowest
mean validation loss of a run and the last one, averaged over the seeds, and by how much each
differs from the default recipe with the same seed: mean and standard deviation over the seeds.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fxnorm.data import load_partition
from fxnorm.models.weights import read_weights
from fxnorm.training import Machine, TrainingConfig, TrainingSong, train
from stages.params import Params, load_params
from stages.training import TRAIN, VALID, _training_songs

FRONT_ENDS = Path("models/pretrained")
EQUALISER = {
    "processor": "Equaliser",
    "ranges": {f"{band}_gain": [-4.0, 4.0] for band in ("low_shelf", "second_band", "high_shelf")},
}
COMPRESSOR = {
    "processor": "Compressor",
    "ranges": {"threshold": [-40.0, -20.0], "ratio": [1.0, 3.0]},
}
#: Changed keys of `training`, by system and variant; each system's default recipe comes first.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "ours_S_Lb": {
        "default recipe": {},
        "no ramp": {"ramp_steps": 0},
        "constant learning rate": {"decay": "none"},
        "learning rate 0 in the first epoch": {"first_factor": 0.0},
        "gain not calibrated": {"calibrate_gain": False},
        "fresh front end": {"transfer": None},
        "last state of the pretraining": {"transfer": "last"},
        "no AMSGrad": {"amsgrad": False},
        "double precision in the loss": {"loss": {"precision": "double"}},
        "no channel swap": {"augmentation": {"swap_channels": 0.0}},
        "stem gain ± 2 dB": {"augmentation": {"gain_db": 2.0}},
        "polarity": {"augmentation": {"flip_polarity": 0.5}},
        "stems left out (0.1)": {"augmentation": {"drop_stem": 0.1}},
        "equaliser ± 4 dB": {"augmentation": {"chain": [EQUALISER]}},
        "compressor": {"augmentation": {"chain": [COMPRESSOR]}},
    },
    "wun_S_Lb": {
        "default recipe": {},
        "not mirrored": {"mirrored_start": False},
        "no channel swap": {"augmentation": {"swap_channels": 0.0}},
    },
}


def main() -> None:
    """Print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--songs", type=int, default=6, help="training songs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    torch.set_num_threads(1)
    params = load_params("params.yaml")
    stems = tuple(params.stems)
    found = load_partition(params.dataset, "train", stems)
    songs = _training_songs(TRAIN, stems, {song.name: song.stems for song in found.songs})
    songs = songs[: options.songs]
    print(f"{options.steps} steps, {len(songs)} songs, seeds {options.seeds}; validation loss B")
    for system, variants in VARIANTS.items():
        print(f"{system:36}{'lowest':>8}{'difference':>17}{'last':>8}{'difference':>17}")
        default = None
        for name, change in variants.items():
            curves = [
                run(params, system, songs, options.steps, seed, change) for seed in options.seeds
            ]
            losses = np.array([(min(curve), curve[-1]) for curve in curves])
            default = losses if default is None else default
            columns = [f"{name:36}"]
            for mean, differences in zip(losses.mean(0), (losses - default).T, strict=True):
                columns.append(
                    f"{mean:8.2f}{differences.mean():+9.2f} ± {np.std(differences):5.2f}"
                )
            print("".join(columns), flush=True)


def run(
    params: Params,
    name: str,
    songs: list[TrainingSong],
    steps: int,
    seed: int,
    change: dict[str, Any],
) -> list[float]:
    """Mean validation loss after each of six epochs."""
    system = params.systems[name]
    settings = system.training.model_dump()
    first = {"epochs": 1, "factor": change.get("first_factor", 1.0)}
    settings["steps_per_epoch"] = steps // 6
    settings["schedule"] = [first, {"epochs": 5}]
    for key, value in change.items():
        if key != "first_factor":
            settings[key] = settings[key] | value if isinstance(value, dict) else value
    config = TrainingConfig.parse(settings, "variant")
    front_end = None
    if config.transfer is not None:
        front_end = read_weights(FRONT_ENDS / config.transfer / "model.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            config,
            system.network,
            songs,
            _training_songs(VALID, tuple(params.stems)),
            seed=seed,
            checkpoint_folder=folder,
            fingerprint="variant",
            title="recipe",
            front_end=front_end,
            machine=Machine(accelerator="cpu", threads=1),
            excerpts_every_epochs=0,
        )
    history = result.history
    valid = history[(history["split"] == "valid") & (history["metric"] == "loss_mean")]
    return [float(value) for value in valid["value"]]


if __name__ == "__main__":
    main()
