"""How long `fxnorm mix` takes, and where the time goes.

Run it as `python -m benchmarks.mix MODEL [--stems DIR] [--runs 3]`. Without `--stems` it mixes four
stems of 25 s that it makes itself. Each figure is the shortest of the runs, wall-clock, in a fresh
process: the first time after installation (nothing compiled yet), later times, and with the
stems of the mix and with the page. The rest is one process, step by step.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fxnorm.conventions import SAMPLE_RATE, STEMS

SECONDS = 25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--stems", help="folder of a song's stems")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = Path(options.stems) if options.stems else _song(folder / "song")
        mix = ["mix", str(song), "--model", options.model, "-o", str(folder / "mix.wav")]
        fresh = {"NUMBA_CACHE_DIR": str(folder / "cache")}

        def command(*words: str, **environment: str) -> Callable[[], None]:
            program = [sys.executable, "-m", "fxnorm", *words]
            return lambda: _run(program, environment)

        print(f"{'':34}seconds")
        _show("import fxnorm", _fastest(lambda: _run([sys.executable, "-c", "import fxnorm"], {})))
        _show("fxnorm --help", _fastest(command("--help"), options.runs))
        _show("fxnorm mix, the first time", _fastest(command(*mix, **fresh), 1))
        _show("fxnorm mix, later", _fastest(command(*mix, **fresh), options.runs))
        with_stems = [*mix, "--stems", str(folder / "parts")]
        _show("  with --stems", _fastest(command(*with_stems, **fresh), options.runs))
        with_page = [*mix, "--page", str(folder / "mix.html")]
        _show("  with --page", _fastest(command(*with_page, **fresh), options.runs))
        print("step by step:")
        _steps(song, options.model, folder)


def _steps(song: Path, model: str, folder: Path) -> None:
    with _timed("  import of what normalises"):
        from fxnorm.mixing import read_session, write_mix
        from fxnorm.mixing.finishing import Finishing, Raw, finish
        from fxnorm.mixing.preparation import prepare_song
        from fxnorm.mixing.sources import open_stems
        from fxnorm.models import load_settings
        from fxnorm.normalization import FxNormalizer
    with _timed("  settings and features"):
        config, features = load_settings(model)
    with _timed("  import of torch, and the model"):
        from fxnorm.mixing import apply_network
        from fxnorm.models import load

        loaded = load(model)
    sources = open_stems(read_session(song, config.stems).tracks, None, config.stems)
    with _timed("  reading and normalising, compiled"):
        prepared = prepare_song(sources, FxNormalizer(features), 0, keep_given=False)
    with _timed("  the same again"):
        prepare_song(sources, FxNormalizer(features), 0, keep_given=False)
    with _timed("  network"):
        raw = apply_network({stem.type: stem.normalized.audio for stem in prepared.stems}, loaded)
    with _timed("  level"):
        mix = finish(Raw(raw), prepared, Finishing(), keep_stems=False, keep_trace=False)
    with _timed("  writing"):
        write_mix(folder / "steps.wav", mix.audio, mix.sample_rate)


def _song(folder: Path) -> Path:
    """Four stems with onsets, tones and noise."""
    from fxnorm.audio import write

    time_s = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    rng = np.random.default_rng(0)
    for number, stem in enumerate(STEMS):
        hits = np.exp(-6.0 * (time_s % (0.25 * (number + 1))))[:, None]
        tone = np.sin(2 * np.pi * 110.0 * 2**number * time_s)[:, None]
        noise = rng.normal(0.0, 0.1, (len(time_s), 2))
        write(folder / f"{stem}.wav", 0.4 * hits * (tone + noise), SAMPLE_RATE)
    return folder


def _run(words: list[str], environment: dict[str, str]) -> None:
    subprocess.run(words, check=True, capture_output=True, env=os.environ | environment)


def _fastest(work: Callable[[], None], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@contextmanager
def _timed(title: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    _show(title, time.perf_counter() - start)


def _show(title: str, seconds: float) -> None:
    print(f"{title:34}{seconds:7.2f}", flush=True)


if __name__ == "__main__":
    main()
