"""Many songs, and a long one: memory, open files and time, as they grow.

    python -m benchmarks.load [--songs 250 500 1000 2000] [--minutes 15 30 60 120]

Measures features of all songs of a folder, each a second or two of noise, normalises and scores
them, then mixes and scores one song of four stems, each in a process of its own that is watched
with all its workers. Memory and open files are those of the process that has most; time is that of
the processors, as other work may share the machine. It grows linearly where the exponent, of a
straight line through the logarithms, is 1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE, STEMS

_LOOK_EVERY_S = 0.2
#: Scores need a little more than a second.
_SONG_S = 1.5
#: What the stage `normalize` does; the command `normalize` takes one stem type at a time.
_NORMALIZE = """
from fxnorm.data import find_songs
from fxnorm.normalization import DatasetFeatures, FxNormalizer, normalize_dataset
normalizer = FxNormalizer(DatasetFeatures.load("features.npz"))
normalize_dataset(find_songs("songs").songs, "normalized", normalizer, seed=0)
"""
_SCORE = "score --target targets --mixes mixes -o scores.csv"
#: Words after `fxnorm`, or a script, run in a folder with songs, and in one with a long song.
_OF_SONGS = {
    "features of songs": "features measure songs -o features.npz",
    "songs normalised": _NORMALIZE,
    "songs scored": _SCORE,
}
_OF_MINUTES = {"minutes mixed": "mix song -o mixes/ours/song.wav", "minutes scored": _SCORE}
_HEADS = ("what", "how many", "CPU time (s)", "memory (GB)", "open files", "lines of progress")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, nargs="*", default=[250, 500, 1000, 2000])
    parser.add_argument("--minutes", type=float, nargs="*", default=[15.0, 30.0, 60.0, 120.0])
    options = parser.parse_args()
    print(f"| {' | '.join(_HEADS)} |\n|{' --- |' * len(_HEADS)}", flush=True)
    times: dict[str, list[tuple[float, float]]] = {}
    for count in options.songs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(count):
                song = folder / "songs" / f"song{number}"
                _write_song(song, _SONG_S, number)
                _link(song / "mixture.wav", folder / "targets" / f"song{number}.wav")
                _link(song / "other.wav", folder / "mixes/ours" / f"song{number}.wav")
            for what, words in _OF_SONGS.items():
                times.setdefault(what, []).append((count, _watched(what, words, folder, count)))
    for minutes in options.minutes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write_song(folder / "song", 60.0 * minutes, 0)
            _link(folder / "song/mixture.wav", folder / "targets/song.wav")
            for what, words in _OF_MINUTES.items():
                times.setdefault(what, []).append((minutes, _watched(what, words, folder, minutes)))
    print()
    for what, points in times.items():
        if len(points) > 1:
            sizes, seconds = np.log(np.transpose(points))
            exponent = np.polyfit(sizes, seconds, 1)[0]
            print(f"{what}: time grows with the power {exponent:.2f}")


def _write_song(folder: Path, seconds: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # A minute, repeated, swells twice a second.
    part = min(seconds, 60.0)
    swell = 0.5 + 0.5 * np.sin(4.0 * np.pi * np.arange(round(part * SAMPLE_RATE)) / SAMPLE_RATE)
    for name in (*STEMS, "mixture"):
        noise = 0.2 * rng.standard_normal((len(swell), 2)).astype(np.float32) * swell[:, None]
        audio = np.resize(noise.astype(np.float32), (round(seconds * SAMPLE_RATE), 2))
        write(folder / f"{name}.wav", audio, SAMPLE_RATE)


def _link(file: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    name.hardlink_to(file)


@dataclass
class _Held:
    """What the processes of a command have held at most, and the time of each."""

    memory: float = 0.0
    files: int = 0
    seconds: dict[int, float] = field(default_factory=dict)

    def look(self, first: psutil.Process) -> None:
        """Look at a process and its workers."""
        try:
            for process in (first, *first.children(recursive=True)):
                with process.oneshot():
                    self.memory = max(self.memory, process.memory_info().rss)
                    self.files = max(self.files, process.num_fds())
                    self.seconds[process.pid] = sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            pass


def _watched(what: str, words: str, folder: Path, size: float) -> float:
    """Run a command to its end; print what it took, and return its seconds of CPU time."""
    held = _Held()
    command = ["-c", words] if words == _NORMALIZE else ["-m", "fxnorm", *words.split()]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as process,
    ):
        first = psutil.Process(process.pid)
        while process.poll() is None:
            held.look(first)
            time.sleep(_LOOK_EVERY_S)
        said.seek(0)
        lines = [line for line in said.read().decode().splitlines() if line.endswith(" left")]
    seconds = sum(held.seconds.values())
    state = f"{seconds:.1f}" if process.returncode == 0 else f"failed ({process.returncode})"
    cells = (what, f"{size:g}", state, f"{held.memory / 1e9:.2f}", held.files, len(lines))
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)
    return seconds


if __name__ == "__main__":
    main()
