"""What was tried, how often, and what happened: killed commands and stages, bad audio, bad files.

    python -m benchmarks.faults [commands] [stages] [audio] [loaders] [--times 25] [--files 1000]

Commands and stages are killed at random moments of their usual time: by turns alone with SIGKILL,
with all their processes, and with SIGTERM. Afterwards no output may be half there, no process may
live, and a rerun must give the bytes of an undisturbed run and leave nothing else. Stages are those
of a run of the pipeline at the tiny scale of its tests, made first, or of `--checkout`, a finished
run, which they write to.
"""

import argparse
import contextlib
import io
import logging
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import soundfile
import yaml

from benchmarks.loaders import LOADERS, attempt
from fxnorm.audio import ffmpeg, write
from fxnorm.cli import main as fxnorm
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.scratch import PREFIX
from fxnorm.tabulation import TextTable, to_markdown
from fxnorm.workers import in_processes
from tests.stages.tiny_checkout import copy_checkout, run, shrink

ROOT = Path(__file__).resolve().parents[1]
FEATURES = ROOT / "fxnorm/models/default/features.npz"
WAYS = ("SIGKILL", "SIGKILL to all", "SIGTERM")
#: Words after `fxnorm`, run beside `songs`, `mixes` and `targets`; all write into `out`.
COMMANDS = {
    "mix": "mix songs/a -o out/mix.wav --stems out/stems --page out/mix.html",
    "mix --songs": "mix --songs songs -o out --jobs 2",
    "normalize": "normalize songs/a/vocals.wav songs/a/bass.wav --stem vocals --features"
    f" {FEATURES} --output out",
    "features measure": "features measure songs -o out/features.npz --jobs 2",
    "score": "score --mixes mixes --target targets -o out/scores.csv",
    "listen export": "listen export --mixes mixes --dry songs -o out/test",
}
#: Words after `fxnorm` that read audio, one damaged file in each.
AUDIO_COMMANDS = {
    "mix": "mix --bass {bad} --normalized-sum -o {out}",
    "normalize": f"normalize {{bad}} --stem vocals --features {FEATURES} --output {{out}}",
    "score": "score --mixes {mixes} --target {target} -o {out}",
}
#: What only ffmpeg reads, by suffix: options that make it.
FFMPEG_OPTIONS = {
    ".m4a": ["-movflags", "+faststart"],
    ".webm": [],
    ".wma": [],
    ".wv": [],
    ".ac3": [],
    ".mka": ["-c:a", "flac"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["commands", "audio", "loaders"])
    parser.add_argument("--times", type=int, default=25, help="kills of each command and stage")
    parser.add_argument("--files", type=int, default=1000, help="damaged files for each loader")
    parser.add_argument("--only", help="commands or stages whose name begins so")
    parser.add_argument("--checkout", type=Path, help="a finished run, in place of a tiny one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "commands" in options.what:
            _table(("command", *_KILLS), _killed_commands(folder, options))
        if "stages" in options.what:
            _table(("stage", *_KILLS), _killed_stages(folder, options))
        if "audio" in options.what:
            _table(("bad audio into", "kinds", *_OUTCOMES, "else"), _audio(folder))
        if "loaders" in options.what:
            heads = ("loader", "files", "loaded", "refused in one line", "else", "slowest (s)")
            _table(heads, _loaders(folder, options.files))


def _table(heads: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    texts = [[str(cell) for cell in row] for row in rows]
    print(to_markdown(TextTable(heads, texts, "l" * len(heads))), flush=True)


#: Whole output; refused in one line with the name of the file, or without; of a cut file less than
#: there was, without a word.
_OUTCOMES = ("taken", "refused", "unnamed", "less")
_KILLS = ("kills", "at work", "half outputs", "processes left", "left in the end", "other reruns")


def _killed_commands(folder: Path, options: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(1)
    place = folder / "commands"
    for song in ("a", "b", "c"):
        for part in (*STEMS, "mixture"):
            audio = 0.1 * rng.standard_normal((2 * SAMPLE_RATE, 2)).astype(np.float32)
            write(place / "songs" / song / f"{part}.wav", audio, SAMPLE_RATE)
        for mixes in ("mixes/ours", "mixes/sum", "targets"):
            write(place / mixes / f"{song}.wav", audio, SAMPLE_RATE)
    for name, words in COMMANDS.items():
        if name.startswith(options.only or ""):
            command = [sys.executable, "-m", "fxnorm", *words.split()]
            yield name, *_killed(command, place, [Path("out")], options.times)


def _killed_stages(folder: Path, options: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """The first stage of each kind, with the outputs that DVC knows."""
    checkout = (options.checkout or _tiny_run(folder / "checkout")).absolute()
    seen = set()
    for name, stage in yaml.safe_load((checkout / "dvc.lock").read_text())["stages"].items():
        kind = name.partition("@")[0]
        if kind not in seen and name.startswith(options.only or ""):
            seen.add(kind)
            command = [sys.executable, *shlex.split(stage["cmd"])[1:]]
            outputs = [Path(output["path"]) for output in stage["outs"]]
            yield name, *_killed(command, checkout, outputs, options.times)


def _tiny_run(checkout: Path) -> Path:
    checkout.mkdir()
    copy_checkout(checkout)
    shrink(checkout / "params.yaml")
    run(checkout, "dvc", "repro")
    return checkout


def _killed(command: list[str], folder: Path, outputs: list[Path], times: int) -> tuple[int, ...]:
    """Kill a command that often; counts of `_KILLS`. It starts without outputs, as DVC has it."""
    draw = random.Random(command[-1])
    temporary = folder.with_name(f"{folder.name}-tmp")
    temporary.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(_code(folder))}

    def start(*, fresh: bool = True) -> "subprocess.Popen[bytes]":
        for output in outputs if fresh else ():
            shutil.rmtree(folder / output, ignore_errors=True)
            (folder / output).unlink(missing_ok=True)
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    for _ in range(2):  # The first one compiles.
        began = time.monotonic()
        if start().wait() != 0:
            raise SystemExit(f"faults: {' '.join(command)} fails undisturbed")
        usual_s = time.monotonic() - began
    whole = _contents(folder, outputs)
    # Torch keeps an empty folder for what it may compile.
    before = _shared_by_the_dead(), _untracked(folder), set(temporary.iterdir())
    counts: Counter[str] = Counter()
    for number in range(times):
        process = start()
        time.sleep(draw.uniform(0.1, 1.0) * usual_s)
        counts["at work"] += process.poll() is None
        _kill(process, WAYS[number % len(WAYS)])
        counts["processes left"] += _outlived(temporary)
        counts["half outputs"] += any(
            whole.get(name) != content for name, content in _contents(folder, outputs).items()
        )
        if number % len(WAYS) == 0:  # The next start is the same command as a rerun.
            start(fresh=False).wait()
            counts["other reruns"] += _contents(folder, outputs) != whole
    start(fresh=False).wait()
    counts["other reruns"] += _contents(folder, outputs) != whole
    _outlived(temporary)
    left: list[Path | str] = [*folder.rglob(f"{PREFIX}*")]
    left += set(temporary.iterdir()) - before[2]
    left += [*(_shared_by_the_dead() - before[0]), *(_untracked(folder) - before[1])]
    for path in left:
        print(f"{' '.join(command[2:])}: left {path}", file=sys.stderr)
    counts["left in the end"] = len(left)
    return (times, *(counts[name] for name in _KILLS[1:]))


def _shared_by_the_dead() -> set[Path]:
    """Joblib's folders in shared memory whose process is gone."""
    found = Path("/dev/shm").glob("joblib_memmapping_folder_*")
    return {path for path in found if not psutil.pid_exists(int(path.name.split("_")[3]))}


def _untracked(folder: Path) -> set[str]:
    """What git would add, where the folder is a checkout."""
    words = ["git", "ls-files", "-o", "--exclude-standard"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines())


def _code(folder: Path) -> Path:
    return folder if (folder / "fxnorm").is_dir() else ROOT


def _contents(folder: Path, outputs: list[Path]) -> dict[str, bytes]:
    """What outputs hold, without files at work and reports that name the time."""
    found = {}
    for output in outputs:
        paths = [folder / output, *(folder / output).rglob("*")]
        for path in paths:
            inside = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(PREFIX) for part in inside.parts):
                found[str(inside)] = path.read_bytes()
    return found


def _kill(process: "subprocess.Popen[bytes]", way: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        if way == "SIGKILL to all":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.send_signal(signal.SIGTERM if way == "SIGTERM" else signal.SIGKILL)
    process.wait()


def _outlived(temporary: Path) -> bool:
    """Whether a minute later processes live that were started with this place for temporary files.

    The one that writes to MLflow closes the run of a killed stage.
    """
    for _ in range(300):
        if not any(_place(process) == str(temporary) for process in psutil.process_iter()):
            return False
        time.sleep(0.2)
    return True


def _place(process: psutil.Process) -> str | None:
    try:
        place: str | None = process.environ().get("TMPDIR")
        return place
    except psutil.Error:
        return None


def _audio(folder: Path) -> Iterator[tuple[object, ...]]:
    """Each kind into each command, in a process of its own, as decoders may crash."""
    kinds = dict(_bad_audio())
    target = folder / "target"
    rng = np.random.default_rng(3)
    for number in range(len(kinds)):
        audio = 0.1 * rng.standard_normal((SAMPLE_RATE, 2)).astype(np.float32)
        write(target / str(number) / "song.wav", audio, SAMPLE_RATE)
    for name, words in AUDIO_COMMANDS.items():
        tasks = []
        for number, (kind, (suffix, data)) in enumerate(kinds.items()):
            path = folder / "bad" / str(number) / "ours" / f"song{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            output = folder / name / str(number) / ("out.csv" if name == "score" else "out.wav")
            places = {"bad": path, "mixes": path.parents[1], "target": target / str(number)}
            command = [word.format(out=output, **places) for word in words.split()]
            tasks.append((kind, (command, path, output, kind.startswith("cut"))))
        counts: Counter[str] = Counter()
        for kind, outcome in zip(kinds, in_processes(_tried, tasks, 2), strict=True):
            if outcome not in ("taken", "refused"):
                print(f"{name}: {kind}: {outcome}", file=sys.stderr)
            counts[outcome if outcome in _OUTCOMES else "else"] += 1
        yield name, counts.total(), *(counts[outcome] for outcome in (*_OUTCOMES, "else"))


def _tried(command: list[str], path: Path, output: Path, cut: bool) -> str:
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = fxnorm(command)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    lines = [line for line in errors.getvalue().splitlines() if line.startswith("fxnorm: ")]
    if code == 0 and output.is_file():
        if output.suffix == ".csv":
            return "taken"
        audio, rate = soundfile.read(output)
        if cut and len(audio) < 0.9 * rate and "cut off" not in errors.getvalue():
            return "less"
        return "taken" if np.isfinite(audio).all() else "not finite"
    if code == 2 and len(lines) == 1 and not output.exists():
        return "refused" if path.name in lines[0] else "unnamed"
    return f"{code}: {errors.getvalue()}"


def _bad_audio() -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Kind, and suffix and bytes of a file of it."""
    rng = np.random.default_rng(2)
    good = 0.2 * rng.standard_normal((SAMPLE_RATE, 2))
    forms = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3", ".aiff": "AIFF"}
    whole = {suffix: _encoded(good, SAMPLE_RATE, form) for suffix, form in forms.items()}
    if ffmpeg.is_installed():
        whole |= {suffix: _encoded_by_ffmpeg(whole[".wav"], suffix) for suffix in FFMPEG_OPTIONS}
    for suffix, data in whole.items():
        for share in (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999):
            yield f"cut {suffix} at {share}", (suffix, data[: int(share * len(data))])
        for number in range(12):
            draw = random.Random(number)
            broken = bytearray(data)
            for _ in range(4 ** (number % 4)):
                broken[draw.randrange(64 if number < 6 else len(broken))] = draw.randrange(256)
            yield f"bytes {suffix} {number}", (suffix, bytes(broken))
        for other in forms:
            if other != suffix:
                yield f"suffix {other} for {suffix}", (other, data)
        for filler in (b"\0", b"\xff", b"text ", b"RIFF"):
            yield f"filled {suffix} {filler!r}", (suffix, filler * 5000)
        yield f"tail {suffix}", (suffix, data + bytes(9999))
        yield f"head {suffix}", (suffix, bytes(99) + data)
    for value in (np.nan, np.inf, -np.inf, 1e30, 1e-40, 0.0):
        for place in ("all", "one"):
            audio = good.copy()
            audio[... if place == "all" else 1000] = value
            yield f"values {value} {place}", (".wav", _encoded(audio, SAMPLE_RATE, "WAV", "FLOAT"))
    for channels in (3, 6, 8, 64):
        audio = np.repeat(good[:, :1], channels, axis=1)
        yield f"channels {channels}", (".wav", _encoded(audio, SAMPLE_RATE, "WAV"))
    for rate in (1, 7, 1000, 7999, 44_099, 352_800, 768_000, 2**31 - 1):
        yield f"rate {rate}", (".wav", _encoded(good[:4000], rate, "WAV"))
    for samples in (0, 1, 2, 100, 4000):
        yield f"samples {samples}", (".wav", _encoded(good[:samples], SAMPLE_RATE, "WAV"))
    for size in (0, 1, 2**31, 2**32 - 1):
        data = whole[".wav"]
        yield f"length {size}", (".wav", data[:40] + size.to_bytes(4, "little") + data[44:])


def _encoded(audio: np.ndarray, rate: int, form: str, subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, audio, rate, format=form, subtype=subtype)
    return stream.getvalue()


def _encoded_by_ffmpeg(wav: bytes, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, f"x{suffix}")
        words = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            "-",
            "-bitexact",
            *FFMPEG_OPTIONS[suffix],
            str(path),
        ]
        subprocess.run(words, input=wav, check=True)
        return path.read_bytes()


def _loaders(folder: Path, files: int) -> Iterator[tuple[object, ...]]:
    logging.disable(logging.WARNING)
    for name, loader in LOADERS.items():
        place = folder / name
        place.mkdir()
        counts: Counter[str] = Counter()
        slowest = 0.0
        for number in range(files):
            data = loader.damage(loader.sample(), random.Random(f"{name} {number}"))
            began = time.monotonic()
            try:
                counts["loaded" if attempt(loader, data, place) == "loaded" else "refused"] += 1
            except Exception as error:
                counts["else"] += 1
                print(f"{name} {number}: {type(error).__name__}: {error}", file=sys.stderr)
            slowest = max(slowest, time.monotonic() - began)
        numbers = (counts[kind] for kind in ("loaded", "refused", "else"))
        yield name, files, *numbers, f"{slowest:.2f}"


if __name__ == "__main__":
    main()
