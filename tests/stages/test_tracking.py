import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from fxnorm.audio import read
from fxnorm.digests import digest
from fxnorm.tracking import EXPERIMENT
from stages.tracking import main_checkout, stage_run

ROOT = Path(__file__).resolve().parents[2]


def _client(database):
    return MlflowClient(tracking_uri=f"sqlite:///{database}")


def _runs(root):
    client = _client(root / "mlflow.db")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return client, client.search_runs([experiment.experiment_id])


def _stage(code, root, **variables):
    """A process that runs code in a stage's run; `root` is the checkout."""
    begin = "import sys, time\nfrom stages.tracking import stage_run\n"
    begin += "with stage_run('train@a', {}, root=sys.argv[1]) as run:\n    "
    return subprocess.Popen(
        [sys.executable, "-c", begin + code, str(root)],
        cwd=ROOT,
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """An empty store, of which making the tables takes longest."""
    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    _client(database).search_experiments()
    return database


@pytest.fixture(autouse=True)
def default_store(monkeypatch, tmp_path, tables):
    shutil.copy(tables, tmp_path)
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "DVC_")):
            monkeypatch.delenv(name)


@pytest.fixture
def silent_server():
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_tracking_can_be_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv("FXNORM_TRACKING", "off")
    with stage_run("features", {"seed": 1}, root=tmp_path) as run:
        run.metrics({"loss": 1.0})
        run.figure(matplotlib.figure.Figure(), "curve")
    assert _client(tmp_path / "mlflow.db").get_experiment_by_name(EXPERIMENT) is None


def test_a_stage_is_one_run_with_params_metrics_and_artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bold-idea")
    (tmp_path / "songs").mkdir()
    loud = np.linspace(-2.0, 2.0, 12 * 8000, dtype=np.float32)[:, None]
    with stage_run("features", {"eq": {"boost": 24}, "seed": 1}, root=tmp_path) as run:
        run.metrics({"loss": {"train": 2.0, "note": "text", "nan": float("nan")}}, step=3)
        run.figure(matplotlib.figure.Figure(), "curves")
        run.table(pd.DataFrame({"a": [1]}), "table")
        run.excerpt(loud, 8000, "loud")
        run.dataset("songs", tmp_path / "songs", "training")
    client, (logged,) = _runs(tmp_path)
    assert logged.info.run_name == "features/bold-idea"
    assert logged.info.status == "FINISHED"
    assert logged.data.params == {"eq.boost": "24", "seed": "1"}
    own = {key: value for key, value in logged.data.metrics.items() if "system/" not in key}
    assert own == {"loss/train": 2.0}
    assert 0.0 <= logged.data.metrics["system/cpu_utilization_percentage"] <= 100.0
    assert client.get_metric_history(logged.info.run_id, "loss/train")[0].step == 3
    tags = logged.data.tags
    assert (tags["dvc.stage"], "system" in tags) == ("features", False)
    assert tags["mlflow.user"]
    assert tags["mlflow.source.name"].startswith("stages/")
    assert logged.inputs.dataset_inputs[0].dataset.digest == digest(tmp_path / "songs")
    files = {path.name: path for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()}
    assert {"curves.png", "table.csv", "loud.flac"} <= set(files)
    # Excerpts are of ten seconds and never clipped.
    kept, rate = read(files["loud.flac"])
    assert (kept.shape[0], rate) == (10 * 8000, 8000)
    np.testing.assert_allclose(kept, loud[: kept.shape[0]] / 2.0, atol=1e-4)


