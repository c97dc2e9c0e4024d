"""`dvc repro` of the whole pipeline at a tiny scale, in a copy of this checkout."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from fxnorm.audio import info
from fxnorm.digests import digest

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = ("ours_S_La", "ours_S_Lb", "wun_S_Lb")
TINY_AUTOMIX = {"filters": 8, "bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1}


def _run(folder, *words, check=True, **variables):
    programs = str(Path(sys.executable).parent)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    environment |= {"PATH": programs + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    environment |= variables
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def _copy(target):
    """The checkout's files that git knows or would add, as a repository of their own."""
    listed = _run(ROOT, "git", "ls-files", "-coz", "--exclude-standard").stdout
    for name in filter(None, listed.split("\0")):
        # Results of an earlier run are not part of what is tested.
        if (ROOT / name).is_file() and not name.startswith(("dvc.lock", "reports/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    _run(target, "git", "init", "-q")
    _run(target, "git", "add", "-A")
    _run(target, "git", "config", "user.name", "test")
    _run(target, "git", "config", "user.email", "test@example.org")
    _run(target, "git", "commit", "-qm", "copy")


def _shrink(path):
    params = yaml.safe_load(path.read_text())
    params["synthesis"] |= {
        "training_songs": 3,
        "test_songs": 2,
        "duration_s": [6.0, 6.0],
        "impulse_responses": 1,
    }
    params["dataset"]["validation"] = 0.34
    params["evaluation"]["resamples"] = 100
    params["report"] |= {"songs": 1, "seconds": 3.0}
    for system in (params["pretraining"], *params["systems"].values()):
        if system["network"]["kind"] == "automix":
            system["network"] |= TINY_AUTOMIX
        else:
            system["network"] |= {"levels": 2}
        system["training"] |= {
            "steps_per_epoch": 2,
            "sequence_s": 1.0,
            "schedule": [{"epochs": 1, "learning_rate": 1e-3}],
        }
    path.write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    _copy(folder)
    _shrink(folder / "params.yaml")
    _run(folder, "dvc", "repro")
    return folder


def _would_run(folder):
    lines = _run(folder, "dvc", "repro", "--dry").stdout.splitlines()
    return {line.split("'")[1] for line in lines if line.startswith("Running stage")}


def _changed(folder, keys, value):
    """Stages that `dvc repro` would run after a change of one parameter."""
    path = folder / "params.yaml"
    before = path.read_text()
    params = yaml.safe_load(before)
    section = params
    for key in keys[:-1]:
        section = section[key]
    assert section[keys[-1]] != value
    section[keys[-1]] = value
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        return _would_run(folder)
    finally:
        path.write_text(before)


def test_every_stage_leaves_its_outputs(checkout):
    for name in ("vocals", "bass", "drums", "other", "mixture"):
        for partition in ("train", "valid", "test", "dry"):
            assert list((checkout / "data/normalized" / partition).glob(f"*/{name}.wav"))
    for system in SYSTEMS:
        files = {path.name for path in (checkout / "models" / system).iterdir()}
        assert files == {"model.safetensors", "config.json", "features.npz"}
        scores = pd.read_csv(checkout / "reports/evaluation" / system / "metrics.csv")
        assert set(scores["test_set"]) == {"wet", "dry"}
        assert scores["song"].nunique() == 2
    dry_sum = pd.read_csv(checkout / "reports/evaluation/dry_sum/metrics.csv")
    assert set(dry_sum["test_set"]) == {"dry"}
    stems = (checkout / "reports/tables/stems.md").read_text()
    assert all(f"| {stem} |" in stems for stem in ("vocals", "bass", "drums", "other"))
    table = (checkout / "reports/tables/dry.md").read_text()
    for name in ("Dry sum", "Normalised sum", "Ours-S-La", "Ours-S-Lb", "WUN-S-Lb", "Human"):
        assert name in table
    page = (checkout / "reports/index.html").read_text()
    assert "Ours-S-Lb" in page
    assert 'src="http' not in page
    assert (checkout / "reports/listening/key.csv").is_file()
    assert not (checkout / "reports/listening/hosted/key.csv").exists()
    statistics = json.loads((checkout / "reports/data/statistics.json").read_text())
    assert statistics


def test_nothing_is_left_to_do_and_no_unfinished_work_remains(checkout):
    assert _would_run(checkout) == set()
    leftovers = checkout / ".checkpoints"
    assert not [path for path in leftovers.rglob("*") if path.is_file()]
    hidden = [path for path in (checkout / "data").rglob(".*") if path.name != ".gitignore"]
    assert hidden == []


def test_a_change_reruns_what_depends_on_it_and_nothing_else(checkout):
    evaluations = {f"evaluate@{name}" for name in ("dry_sum", "normalized_sum", *SYSTEMS)}
    assert _changed(checkout, ["evaluation", "resamples"], 101) == {*evaluations, "report"}
    after = _changed(checkout, ["systems", "ours_S_La", "training", "batch_size"], 1)
    assert {name for name in after if name.startswith("train")} == {"train@ours_S_La"}
    assert "normalize@train" not in after
    assert "pretrain" not in after


def test_a_second_training_gives_the_same_weights(checkout):
    weights = checkout / "models/ours_S_Lb/model.safetensors"
    before = weights.read_bytes()
    _run(checkout, sys.executable, "-m", "stages.train", "ours_S_Lb")
    assert weights.read_bytes() == before


def test_stems_left_out_take_their_wet_signal_out_of_the_target(checkout):
    path = checkout / "params.yaml"
    before = path.read_text()
    weights = (checkout / "models/wun_S_Lb/model.safetensors").read_bytes()
    params = yaml.safe_load(before)
    params["systems"]["wun_S_Lb"]["training"]["augmentation"]["drop_stem"] = 0.5
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        _run(checkout, sys.executable, "-m", "stages.train", "wun_S_Lb")
        assert (checkout / "models/wun_S_Lb/model.safetensors").read_bytes() != weights
    finally:
        path.write_text(before)
        _run(checkout, sys.executable, "-m", "stages.train", "wun_S_Lb")
    assert (checkout / "models/wun_S_Lb/model.safetensors").read_bytes() == weights


def test_a_killed_normalisation_goes_on_with_the_same_params_only(checkout):
    normalize = (sys.executable, "-m", "stages.normalize", "train")
    folder, unfinished = checkout / "data/normalized/train", checkout / ".checkpoints/normalize"
    expected = digest(folder)

    def kill_after_the_first_song():
        process = subprocess.Popen(normalize, cwd=checkout, stderr=subprocess.DEVNULL)
        while process.poll() is None and not any(path.is_file() for path in unfinished.rglob("*")):
            time.sleep(0.002)
        process.kill()
        process.wait()

    path = checkout / "params.yaml"
    before = path.read_text()
    kill_after_the_first_song()
    params = yaml.safe_load(before)
    params["output"]["subtype"] = "FLOAT"
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        _run(checkout, *normalize)
        assert {info(file).subtype for file in folder.rglob("*.wav")} == {"FLOAT"}
    finally:
        path.write_text(before)
    kill_after_the_first_song()
    _run(checkout, *normalize)
    assert digest(folder) == expected


def test_the_environment_says_where_to_train(checkout):
    train = (sys.executable, "-m", "stages.train", "wun_S_Lb")
    done = _run(checkout, *train, check=False, FXNORM_DEVICES="two")
    assert (done.returncode, "FXNORM_DEVICES is 'two'" in done.stderr) == (2, True)
    done = _run(checkout, *train, check=False, FXNORM_ACCELERATOR="cuda", CUDA_VISIBLE_DEVICES="")
    assert (done.returncode, "device not available" in done.stderr) == (2, True)


def test_a_temporary_experiment_is_tracked_in_the_main_checkout(checkout):
    from mlflow import MlflowClient

    _run(checkout, "git", "add", "-A")
    _run(checkout, "git", "commit", "-qm", "run")
    _run(checkout, "dvc", "exp", "run", "--temp", "-n", "trial", "-S", "listening.fade_ms=5")
    shown = _run(checkout, "dvc", "exp", "show", "--json").stdout
    assert "trial" in shown
    client = MlflowClient(tracking_uri=f"sqlite:///{checkout / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("fxnorm")
    runs = client.search_runs([experiment.experiment_id], "tags.`dvc.exp_name` = 'trial'")
    # Nothing but the stage that reads the changed parameter ran.
    assert [run.info.run_name for run in runs] == ["stimuli/trial"]
    assert yaml.safe_load((checkout / "params.yaml").read_text())["listening"]["fade_ms"] != 5


def test_every_stage_is_a_run_and_evaluations_nest_under_their_training(checkout):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{checkout / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("fxnorm")
    runs = client.search_runs([experiment.experiment_id], max_results=100)
    by_stage = {run.data.tags["dvc.stage"]: run for run in reversed(runs)}
    assert {"synthesize", "features", "normalize@dry", "pretrain", "report"} <= set(by_stage)
    for system in SYSTEMS:
        trained = {
            run.info.run_id for run in runs if run.data.tags["dvc.stage"] == f"train@{system}"
        }
        parent = by_stage[f"evaluate@{system}"].data.tags["mlflow.parentRunId"]
        assert parent in trained
    metrics = by_stage["train@ours_S_Lb"].data.metrics
    assert {"train/loss_mean", "valid/loss_mean"} <= set(metrics)


def test_dvc_commands_give_useful_answers(checkout):
    metrics = json.loads(_run(checkout, "dvc", "metrics", "show", "--json").stdout)
    assert "reports/evaluation/ours_S_Lb/summary.json" in json.dumps(metrics)
    assert "features" in _run(checkout, "dvc", "dag").stdout
    _run(checkout, "dvc", "plots", "show", "--out", "plots")
    page = (checkout / "plots/index.html").read_text()
    for shown in ("distributions_dry.png", "Average spectrum of each stem type", "Training of"):
        assert shown in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": {"root": "gone"}}, "gone/train: no such data set folder"),
        ({"dataset": {"rot": "x"}}, "unknown key 'dataset.rot'"),
    ],
)
def test_wrong_input_of_a_stage_is_one_line_and_code_2(checkout, change, message):
    path = checkout / "params.yaml"
    before = path.read_text()
    params = yaml.safe_load(before)
    for section, values in change.items():
        params[section] |= values
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        done = _run(checkout, sys.executable, "-m", "stages.features", check=False)
    finally:
        path.write_text(before)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert message in done.stderr


def test_a_copy_of_the_checkout_uses_its_own_library(checkout):
    probe = "import fxnorm; print(fxnorm.__file__)"
    (checkout / "stages/probe.py").write_text(probe)
    try:
        done = _run(checkout, sys.executable, "-m", "stages.probe")
    finally:
        (checkout / "stages/probe.py").unlink()
    assert Path(done.stdout.strip()).is_relative_to(checkout)
