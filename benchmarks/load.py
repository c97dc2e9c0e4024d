"""Many songs, and a long one: memory, open files and time, as they grow.

    python -m benchmarks.load [--songs 250 500 1000 2000] [--minutes 15 30 60 120]

Measures features and mixes all songs of a folder, of which each is a few seconds of noise, then
mixes and scores one song of four stems, each in a process of its own that is watched with all its
workers. Memory and open files are those of the process that has most. Time grows linearly where the
exponent, of a straight line through the logarithms, is 1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.stems import STEMS

_LOOK_EVERY_S = 0.2
_SONG_S = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, nargs="*", default=[250, 500, 1000, 2000])
    parser.add_argument("--minutes", type=float, nargs="*", default=[15.0, 30.0, 60.0, 120.0])
    options = parser.parse_args()
    print(
        "| what | how many | time (s) | memory (GB) | open files |\n| --- | --- | --- | --- | --- |"
    )
    times: dict[str, list[tuple[float, float]]] = {}
    for count in options.songs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(count):
                _song(folder / "songs" / f"song{number}", _SONG_S, number)
            for what, words in {
                "features of songs": "features measure songs -o features.npz",
                "mixes of songs": "mix --songs songs -o mixes",
            }.items():
                times.setdefault(what, []).append((count, _watched(what, words, folder, count)))
    for minutes in options.minutes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _song(folder / "song", 60.0 * minutes, 0)
            (folder / "target").mkdir()
            (folder / "song/mixture.wav").rename(folder / "target/song.wav")
            for what, words in {
                "minutes mixed": "mix song -o mixes/ours/song.wav",
                "minutes scored": "score --target target --mixes mixes -o scores.csv",
            }.items():
                times.setdefault(what, []).append((minutes, _watched(what, words, folder, minutes)))
    print()
    for what, points in times.items():
        if len(points) > 1:
            exponent = np.polyfit(*np.log(np.transpose(points)), 1)[0]
            print(f"{what}: time grows with the power {exponent:.2f}")


def _song(folder: Path, seconds: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # A minute, repeated, swells twice a second.
    part = min(seconds, 60.0)
    swell = 0.5 + 0.5 * np.sin(4.0 * np.pi * np.arange(round(part * SAMPLE_RATE)) / SAMPLE_RATE)
    for name in (*STEMS, "mixture"):
        noise = 0.2 * rng.standard_normal((len(swell), 2)).astype(np.float32) * swell[:, None]
        audio = np.tile(noise.astype(np.float32), (round(seconds / part), 1))
        write(folder / f"{name}.wav", audio, SAMPLE_RATE)


def _watched(what: str, words: str, folder: Path, size: float) -> float:
    """Run a command to its end; print what it took, and return its seconds."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "fxnorm", *words.split()],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        memory, files = 0.0, 0
        first = psutil.Process(process.pid)
        while process.poll() is None:
            held, opened = _held(first)
            memory, files = max(memory, held), max(files, opened)
            time.sleep(_LOOK_EVERY_S)
    seconds = time.monotonic() - began
    state = f"{seconds:.1f}" if process.returncode == 0 else f"failed ({process.returncode})"
    print(f"| {what} | {size:g} | {state} | {memory / 1e9:.2f} | {files} |", flush=True)
    return seconds


def _held(first: psutil.Process) -> tuple[float, int]:
    """Memory in bytes and open files of the process that has most of each, with its workers."""
    memory, files = 0.0, 0
    try:
        for process in (first, *first.children(recursive=True)):
            memory = max(memory, process.memory_info().rss)
            files = max(files, process.num_fds())
    except psutil.NoSuchProcess:
        pass
    return memory, files


if __name__ == "__main__":
    main()