def test_an_evaluation_nests_under_the_training_run_of_its_model(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("w")
    for name, rate in (("a", 0.1), ("b", 0.2)):
        own = {"name": name.upper(), "network": {"hidden": 8}, "training": {"learning_rate": rate}}
        params = {"seed": 1, "systems": {name: own}}
        with stage_run(f"train@{name}", params, root=tmp_path, system=name) as run:
            if name == "a":
                run.trained(model)
    with stage_run("evaluate@a", {}, root=tmp_path, system="a", model=model) as run:
        run.headline({"dry": {"spectral": 12.5}})
    _, runs = _runs(tmp_path)
    by_stage = {run.data.tags["dvc.stage"]: run for run in runs}
    parent = by_stage["evaluate@a"].data.tags["mlflow.parentRunId"]
    assert parent == by_stage["train@a"].info.run_id
    # So settings and what they led to are in one row.
    assert by_stage["train@a"].data.metrics["dry/spectral"] == 12.5
    assert by_stage["evaluate@a"].data.metrics["dry/spectral"] == 12.5
    # Two systems have their settings under the same names.
    logged = {name: by_stage[f"train@{name}"].data for name in ("a", "b")}
    assert {name: data.tags["system"] for name, data in logged.items()} == {"a": "a", "b": "b"}
    assert {name: data.params for name, data in logged.items()} == {
        "a": {"seed": "1", "network.hidden": "8", "training.learning_rate": "0.1"},
        "b": {"seed": "1", "network.hidden": "8", "training.learning_rate": "0.2"},
    }


def test_only_changed_code_and_params_make_a_run_dirty(tmp_path):
    git = ("git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org")
    for name in ("params.yaml", "README.md"):
        (tmp_path / name).write_text("seed: 1")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    for changed in ("README.md", "params.yaml"):
        (tmp_path / changed).write_text("seed: 2")
        with stage_run(changed, {}, root=tmp_path):
            pass
    _, runs = _runs(tmp_path)
    dirty = {run.data.tags["dvc.stage"]: run.data.tags["git.dirty"] for run in runs}
    assert dirty == {"README.md": "false", "params.yaml": "true"}


def test_temporary_copies_log_to_the_main_checkout_and_failures_are_marked(tmp_path):
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    assert main_checkout(copy) == tmp_path
    with pytest.raises(RuntimeError), stage_run("train@a", {}, root=copy):
        raise RuntimeError
    _, (logged,) = _runs(tmp_path)
    assert logged.info.status == "FAILED"


def test_an_unusable_store_warns_and_the_stage_goes_on(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://store")
    with stage_run("report", {}, root=tmp_path) as run:
        run.metrics({"a": 1})
        reached = True
    assert reached
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: not tracked in MLflow: this stage: ")


def test_experiments_that_begin_together_are_all_logged(tmp_path):
    # The store does not exist yet: each process wants to make it.
    (tmp_path / "mlflow.db").unlink()
    code = (
        "import sys\nfrom stages.tracking import stage_run\n"
        "with stage_run('report', {}, root=sys.argv[1]): pass"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    _, runs = _runs(tmp_path)
    assert [run.info.status for run in runs] == ["FINISHED"] * 2


def test_an_unreachable_server_costs_one_line(tmp_path, monkeypatch, capfd):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with stage_run("train@a", {}, root=tmp_path) as run:
        run.metrics({"a": 1.0})
        run.excerpt(np.zeros((100, 2), np.float32), 44100, "silence")
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: not tracked in MLflow: this stage: ")
    assert str(port) in line


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch, capfd, silent_server):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", silent_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with stage_run("train@a", {}, root=tmp_path) as run:
        for step in range(100):
            run.metrics({"a": 1.0}, step)
    (line,) = capfd.readouterr().err.splitlines()
    assert "timed out" in line
    assert "Traceback" not in line


def test_a_lost_call_loses_what_it_had_to_log_and_no_more(tmp_path, capfd):
    with stage_run("train@a", {}, root=tmp_path) as run:
        run.artifact(tmp_path / "absent.txt")
        run.metrics({"a": 1.0})
    _, (logged,) = _runs(tmp_path)
    assert (logged.info.status, logged.data.metrics["a"]) == ("FINISHED", 1.0)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: not tracked in MLflow: absent.txt: ")


def test_three_lost_calls_in_a_row_end_the_log_and_the_run_is_closed(tmp_path, capfd):
    with stage_run("train@a", {}, root=tmp_path) as run:
        for number in range(5):
            run.artifact(tmp_path / f"absent_{number}.txt")
        run.metrics({"a": 1.0})
    _, (logged,) = _runs(tmp_path)
    assert (logged.info.status, "a" in logged.data.metrics) == ("FINISHED", False)
    *lost, last = capfd.readouterr().err.splitlines()
    assert len(lost) == 3
    assert last.endswith("what follows, after 3 failures in a row")


def test_a_store_that_comes_back_gets_the_rest_of_the_run(tmp_path, monkeypatch, capfd, tables):
    place, prepared = tmp_path / "away", tmp_path / "prepared"
    prepared.mkdir()
    shutil.copy(tables, prepared / "my.db")
    place.touch()  # A file where the database's folder is to be.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/my.db")
    with stage_run("train@a", {"seed": 1}, root=tmp_path) as run:
        warning = ""
        while not warning.endswith("\n"):
            time.sleep(0.05)
            warning += capfd.readouterr().err
        place.unlink()
        prepared.rename(place)
        run.metrics({"a": 1.0})
        run.metrics({"b": 2.0})
        while not _statuses(place / "my.db"):
            time.sleep(0.05)
    assert warning.startswith("warning: not tracked in MLflow: this stage: ")
    client = _client(place / "my.db")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    (logged,) = client.search_runs([experiment.experiment_id])
    assert (logged.info.status, logged.data.params) == ("FINISHED", {"seed": "1"})
    assert (logged.data.metrics["a"], logged.data.metrics["b"]) == (1.0, 2.0)


def test_settings_of_mlflow_that_are_no_numbers_cost_a_line(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "often")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with stage_run("report", {}, root=tmp_path):
        pass
    (line,) = capfd.readouterr().err.splitlines()
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" in line


def test_the_run_of_a_killed_stage_is_closed(tmp_path):
    stage = _stage("print('on', file=sys.stderr, flush=True); time.sleep(600)", tmp_path)
    assert stage.stderr.readline() == "on\n"
    stage.kill()
    stage.communicate()  # Returns when the writer has ended, too.
    _, (logged,) = _runs(tmp_path)
    assert logged.info.status == "KILLED"


def test_a_resumed_stage_closes_the_run_that_a_killed_writer_left_open(tmp_path):
    code = "print(run._writer.pid, file=sys.stderr, flush=True); time.sleep(600)"
    stage = _stage(code, tmp_path)
    writer = int(stage.stderr.readline())
    database = tmp_path / "mlflow.db"
    while not database.exists() or not _statuses(database):
        time.sleep(0.05)
    os.kill(writer, signal.SIGKILL)
    stage.kill()
    stage.communicate()
    assert _statuses(database) == ["RUNNING"]
    with stage_run("train@a", {}, root=tmp_path):
        assert sorted(_statuses(database, of=2)) == ["KILLED", "RUNNING"]
    assert sorted(_statuses(database)) == ["FINISHED", "KILLED"]


def _statuses(database, of=0):
    """Statuses of all runs, once there are so many and one was closed."""
    while True:
        with sqlite3.connect(database, timeout=30) as connection:
            try:
                found = [row[0] for row in connection.execute("SELECT status FROM runs")]
            except sqlite3.OperationalError:  # the tables are being made
                found = []
        if len(found) >= of and (not of or "KILLED" in found):
            return found
        time.sleep(0.05)


def test_a_temporary_copy_leaves_artifacts_beside_the_database_it_was_given(
    tmp_path, monkeypatch, tables
):
    copy = tmp_path / "checkout/.dvc/tmp/exps/tmpabc"
    copy.mkdir(parents=True)
    # The other store is made where neither it nor its folder is.
    shutil.copy(tables, tmp_path / "checkout" / "my.db")
    for uri, folder in (
        (f"sqlite:///{tmp_path}/elsewhere/my.db", tmp_path / "elsewhere"),
        ("sqlite:///my.db", tmp_path / "checkout"),
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with stage_run("report", {}, root=copy) as run:
            run.table(pd.DataFrame({"a": [1]}), "table")
        assert (folder / "my.db").is_file()
        assert list((folder / "mlartifacts").rglob("table.csv"))
    assert list(copy.iterdir()) == []
