"""CPU time and memory of the metrics, beside a plain librosa and scipy computation of the same.

Run it as `python -m benchmarks.evaluation [SECONDS] [MIX TARGET]`, with two audio files or on a
generated pair. CPU time is the least of several runs, in ms per second of a
stereo pair. The released evaluation took 57 ms (loudness 3, spectral 25, panning 8, dynamics 21)
on a quiet machine, and on another 39 ms for all.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fxnorm.audio import integrated_loudness, peak_db, read, to_stereo
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.evaluation import (
    compare,
    dynamics_metrics,
    loudness_metrics,
    panning_metrics,
    spectral_metrics,
)

sys.path.extend(
    str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tests/evaluation")
)
import evaluation_reference as reference
from evaluation_signals import metric_pairs

RELEASED_MS = {"loudness": 3.0, "spectral": 25.0, "panning": 8.0, "dynamics": 21.0}


def main(seconds: int, *files: str) -> None:
    """Print the comparison."""
    pair = [to_stereo(read(file)[0]) for file in files] if files else metric_pairs()["mix"]
    mix, target = (_looped(audio, seconds) for audio in pair)
    ours = {
        "loudness": loudness_metrics,
        "spectral": spectral_metrics,
        "panning": panning_metrics,
        "dynamics": dynamics_metrics,
    }
    plain = {
        "loudness": _plain_loudness,
        "spectral": reference.spectral,
        "panning": reference.panning,
        "dynamics": reference.dynamics,
    }
    print(f"ms of CPU per second of a pair, {seconds} s of audio")
    print(f"{'':24}{'here':>8}{'plain':>8}{'released':>10}")
    totals = np.zeros(3)
    for group, function in ours.items():
        here = _cpu_ms(function, mix, target, runs=5)
        row = np.array([here, _cpu_ms(plain[group], mix, target, runs=2), RELEASED_MS[group]])
        totals += row
        print(f"{group:24}{row[0]:8.1f}{row[1]:8.1f}{row[2]:10.1f}")
    print(f"{'sum of the four':24}{totals[0]:8.1f}{totals[1]:8.1f}{totals[2]:10.1f}")
    everything = _cpu_ms(compare, mix, target, runs=5)
    print(f"{'compare, all groups':24}{everything:8.1f}")
    print(
        f"faster than plain {totals[1] / everything:.1f} x, released {totals[2] / everything:.1f} x"
    )
    for length in (seconds, 4 * seconds):
        megabytes = _extra_memory(_looped(mix, length), _looped(target, length))
        print(f"memory beyond the {length}-s pair: {megabytes:.1f} MiB")


def _plain_loudness(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> None:
    for audio in (mix, target):
        integrated_loudness(audio, sample_rate)
        peak_db(audio)


def _looped(audio: np.ndarray, seconds: int) -> np.ndarray:
    return np.resize(audio, (seconds * SAMPLE_RATE, 2)).astype(np.float32)


def _cpu_ms(
    function: Callable[..., object], mix: np.ndarray, target: np.ndarray, runs: int
) -> float:
    function(mix[: 2 * SAMPLE_RATE], target[: 2 * SAMPLE_RATE], SAMPLE_RATE)  # compiles
    times = []
    for _ in range(runs):
        start = time.process_time()
        function(mix, target, SAMPLE_RATE)
        times.append(time.process_time() - start)
    return 1000.0 * min(times) / (len(mix) / SAMPLE_RATE)


def _extra_memory(mix: np.ndarray, target: np.ndarray) -> float:
    tracemalloc.start()
    compare(mix, target, SAMPLE_RATE)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return used / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=int, nargs="?", default=20)
    parser.add_argument("files", nargs="*", metavar="MIX TARGET")
    options = parser.parse_args()
    main(options.seconds, *options.files)
