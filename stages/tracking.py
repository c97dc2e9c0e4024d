"""Logging of stage runs to MLflow.

A process beside the stage, `tracking_writer`, talks to the store: neither the time that MLflow
takes to import nor a store that is slow, silent or broken holds up the work or disturbs it.
Nothing that MLflow assigns (run ids, times) enters a stage's output.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fxnorm.conventions import LOGGED_S
from fxnorm.errors import FxNormError
from fxnorm.outputs import write_text
from fxnorm.scratch import temporary_folder
from fxnorm.tabulation import to_csv

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TEMPORARY_CHECKOUTS = "/.dvc/tmp/exps/"
_CODE = Path(__file__).parents[1]
#: Of an excerpt's file, in characters; file systems take 255 bytes.
_LONGEST_NAME = 60


class Run:
    """One MLflow run. No method fails, and only `end` waits, whatever the store does.

    Args:
        writer: the process that logs; None logs nothing.
        scratch: folder for files on their way to the store.
    """

    def __init__(self, writer: "subprocess.Popen[bytes] | None", scratch: Path) -> None:
        self._writer = writer
        self._scratch = scratch
        self._files = 0

    def metrics(self, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Log nested numbers, flattened with slashes; what is no number is left out.

        MLflow groups charts by what comes before the first slash.
        """
        self._send("metrics", _numbers(metrics), step, _now())

    def headline(self, metrics: Mapping[str, Any]) -> None:
        """Log numbers here and in the run that trained the stage's model, if there is one."""
        self._send("headline", _numbers(metrics), _now())

    def trained(self, model: Path) -> None:
        """Leave the digest of a model folder, by which evaluations and the registry find this."""
        self._send("trained", model.absolute())

    def dataset(self, name: str, folder: Path, context: str, *, digest: str | None = None) -> None:
        """Log a folder of audio as an input, by digest.

        Args:
            name: for the list of inputs.
            folder: what to digest.
            context: what it is for: training, validation, test.
            digest: of the folder, where the stage has computed it.
        """
        self._send("dataset", name, folder.as_posix(), folder.absolute(), context, digest)

    def figure(self, figure: "Figure", name: str) -> None:
        """Log a figure as `figures/<name>.png`."""
        self._file(f"{name}.png", "figures", figure.savefig)

    def table(self, table: "pd.DataFrame", name: str) -> None:
        """Log a table as `tables/<name>.csv`."""
        self._file(
            f"{name}.csv", "tables", lambda path: write_text(path, to_csv(table, digits=None))
        )

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or the content of a folder."""
        self._send("artifact", path.absolute(), folder)

    def excerpt(self, audio: np.ndarray, sample_rate: int, name: str) -> None:
        """Log the first 10 s of audio (samples, channels) as `audio/<name>.flac`.

        What exceeds full scale is turned down: FLAC would clip it.
        """
        from fxnorm.audio import write

        beginning = audio[: round(LOGGED_S * sample_rate)]
        peak = max(1.0, float(np.abs(beginning).max(initial=0.0)))
        file = f"{name[:_LONGEST_NAME]}.flac"
        self._file(file, "audio", lambda path: write(path, beginning / peak, sample_rate))

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED, and wait until all is logged or lost."""
        self._send("end", status)
        if self._writer is not None and self._writer.stdin is not None:
            with suppress(OSError):
                self._writer.stdin.close()
            self._writer.wait()

    def _file(self, name: str, folder: str, write: Callable[[Path], Any]) -> None:
        if self._writer is None:
            return
        self._files += 1
        path = self._scratch / str(self._files) / name
        try:
            path.parent.mkdir()
            write(path)
        except (FxNormError, OSError) as error:
            # Audio that diverged, or a full disk: the stage goes on, and so does its log.
            print(f"warning: not tracked in MLflow: {error}", file=sys.stderr)
        else:
            self._send("artifact", path, folder)

    def _send(self, method: str, *arguments: Any) -> None:
        if self._writer is None or self._writer.stdin is None:
            return
        # A writer that has ended said why.
        with suppress(OSError, ValueError):
            pickle.dump((method, arguments), self._writer.stdin)
            self._writer.stdin.flush()


@contextmanager
def stage_run(
    stage: str,
    params: Mapping[str, Any],
    *,
    root: str | os.PathLike[str],
    system: str | None = None,
    model: str | os.PathLike[str] | None = None,
) -> Iterator[Run]:
    """Log a stage as one run, named `<stage>/<experiment name or short commit>`.

    With `FXNORM_TRACKING=off` in the environment nothing is logged.

    Args:
        stage: as DVC names it, `train@ours_S_Lb`.
        params: nested parameters the stage depends on; those of `system` lose its prefix.
        root: the checkout the stage runs in. The default store is in the main checkout, also
            when this is a temporary copy that DVC made for a queued experiment.
            `MLFLOW_TRACKING_URI` overrides it.
        system: the system that the stage trains or evaluates.
        model: folder of a model the stage uses: the run nests under the one that trained it.
    """
    with temporary_folder() as scratch:
        run = Run(_start_writer(), scratch)
        start = {
            "stage": stage,
            "script": Path(sys.argv[0]).name,
            "params": flatten(_without_prefix(params, system)),
            "root": Path(root).resolve(),
            "store": main_checkout(Path(root).resolve()),
            "system": system,
            "model": None if model is None else Path(model).absolute(),
        }
        run._send("start", start)
        try:
            yield run
        except KeyboardInterrupt:
            run.end("KILLED")
            raise
        except BaseException:
            run.end("FAILED")
            raise
        run.end("FINISHED")


def flatten(nested: Mapping[str, Any], separator: str = ".", prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping, its keys joined by a separator."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, separator, f"{prefix}{key}{separator}")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def main_checkout(root: Path) -> Path:
    """The checkout that a temporary copy made by `dvc exp run --temp` or `--queue` belongs to."""
    return Path(str(root).split(_TEMPORARY_CHECKOUTS)[0])


def _start_writer() -> "subprocess.Popen[bytes] | None":
    # torchrun starts the stage several times; the first process logs.
    if os.environ.get("FXNORM_TRACKING") == "off" or os.environ.get("RANK", "0") != "0":
        return None
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "stages.tracking_writer"],
        cwd=_CODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # It outlives an interrupt or kill of the stage's group, and then closes the run.
        start_new_session=True,
    )


def _without_prefix(params: Mapping[str, Any], system: str | None) -> dict[str, Any]:
    """Settings of a system under the names that they have in every system, so that runs compare."""
    shared = {key: value for key, value in params.items() if key not in ("systems", "pretraining")}
    own = params.get("pretraining") or params.get("systems", {}).get(system, {})
    if system is None or not own:
        return dict(params)
    return shared | {key: value for key, value in own.items() if key != "name"}


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in flatten(metrics, "/").items()
        if isinstance(value, int | float) and value == value
    }


def _now() -> int:
    return int(time.time() * 1000)
