"""What every stage does around its work."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from fxnorm.data import Song, SongList
from fxnorm.errors import FxNormError, printable, to_mend
from fxnorm.outputs import write_text
from fxnorm.scratch import use_place
from fxnorm.tabulation import to_csv
from fxnorm.workers import KILLED, end_with, on_cluster
from stages.params import Params, load_params, select
from stages.tracking import Run, main_checkout, stage_run

if TYPE_CHECKING:
    import pandas as pd

#: Where outputs come into being: outside all that stages depend on.
SCRATCH = Path(".scratch")


@contextmanager
def stage(
    name: str,
    sections: Sequence[str],
    *,
    system: str | None = None,
    model: str | Path | None = None,
) -> Iterator[tuple[Params, Run]]:
    """Validate params.yaml and log the body as one MLflow run.

    SIGTERM interrupts like SIGINT, and so does the death of the DVC that started it. FXNORM_DASK,
    in the environment, names the scheduler of a Dask cluster to work on.

    Args:
        name: as DVC names it, `train@ours_S_Lb`.
        sections: dotted keys of the params the stage depends on, as in dvc.yaml.
        system: the system that the stage trains or evaluates, if any.
        model: folder of the trained model the stage uses, if any.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if "DVC_ROOT" in os.environ:
        # A killed `dvc repro` leaves its stages to themselves, and nobody would take their outputs.
        end_with(os.getppid(), lambda: os.kill(os.getpid(), signal.SIGTERM))
    with ends_in_one_line(name):
        params = load_params("params.yaml")
        use_place(SCRATCH)
        chosen = select(params, sections)
        with (
            _alone(name),
            on_cluster(os.environ.get("FXNORM_DASK") or None),
            stage_run(name, chosen, root=Path.cwd(), system=system, model=model) as run,
        ):
            yield params, run


@contextmanager
def ends_in_one_line(name: str) -> Iterator[None]:
    """End the process with one line and exit code 2 on wrong input, with 130 on an interrupt."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        fault = KILLED if isinstance(error, BrokenProcessPool) else to_mend(error)
        if fault is None:
            raise
        print(f"{name}: {fault}", file=sys.stderr)
        raise SystemExit(2) from None


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Refuse a second process of a stage; DVC does, but not where stages are started by hand.

    Raises:
        FxNormError: another one runs.
    """
    if os.environ.get("RANK", "0") != "0":
        yield  # torchrun starts a stage several times.
        return
    lock = FileLock(SCRATCH / f"{name.replace('/', '_')}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise FxNormError("this stage runs already in this checkout; wait for it") from error
    try:
        yield
    finally:
        lock.release()


def argument(usage: str) -> str:
    """The one argument of a stage's command; anything else ends the process with its usage."""
    if len(sys.argv) != 2:
        print(f"usage: python -m {usage}", file=sys.stderr)
        raise SystemExit(2)
    return sys.argv[1]


def write_numbers(numbers: Mapping[str, Any], path: Path, digits: int = 6) -> None:
    """Write nested numbers as JSON, floats with so many significant digits."""
    write_text(path, json.dumps(_rounded(numbers, digits), indent=2) + "\n")


def write_table(table: "pd.DataFrame", path: Path, digits: int | None = None) -> None:
    """Write a table as CSV, floats with so many significant digits, or as many as they need."""
    write_text(path, to_csv(table, digits))


def usable_songs(found: SongList) -> list[Song]:
    """The songs of a partition, after saying which were left out and what reading changes."""
    for name, reason in found.skipped.items():
        print(f"skipped {name}: {printable(reason)}", file=sys.stderr)
    for song in found.songs:
        for note in song.notes:
            print(f"{song.name}: {printable(note)}", file=sys.stderr)
    return found.songs


def unfinished_work(*names: str) -> Path:
    """Folder for what an interrupted stage leaves to its next run.

    It lies in the main checkout, so that a queued experiment's work outlives its temporary copy.
    """
    return main_checkout(Path.cwd()).joinpath(".checkpoints", *names)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(inner, digits) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner, digits) for inner in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
