"""What each departure from the default recipe does to the mixes of the test songs.

Run it as `python -m benchmarks.recipe [--systems ours_S_La ...] [--seeds 1 2 3]` after
`dvc repro`. Every variant changes one thing of a system's training. The figures are the mean of the
spectral, panning and dynamics errors against the human mixes, over all songs of the wet and of the
dry test set, as mean and standard deviation over the seeds. A variant takes some minutes per seed.
"""

import argparse
import tempfile
from typing import Any

import numpy as np
import torch

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, find_songs
from fxnorm.evaluation import compare
from fxnorm.evaluation.columns import MEAN_ERROR
from fxnorm.evaluation.song_statistics import HEADLINE
from fxnorm.mixing.inference import apply_network
from fxnorm.models import LoadedModel, build
from fxnorm.models.weights import read_weights
from fxnorm.normalization import DatasetFeatures
from fxnorm.training import Machine, TrainingConfig, calibrate_width, open_songs, train
from fxnorm.training.training_config import whole_blocks
from stages.params import Params, load_params
from stages.places import FEATURES, MODELS, PRETRAINED, TEST_SETS
from stages.training import TRAIN, VALID, mixer_config, training_songs

EQUALISER = {
    "processor": "Equaliser",
    "ranges": {f"{band}_gain": [-3.0, 3.0] for band in ("low_shelf", "second_band", "high_shelf")},
}
#: What the width of the mixes is brought to the targets' by.
WIDTHS: dict[str, dict[str, Any]] = {
    "width by power": {"calibrate_width": "power"},
    "width with stems as they are": {"calibrate_mono": False},
    "width as trained": {"calibrate_width": None},
}
#: Changed keys of `training`, by system and variant; each system's default recipe comes first.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "ours_S_La": {
        "default recipe": {},
        **WIDTHS,
        "random start": {"start": "random"},
        "bank as it is, not pretrained": {"front_end": None},
        "random start, not pretrained": {"start": "random", "front_end": None},
        "weights not averaged": {"averaging": 0.0},
        "learning rate 0.002": {"learning_rate": 0.002},
        "no channel swap": {"augmentation": {"swap_channels": 0.0}},
        "width ± 4 dB": {"augmentation": {"width_db": 4.0}},
        "equaliser ± 3 dB": {"augmentation": {"chain": [EQUALISER]}},
        "bleed up to -30 dB": {"augmentation": {"bleed_db": -30.0}},
    },
    "ours_S_Lb": {
        "default recipe": {},
        **WIDTHS,
        "random start": {"start": "random"},
        "learning rate 0.002": {"learning_rate": 0.002},
        "width ± 4 dB": {"augmentation": {"width_db": 4.0}},
    },
    "wun_S_Lb": {
        "default recipe": {},
        **WIDTHS,
        "random start": {"start": "random"},
        "learning rate 0.001": {"learning_rate": 0.001},
        "width ± 4 dB": {"augmentation": {"width_db": 4.0}},
    },
}


def main() -> None:
    """Print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    torch.set_num_threads(1)
    params = load_params("params.yaml")
    print(f"{'mean error, seeds ' + str(options.seeds):44}{'wet':>16}{'dry':>16}")
    for name in options.systems:
        for variant, change in VARIANTS[name].items():
            errors = np.array([run(params, name, seed, change) for seed in options.seeds])
            columns = [
                f"{mean:9.4f} ± {deviation:.4f}"
                for mean, deviation in zip(errors.mean(0), errors.std(0), strict=True)
            ]
            print(f"{name}: {variant:34}{''.join(columns)}", flush=True)


def run(params: Params, name: str, seed: int, change: dict[str, Any]) -> list[float]:
    """Mean errors on the wet and the dry test set."""
    system = params.systems[name]
    settings = system.training.model_dump(exclude={"seed"})
    for key, value in change.items():
        settings[key] = settings[key] | value if isinstance(value, dict) else value
    config = TrainingConfig.parse(settings, "variant")
    front_end = None
    if config.front_end is not None:
        front_end = read_weights(MODELS / PRETRAINED / config.front_end / "model.safetensors")
    stems = tuple(params.stems)
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            config,
            system.network,
            training_songs(TRAIN, stems),
            training_songs(VALID, stems),
            seed=seed,
            checkpoint_folder=folder,
            fingerprint="variant",
            title=name,
            front_end=front_end,
            machine=Machine(accelerator="cpu", threads=1),
            excerpts_every_epochs=0,
        )
    net = build(system.network)
    net.load_state_dict(result.best_mean.weights)
    if config.calibrate_width is not None:
        songs = open_songs(training_songs(VALID, stems))
        samples = whole_blocks(config.validation.max_song_s)
        calibrate_width(
            net,
            songs,
            samples,
            config.calibrate_width,
            mono=config.calibrate_mono,
            beyond_db=config.widen_db,
        )
    model = LoadedModel(
        net.eval(), DatasetFeatures.load(FEATURES), mixer_config(name, system, params)
    )
    return [
        float(np.mean([_error(song, model) for song in find_songs(folder, stems).songs]))
        for folder in TEST_SETS.values()
    ]


def _error(song: Song, model: LoadedModel) -> float:
    mix = apply_network(song.stems, model)
    scores = compare(mix, audio.read(song.mixture)[0], SAMPLE_RATE).values
    return float(np.mean([scores[group][MEAN_ERROR] for group in HEADLINE]))


if __name__ == "__main__":
    main()
