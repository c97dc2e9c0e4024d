import subprocess
import sys

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from fxnorm.digests import digest
from stages.tracking import EXPERIMENT, main_checkout, stage_run


def _runs(root):
    client = MlflowClient(tracking_uri=f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return client, client.search_runs([experiment.experiment_id])


@pytest.fixture(autouse=True)
def default_store(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)


def test_a_stage_is_one_run_with_params_metrics_and_artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bold-idea")
    (tmp_path / "songs").mkdir()
    with stage_run("features", {"eq": {"boost": 24}, "seed": 1}, root=tmp_path) as run:
        run.metrics({"loss": {"train": 2.0, "note": "text", "nan": float("nan")}}, step=3)
        run.figure(matplotlib.figure.Figure(), "curves")
        run.table(pd.DataFrame({"a": [1]}), "table")
        run.excerpt(np.zeros((100, 2), np.float32), 44100, "silence")
        run.dataset("songs", tmp_path / "songs", "training")
    client, (logged,) = _runs(tmp_path)
    assert logged.info.run_name == "features/bold-idea"
    assert logged.info.status == "FINISHED"
    assert logged.data.params == {"eq.boost": "24", "seed": "1"}
    assert logged.data.metrics == {"loss.train": 2.0}
    assert client.get_metric_history(logged.info.run_id, "loss.train")[0].step == 3
    assert logged.data.tags["dvc.stage"] == "features"
    assert logged.inputs.dataset_inputs[0].dataset.digest == digest(tmp_path / "songs")
    files = {path.name for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()}
    assert {"curves.png", "table.csv", "silence.flac"} <= files


def test_an_evaluation_nests_under_the_training_run_of_its_model(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("w")
    with stage_run("train@a", {}, root=tmp_path) as run:
        run.tags({"model.digest": digest(model)})
    with stage_run("evaluate@a", {}, root=tmp_path, model=model):
        pass
    _, runs = _runs(tmp_path)
    by_stage = {run.data.tags["dvc.stage"]: run for run in runs}
    parent = by_stage["evaluate@a"].data.tags["mlflow.parentRunId"]
    assert parent == by_stage["train@a"].info.run_id


def test_a_failed_stage_is_marked_failed(tmp_path):
    with pytest.raises(RuntimeError), stage_run("train@a", {}, root=tmp_path):
        raise RuntimeError
    _, (logged,) = _runs(tmp_path)
    assert logged.info.status == "FAILED"


def test_temporary_copies_log_to_the_main_checkout(tmp_path):
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    assert main_checkout(copy) == tmp_path
    with stage_run("report", {}, root=copy):
        pass
    _, runs = _runs(tmp_path)
    assert len(runs) == 1


def test_an_unusable_store_warns_and_the_stage_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://store")
    with stage_run("report", {}, root=tmp_path) as run:
        run.metrics({"a": 1})
        reached = True
    assert reached
    assert "not tracked in MLflow" in capsys.readouterr().err


def test_experiments_that_begin_together_are_all_logged(tmp_path):
    # The store does not exist yet: each process wants to make it.
    code = (
        "import sys\nfrom stages.tracking import stage_run\n"
        "with stage_run('report', {}, root=sys.argv[1]): pass"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    _, runs = _runs(tmp_path)
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
