"""The process that writes a stage's run to MLflow.

It takes pickled messages (the name of a method of `RunWriter`, its arguments) from standard input
until the run ends. Where they stop before that, the stage was killed, and so is its run.
"""

import json
import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fxnorm.digests import digest as digest_of
from fxnorm.tracking import (
    MODEL_DIGEST,
    Store,
    call_limit_s,
    number_from_environment,
    open_store,
    prepare_mlflow,
    reason,
    training_run,
)
from stages.tracking_tags import is_gone, run_tags, written_here

#: What MLflow takes in one call.
_MOST_PARAMS, _MOST_METRICS, _LONGEST_PARAM = 100, 1000, 6000
#: After so many failed calls in a row there are no more.
_PATIENCE = 3
_SAMPLE_EVERY_S = max(0.1, number_from_environment("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", 10.0))


class RunWriter:
    """One run: makes it, fills it, closes it. A call that fails loses what it had to log."""

    def __init__(self) -> None:
        self.calling_since: float | None = None
        self.stage_waits = False
        self._stage: Mapping[str, Any] = {}
        self._tags: dict[str, str] = {}
        self._failures = 0
        self._store: Store | None = None
        self._run_id = ""
        self._parent: str | None = None
        self._monitors: list[Any] = []
        self._samples = 0

    def handle(self, method: str, *arguments: Any) -> None:
        """Do what a message says; after too many failures, only end the run."""
        if method == "end" or (
            self._failures < _PATIENCE and (method == "start" or self._has_run())
        ):
            getattr(self, method)(*arguments)

    def start(self, stage: Mapping[str, Any]) -> None:
        """Open the store and make the run.

        Args:
            stage: what `stage_run` says of it.
        """
        self._stage, self._tags = stage, run_tags(stage)
        if stage["model"] is not None:
            self._tags[MODEL_DIGEST] = digest_of(stage["model"])
        self._begin()

    def metrics(self, numbers: Mapping[str, float], step: int, timestamp_ms: int) -> None:
        """Log numbers."""
        self._call("metrics", self._log_metrics, self._run_id, numbers, step, timestamp_ms)

    def headline(self, numbers: Mapping[str, float], timestamp_ms: int) -> None:
        """Log numbers here and in the training run."""
        for run_id in filter(None, (self._run_id, self._parent)):
            self._call("metrics", self._log_metrics, run_id, numbers, 0, timestamp_ms)

    def trained(self, model: Path) -> None:
        """Leave the digest of a model folder."""
        set_tag = self._client.set_tag
        self._call("the model", set_tag, self._run_id, MODEL_DIGEST, digest_of(model))

    def dataset(self, name: str, uri: str, folder: Path, context: str, digest: str | None) -> None:
        """Log a folder of audio as an input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = Dataset(name, digest or digest_of(folder), "local", json.dumps({"uri": uri}))
        entry = DatasetInput(data, [InputTag("mlflow.data.context", context)])
        self._call(f"data set {name}", self._client.log_inputs, self._run_id, datasets=[entry])

    def artifact(self, path: Path, folder: str | None) -> None:
        """Log a file, or the content of a folder."""
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        self._call(path.name, log, self._run_id, str(path), folder)

    def sample(self) -> None:
        """Log the load of the machine."""
        numbers: dict[str, float] = {}
        for monitor in self._monitors:
            monitor.collect_metrics()
            numbers |= {
                f"system/{key}": value for key, value in monitor.aggregate_metrics().items()
            }
            monitor.clear_metrics()
        if numbers and self._failures < _PATIENCE:
            now = int(time.time() * 1000)
            log = self._log_metrics
            self._call("system metrics", log, self._run_id, numbers, self._samples, now)
            self._samples += 1

    def end(self, status: str) -> None:
        """Close the run."""
        self.sample()
        if self._run_id:
            self._call("the run's end", self._client.set_terminated, self._run_id, status)

    @property
    def _client(self) -> Any:
        assert self._store is not None
        return self._store.client

    def _call(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
        """Whether a call to the store succeeded."""
        self.calling_since = time.monotonic()
        try:
            call(*arguments, **named)
        except Exception as error:  # whatever the store raises, the next call may succeed
            self._failures += 1
            _say(f"not tracked in MLflow: {what}: {reason(error)}")
            if self._failures == _PATIENCE:
                _say(f"not tracked in MLflow: what follows, after {_PATIENCE} failures in a row")
            return False
        finally:
            self.calling_since = None
        self._failures = 0
        return True

    def _has_run(self) -> bool:
        """Whether there is a run; a store that was away is tried again while the stage works."""
        if not self._run_id and not self.stage_waits:
            self._begin()
        return bool(self._run_id)

    def _begin(self) -> None:
        if self._call("this stage", self._make_run):
            self._call("params", self._log_params, self._stage["params"])
            self._call("the end of killed stages", self._close_killed_runs)
            self._monitors = _monitors()

    def _make_run(self) -> None:
        store = open_store(self._stage["store"], os.environ.get("MLFLOW_TRACKING_URI"))
        if store.notice is not None:
            _say(store.notice)
        tags = dict(self._tags)
        if MODEL_DIGEST in tags:
            self._parent = training_run(store, tags[MODEL_DIGEST])
        if self._parent is not None:
            tags["mlflow.parentRunId"] = self._parent
        variant = tags["dvc.exp_name"] or tags["git.commit"][:7] or "no-commit"
        name = f"{tags['dvc.stage']}/{variant}"
        run = store.client.create_run(store.experiment_id, tags=tags, run_name=name)
        self._store, self._run_id = store, run.info.run_id

    def _log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        entries = [Param(key, str(value)[:_LONGEST_PARAM]) for key, value in params.items()]
        for start in range(0, len(entries), _MOST_PARAMS):
            self._client.log_batch(self._run_id, params=entries[start : start + _MOST_PARAMS])

    def _log_metrics(
        self, run_id: str, numbers: Mapping[str, float], step: int, timestamp_ms: int
    ) -> None:
        from mlflow.entities import Metric

        entries = [Metric(key, value, timestamp_ms, step) for key, value in numbers.items()]
        for start in range(0, len(entries), _MOST_METRICS):
            self._client.log_batch(run_id, metrics=entries[start : start + _MOST_METRICS])

    def _close_killed_runs(self) -> None:
        assert self._store is not None
        running = f"attributes.status = 'RUNNING' and {written_here()}"
        for run in self._client.search_runs([self._store.experiment_id], running):
            if is_gone(run.data.tags):
                self._client.set_terminated(run.info.run_id, "KILLED")


def main() -> None:
    """Log what the stage says."""
    writer = RunWriter()
    messages: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    # A thread of its own, so that the stage never waits for a full pipe.
    threading.Thread(target=_read, args=(messages, writer), daemon=True).start()
    try:
        prepare_mlflow()  # Not part of a call: on a busy machine it takes longer than a call may.
    except ImportError as error:
        _say(f"not tracked in MLflow: {reason(error)}")
        os._exit(1)
    sampled = time.monotonic()
    method = ""
    while method != "end":
        try:
            method, *arguments = messages.get(timeout=_SAMPLE_EVERY_S)
            writer.handle(method, *arguments)
        except queue.Empty:
            pass
        except Exception as error:  # a file or folder that has gone: what it was for is lost
            _say(f"not tracked in MLflow: {method}: {reason(error)}")
        if time.monotonic() - sampled >= _SAMPLE_EVERY_S:
            writer.sample()
            sampled = time.monotonic()
    sys.stderr.flush()
    os._exit(0)  # Taking MLflow's modules down would take half a second of the stage's time.


def _read(messages: "queue.SimpleQueue[tuple[Any, ...]]", writer: RunWriter) -> None:
    method = ""
    while method != "end":
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except (EOFError, pickle.UnpicklingError):
            method, arguments = "end", ("KILLED",)
        writer.stage_waits = method == "end"
        messages.put((method, *arguments))
    # The stage waits from here on, so no call may hang.
    limit_s = call_limit_s(os.environ.get("MLFLOW_TRACKING_URI"))
    while (since := writer.calling_since) is None or time.monotonic() - since < limit_s:
        time.sleep(0.1)
    _say(f"not tracked in MLflow: its store did not answer in {limit_s:.0f} s")
    os._exit(1)


def _monitors() -> list[Any]:
    """What reads the load of CPU, memory, disk, network and, where there is one, GPU."""
    if os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "").lower() in ("false", "0"):
        return []
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    monitors = [CPUMonitor(), DiskMonitor(), NetworkMonitor()]
    with suppress(Exception):  # no NVIDIA GPU, or nothing that reads it
        monitors.append(GPUMonitor())
    monitors[0].collect_metrics()  # The load is that since the last reading.
    monitors[0].clear_metrics()
    return monitors


def _say(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
