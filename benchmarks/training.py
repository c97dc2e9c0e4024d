"""Does reading keep up with training? Items per second of both, as the training stage does them.

    python -m benchmarks.training                      the networks of params.yaml, 2 x 3 s
    python -m benchmarks.training --paper              the paper's, 4 x 10 s (minutes on a CPU)
    python -m benchmarks.training --paper --accelerator cuda --precision bf16-mixed

Noise is read from disk while the network trains. Times are wall times without validation, memory is
the device's for a GPU, else the process's largest so far.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.models import AutomixConfig, NetworkConfig, WaveUNetConfig
from fxnorm.training import Machine, TrainingConfig, TrainingSong, open_songs, train
from fxnorm.training.loader import Loader
from stages.params import load_params

PAPER_NETWORKS: dict[str, NetworkConfig] = {
    "automix": AutomixConfig(),
    "wave-u-net": WaveUNetConfig(),
}
FORMATS = (("PCM_16", ".wav"), ("FLOAT", ".wav"), ("PCM_16", ".flac"))


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paper", action="store_true", help="the paper's networks and batches")
    parser.add_argument("--accelerator", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--precision", default="32-true", help="32-true, 16-mixed or bf16-mixed")
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    batch_size, seconds = (4, 10.0) if options.paper else (2, 3.0)
    machine = Machine(options.accelerator, threads=1 if options.accelerator == "cpu" else None)
    print(f"batches of {batch_size} x {seconds:g} s, {options.accelerator}, {options.precision}")
    print(f"{'':28}{'s/batch':>10}{'items/s':>10}{'MB':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        songs = {kind: make_song(folder, *kind) for kind in FORMATS}
        for (subtype, suffix), song in songs.items():
            item = {"batch_size": batch_size, "sequence_s": seconds}
            took = read(song, TrainingConfig.parse(item, "benchmark"), 4 * options.steps)
            report(f"read {subtype} {suffix[1:]}", took, batch_size)
        networks = PAPER_NETWORKS if options.paper else load_params("params.yaml").networks
        for network_name, network in networks.items():
            for kind in ("stereo-a", "stereo-b"):
                training = {
                    "batch_size": batch_size,
                    "sequence_s": seconds,
                    "precision": options.precision,
                    "steps_per_epoch": options.steps,
                    # Of two epochs the second one counts: the first one warms up.
                    "learning_rate": 1e-4,
                    "schedule": [{"epochs": 2}],
                    "loss": {"kind": kind},
                    "validation": {"max_song_s": 2.0},
                }
                logs: list[dict[str, float]] = []
                train(
                    TrainingConfig.parse(training, "benchmark"),
                    network,
                    [songs["PCM_16", ".wav"]],
                    [songs["PCM_16", ".wav"]],
                    seed=0,
                    checkpoint_folder=folder / "checkpoints",
                    fingerprint=f"{network_name} {kind}",
                    machine=machine,
                    on_epoch=logs.append,
                    excerpts_every_epochs=0,
                )
                took, memory = (
                    logs[-1][f"machine/{key}"] for key in ("seconds_per_step", "peak_memory_mb")
                )
                report(f"{network_name}, {kind}", took, batch_size, f"{memory:10.0f}")


def make_song(folder: Path, subtype: str, suffix: str, seconds: float = 60.0) -> TrainingSong:
    """A song of noise."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (int(seconds * SAMPLE_RATE), 2))
    files = {name: folder / f"{name} {subtype}{suffix}" for name in (*STEMS, "mixture")}
    for path in files.values():
        audio.write(path, noise.astype(np.float32), SAMPLE_RATE, subtype)
    return TrainingSong("noise", {stem: files[stem] for stem in STEMS}, files["mixture"])


def read(song: TrainingSong, config: TrainingConfig, batches: int) -> float:
    """Seconds per batch of the loader with its threads and nothing to do beside."""
    loader = Loader(open_songs([song]), config, seed=0)
    start = time.perf_counter()
    for _ in loader.batches(0, batches):
        pass
    return (time.perf_counter() - start) / batches


def report(name: str, seconds: float, batch_size: int, memory: str = "") -> None:
    """Print one line."""
    print(f"{name:28}{seconds:10.3f}{batch_size / seconds:10.1f}{memory}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
