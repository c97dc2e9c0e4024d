"""What a data set takes on a cluster, from what one song takes on one worker.

    python -m benchmarks.scaling                    a song of noise
    python -m benchmarks.scaling --song FOLDER      a song in MUSDB18-HQ's layout

Measured, as CPU time, which others on the machine change little: every step that goes to a cluster
per second of song, a call through a Dask scheduler and its client, and a batch of the training's
loader. Computed: hours for songs of MUSDB18's mean length, and what limits them: the workers, the
shared disk at a given rate, or scheduler and client on one core.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.training import make_song
from fxnorm import audio
from fxnorm.conventions import LONG_TERM_BINS, SAMPLE_RATE, STEMS
from fxnorm.data import Song, find_songs
from fxnorm.evaluation import SongMix, evaluate_mixes
from fxnorm.mixing import mix_songs
from fxnorm.models import AutomixConfig, LoadedModel, MixerConfig, build
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    measure_features,
    normalize_dataset,
)
from fxnorm.training import TrainingConfig, TrainingSong, open_songs
from fxnorm.training.loader import Loader
from fxnorm.workers import in_processes, on_cluster

SONG_S = 235.0
_SONGS, _WORKERS = (1_600, 100_000), (1, 16, 256)
_CALLS, _BATCHES = 2_000, 40
#: Megabytes of a second of a file: stereo in 16 bits, and in single precision.
_SHORT_MB, _SINGLE_MB = 0.1764, 0.3528


@dataclass(frozen=True)
class Step:
    """What one second of a song takes; `calls` are those of a whole song."""

    name: str
    cpu_s: float
    disk_mb: float
    calls: int

    def hours(self, songs: int, workers: int, disk_mb_s: float, calls_s: float) -> dict[str, float]:
        """Hours by what they would be spent on, if all else took no time."""
        length = songs * SONG_S
        return {
            "workers": length * self.cpu_s / workers / 3600,
            "disk": length * self.disk_mb / disk_mb_s / 3600,
            "scheduler": songs * self.calls / calls_s / 3600,
        }


def main() -> None:
    """Measure, and print the estimate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--song", type=Path, help="folder of one song")
    parser.add_argument("--disk", type=float, default=1000.0, help="MB/s of the shared disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps = measure_steps(_song(folder, options.song), folder)
        calls_s = measure_scheduler()
        noise = make_song(folder, "PCM_16", ".wav")
        for batch_size, seconds in ((2, 3.0), (4, 10.0)):
            took = measure_loader(noise, batch_size, seconds)
            print(f"loader, {batch_size} x {seconds:g} s: {took * 1e3:.1f} ms CPU per batch")
    print(f"scheduler and client: {calls_s:.0f} calls/s")
    for step in steps:
        print(f"{step.name}: {step.cpu_s * 1e3:.1f} ms CPU, {step.disk_mb:.2f} MB per second")
    print(f"\nhours, and what limits them, at {options.disk:g} MB/s")
    for step in steps:
        for songs in _SONGS:
            cells = []
            for workers in _WORKERS:
                hours = step.hours(songs, workers, options.disk, calls_s)
                limit = max(hours, key=lambda what: hours[what])
                cells.append(f"{hours[limit]:10.2f} {limit:9}")
            print(f"{step.name:12}{songs:8}" + "".join(cells))


def measure_steps(song: Song, folder: Path) -> list[Step]:
    """Every step of the pipeline that goes to a cluster, on one song in this process."""
    seconds = song.samples / SAMPLE_RATE
    features: list[DatasetFeatures] = []
    config = MixerConfig(system="paper", network=AutomixConfig())
    model = LoadedModel(build(config.network).eval(), _features(), config)
    mixes = folder / "mixes"

    def measure() -> None:
        features.append(measure_features([song], jobs=1))

    def normalize() -> None:
        normalize_dataset([song], folder / "out", FxNormalizer(features[-1]), seed=0, jobs=1)

    def mix() -> None:
        mix_songs([song], mixes, model, jobs=1)

    def evaluate() -> None:
        pair = SongMix("wet", song.name, mixes / f"{song.name}.wav", song.mixture)
        evaluate_mixes("paper", [pair], jobs=1)

    stems = len(STEMS)
    return [
        # Every stem is written once per feature but the last, and read again for the next.
        Step("features", _cpu_s(measure) / seconds, stems * (_SHORT_MB + 6 * _SINGLE_MB), 16),
        Step("normalise", _cpu_s(normalize) / seconds, 2 * stems * _SHORT_MB, stems),
        Step("mix", _cpu_s(mix) / seconds, (stems + 1) * _SHORT_MB, 1),
        Step("evaluate", _cpu_s(evaluate) / seconds, 2 * _SHORT_MB, 1),
    ]


def measure_scheduler() -> float:
    """Calls per second that scheduler and client, both in this process, have CPU time for."""
    import distributed

    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1) as cluster,
        on_cluster(cluster.scheduler_address),
    ):
        calls = [("call", ())] * _CALLS
        return _CALLS / _cpu_s(lambda: list(in_processes(os.getpid, calls, 1)))


def measure_loader(song: TrainingSong, batch_size: int, seconds: float) -> float:
    """CPU seconds that a batch takes to read and to convert."""
    settings = {"batch_size": batch_size, "sequence_s": seconds}
    loader = Loader(open_songs([song]), TrainingConfig.parse(settings, "benchmark"), seed=0)
    return _cpu_s(lambda: [loader.batch(step) for step in range(_BATCHES)]) / _BATCHES


def _cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of the second of two runs."""
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def _song(folder: Path, given: Path | None) -> Song:
    if given is not None:
        return next(song for song in find_songs(given.parent).songs if song.name == given.name)
    for number, part in enumerate((*STEMS, "mixture")):
        noise = np.random.default_rng(number).uniform(-0.2, 0.2, (30 * SAMPLE_RATE, 2))
        path = folder / "songs" / "noise" / f"{part}.wav"
        audio.write(path, noise.astype(np.float32), SAMPLE_RATE)
    return find_songs(folder / "songs").songs[0]


def _features() -> DatasetFeatures:
    return DatasetFeatures(
        eq=dict.fromkeys(STEMS, np.ones(LONG_TERM_BINS)),
        compression=dict.fromkeys(STEMS, (-20.0, 3.0)),
        panning=dict.fromkeys(STEMS, np.full(LONG_TERM_BINS, 0.9)),
        loudness=dict.fromkeys(STEMS, -25.0),
    )


if __name__ == "__main__":
    main()
