"""Logging of stage runs to MLflow.

Every failure here is a warning: tracking never stops the work it records. Nothing that MLflow
assigns (run ids, times) enters a stage's output.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from fxnorm.digests import digest
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

EXPERIMENT = "fxnorm"
#: Tag under which a training run leaves its model's digest, for evaluations to find it.
MODEL_DIGEST = "model.digest"

_TEMPORARY_CHECKOUTS = "/.dvc/tmp/exps/"
_BATCH = 100
_LOCK_S = 60.0
#: Of an excerpt's file, in characters; file systems take 255 bytes.
_LONGEST_NAME = 60


class Run:
    """One MLflow run. All methods do nothing once tracking has failed."""

    def __init__(self, client: "MlflowClient | None", run_id: str) -> None:
        self._client = client
        self._run_id = run_id

    def params(self, params: Mapping[str, Any]) -> None:
        """Log nested parameters, flattened with dots."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)[:6000]) for key, value in flatten(params).items()]
        for start in range(0, len(entries), _BATCH):
            self._call("log_batch", params=entries[start : start + _BATCH])

    def metrics(self, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Log nested numbers, flattened with dots, in one batch; what is no number is left out."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [
            Metric(key, float(value), now, step)
            for key, value in flatten(metrics).items()
            if isinstance(value, int | float) and value == value
        ]
        for start in range(0, len(entries), _BATCH):
            self._call("log_batch", metrics=entries[start : start + _BATCH])

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        for key, value in tags.items():
            self._call("set_tag", key, value)

    def dataset(self, name: str, folder: str | os.PathLike[str], context: str) -> None:
        """Log a folder of audio as an input, by digest.

        Args:
            name: for the list of inputs.
            folder: what to digest.
            context: what it is for: training, validation, test.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = Dataset(name, digest(Path(folder)), "local", f'{{"uri": "{folder}"}}')
        entry = DatasetInput(data, [InputTag("mlflow.data.context", context)])
        self._call("log_inputs", datasets=[entry])

    def figure(self, figure: "Figure", name: str) -> None:
        """Log a figure as `figures/<name>.png`."""
        self._call("log_figure", figure, f"figures/{name}.png")

    def table(self, table: "pd.DataFrame", name: str) -> None:
        """Log a table as `tables/<name>.csv`."""
        text = table.to_csv(index=False)
        self._call("log_text", text, f"tables/{name}.csv")

    def artifact(self, path: str | os.PathLike[str], folder: str | None = None) -> None:
        """Log a file, or the content of a folder."""
        source = Path(path)
        if source.is_dir():
            self._call("log_artifacts", str(source), folder)
        else:
            self._call("log_artifact", str(source), folder)

    def excerpt(self, audio: Any, sample_rate: int, name: str) -> None:
        """Log audio (samples, channels) as `audio/<name>.flac`."""
        from fxnorm.audio import write

        if self._client is None:
            return
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{name[:_LONGEST_NAME]}.flac"
                write(path, audio, sample_rate)
                self.artifact(path, "audio")
        except (FxNormError, OSError) as error:
            # Audio that diverged, or a full disk: the stage goes on, and so does its log.
            _warn(error)

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED."""
        self._call("set_terminated", status)

    def _call(self, method: str, *arguments: Any, **named: Any) -> None:
        if self._client is None:
            return
        try:
            getattr(self._client, method)(self._run_id, *arguments, **named)
        except Exception as error:  # whatever the store raises, the stage goes on
            self._client = None
            _warn(error)


@contextmanager
def stage_run(
    stage: str,
    params: Mapping[str, Any],
    *,
    root: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
) -> Iterator[Run]:
    """Log a stage as one run, named `<stage>/<experiment name or short commit>`.

    Args:
        stage: as DVC names it, `train@ours_S_Lb`.
        params: nested parameters the stage depends on.
        root: the checkout the stage runs in. The default store is in the main checkout, also
            when this is a temporary copy that DVC made for a queued experiment.
            `MLFLOW_TRACKING_URI` overrides it.
        model: folder of a model the stage uses: the run nests under the one that trained it.
    """
    run = _start(stage, params, Path(root).resolve(), model)
    try:
        yield run
    except KeyboardInterrupt:
        run.end("KILLED")
        raise
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def main_checkout(root: Path) -> Path:
    """The checkout that a temporary copy made by `dvc exp run --temp` or `--queue` belongs to."""
    return Path(str(root).split(_TEMPORARY_CHECKOUTS)[0])


def _start(
    stage: str, params: Mapping[str, Any], root: Path, model: str | os.PathLike[str] | None
) -> Run:
    if os.environ.get("RANK", "0") != "0":
        return Run(None, "")  # torchrun starts the stage several times; the first process logs.
    try:
        client, experiment = _connect(main_checkout(root))
        tags = _tags(stage, params, root)
        if model is not None:
            tags[MODEL_DIGEST] = digest(Path(model))
            parent = _training_run(client, experiment, tags[MODEL_DIGEST])
            if parent is not None:
                tags["mlflow.parentRunId"] = parent
        name = f"{stage}/{tags['dvc.exp_name'] or tags['git.commit'][:7] or 'no-commit'}"
        run = Run(client, client.create_run(experiment, tags=tags, run_name=name).info.run_id)
    except Exception as error:
        _warn(error)
        return Run(None, "")
    run.params(params)
    return run


def _connect(checkout: Path) -> "tuple[MlflowClient, str]":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import logging

    from mlflow import MlflowClient

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    if own := os.environ.get("MLFLOW_TRACKING_URI"):
        return _open_store(MlflowClient(tracking_uri=own), None)
    # Experiments that begin together must not all make the store's tables.
    with FileLock(checkout / "mlflow.db.lock", timeout=_LOCK_S):
        client = MlflowClient(tracking_uri=f"sqlite:///{checkout / 'mlflow.db'}")
        return _open_store(client, (checkout / "mlartifacts").as_uri())


def _open_store(client: "MlflowClient", artifacts: str | None) -> "tuple[MlflowClient, str]":
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return client, experiment.experiment_id
    return client, client.create_experiment(EXPERIMENT, artifact_location=artifacts)


def _training_run(client: "MlflowClient", experiment: str, model_digest: str) -> str | None:
    found = client.search_runs(
        [experiment],
        f"tags.`{MODEL_DIGEST}` = '{model_digest}' and tags.`dvc.stage` LIKE 'train@%'",
        max_results=1,
    )
    return found[0].info.run_id if found else None


def _tags(stage: str, params: Mapping[str, Any], root: Path) -> dict[str, str]:
    import hashlib
    import json

    text = json.dumps(params, sort_keys=True, default=str)
    return {
        "dvc.stage": stage,
        "dvc.exp_name": os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline_rev": os.environ.get("DVC_EXP_BASELINE_REV", ""),
        "git.commit": _git(root, "rev-parse", "HEAD"),
        "git.dirty": str(bool(_git(root, "status", "--porcelain"))).lower(),
        "params.digest": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _warn(error: Exception) -> None:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    print(f"warning: not tracked in MLflow: {reason}", file=sys.stderr)
