"""Does reading keep up with training? Items per second of the loader and of training steps.

Times are CPU seconds of one thread, so that other work on the machine does not disturb them:
    python benchmarks/training.py [--paper]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from fxnorm import audio
from fxnorm.models import AutomixConfig, NetworkConfig, WaveUNetConfig, build
from fxnorm.stems import SAMPLE_RATE, STEMS
from fxnorm.training import LossConfig, TrainingConfig, TrainingSong, open_songs
from fxnorm.training.engine import build_loss
from fxnorm.training.loader import Batch, Loader
from fxnorm.training.validation import align, output_offset

NETWORKS: dict[str, NetworkConfig] = {
    "automix, small": AutomixConfig(
        filters=32, bottleneck=64, skip=32, hidden=64, blocks=4, repeats=2, se_ratio=4
    ),
    "wave-u-net, small": WaveUNetConfig(filters=8, levels=4),
}
PAPER_NETWORKS: dict[str, NetworkConfig] = {
    "automix, paper": AutomixConfig(),
    "wave-u-net, paper": WaveUNetConfig(),
}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paper", action="store_true", help="also the paper's networks (minutes)")
    networks = NETWORKS | (PAPER_NETWORKS if parser.parse_args().paper else {})
    torch.set_num_threads(1)
    config = TrainingConfig(batch_size=2, sequence_s=3.0)
    print(f"batches of {config.batch_size} x {config.sequence_s:g} s, one thread\n")
    print(f"{'':28}{'CPU s/batch':>12}{'items/CPU s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for subtype, suffix in [("PCM_16", ".wav"), ("FLOAT", ".wav"), ("PCM_16", ".flac")]:
            songs = open_songs([make_song(Path(folder), subtype, suffix)])
            loader = Loader(songs, config, seed=0)
            report(f"read {subtype} {suffix[1:]}", config, 20, loader.batch)
        batch = loader.batch(0)
    for name, network in networks.items():
        net = build(network)
        parameters = sum(weights.numel() for weights in net.parameters())
        for kind in ("stereo-a", "stereo-b"):
            step = training_step(net, LossConfig.model_validate({"kind": kind}), batch)
            report(f"{name}, {kind}", config, 3, step)
        print(f"{'':4}({parameters:,} parameters)")


def make_song(folder: Path, subtype: str, suffix: str, seconds: float = 60.0) -> TrainingSong:
    """A song of noise."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (int(seconds * SAMPLE_RATE), 2))
    files = {name: folder / f"{name} {subtype}{suffix}" for name in (*STEMS, "mixture")}
    for path in files.values():
        audio.write(path, noise.astype(np.float32), SAMPLE_RATE, subtype)
    return TrainingSong("noise", {stem: files[stem] for stem in STEMS}, files["mixture"])


def training_step(
    net: torch.nn.Module, config: LossConfig, batch: Batch
) -> Callable[[int], object]:
    """Forward, loss, backward and AMSGrad, as the engine does them."""
    loss = build_loss(config)
    adam = torch.optim.Adam([w for w in net.parameters() if w.requires_grad], amsgrad=True)

    def step(_: int) -> None:
        adam.zero_grad()
        mix = net(batch.inputs)
        loss(mix, align(batch.target, mix, output_offset(net))).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.2)
        adam.step()

    return step


def report(
    name: str, config: TrainingConfig, repeats: int, function: Callable[[int], object]
) -> None:
    """Print the CPU time of a function that handles one batch."""
    function(0)
    start = time.process_time()
    for number in range(repeats):
        function(number)
    per_batch = (time.process_time() - start) / repeats
    print(f"{name:28}{per_batch:12.3f}{config.batch_size / per_batch:12.1f}", flush=True)


if __name__ == "__main__":
    main()
