"""`dvc repro` of the whole pipeline at a tiny scale, in a copy of this checkout."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fxnorm.audio import info, read
from fxnorm.digests import digest
from fxnorm.mixing import mix
from fxnorm.models import load

ROOT = Path(__file__).resolve().parents[2]
BASELINES = {"evaluate_baseline@dry_sum", "evaluate_baseline@normalized_sum"}
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
    params["networks"]["automix"] |= TINY_AUTOMIX
    params["networks"]["wave-u-net"]["levels"] = 2
    short = {"steps_per_epoch": 2, "sequence_s": 1.0, "schedule": [{"epochs": 1}]}
    params["training"] |= short
    for system in (params["pretraining"], *params["systems"].values()):
        system["training"] = {k: v for k, v in system["training"].items() if k not in short}
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
    kept_by_git = (".gitignore", ".gitkeep")
    hidden = [path for path in (checkout / "data").rglob(".*") if path.name not in kept_by_git]
    assert hidden == []


def test_a_change_reruns_what_depends_on_it_and_nothing_else(checkout):
    evaluations = {f"evaluate@{name}" for name in SYSTEMS} | BASELINES
    assert _changed(checkout, ["evaluation", "resamples"], 101) == {*evaluations, "report"}
    after = _changed(checkout, ["systems", "ours_S_La", "training", "learning_rate"], 1e-4)
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
    params["systems"]["wun_S_Lb"]["training"]["augmentation"] = {"drop_stem": 0.5}
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


def _tracked(folder, query="", database="mlflow.db"):
    """A client of the store in a checkout, and the runs that a filter finds, last first."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / database}")
    experiment = client.get_experiment_by_name("fxnorm")
    return client, client.search_runs([experiment.experiment_id], query, max_results=200)


def _commit(folder):
    _run(folder, "git", "add", "-A")
    _run(folder, "git", "commit", "-qm", "run", "--allow-empty")


def test_temporary_experiments_are_tracked_in_the_main_checkout(checkout):
    _commit(checkout)
    run = ("dvc", "exp", "run", "--temp", "-S")
    _run(checkout, *run, "listening.fade_ms=5", "-n", "trial")
    shown = _run(checkout, "dvc", "exp", "show", "--json").stdout
    assert "trial" in shown
    _, runs = _tracked(checkout, "tags.`dvc.exp_name` = 'trial'")
    # Nothing but the stage that reads the changed parameter ran.
    assert [run.info.run_name for run in runs] == ["stimuli/trial"]
    assert yaml.safe_load((checkout / "params.yaml").read_text())["listening"]["fade_ms"] != 5

    # Nor does another store lose anything with the copy in which the experiment ran.
    _run(checkout, *run, "listening.fade_ms=6", MLFLOW_TRACKING_URI="sqlite:///build/my.db")
    client, (stimuli,) = _tracked(checkout, database="build/my.db")
    assert Path(stimuli.info.artifact_uri.removeprefix("file://")).is_dir()
    assert f"{checkout}/build/mlartifacts/" in stimuli.info.artifact_uri
    assert client.list_artifacts(stimuli.info.run_id)


def test_every_stage_is_a_run_and_evaluations_nest_under_their_training(checkout):
    _, runs = _tracked(checkout)
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


def test_a_training_run_has_settings_and_outcome_in_one_row(checkout):
    client, runs = _tracked(checkout, "tags.`dvc.stage` LIKE 'train@%'")
    names = ("spectral", "panning", "dynamics", "mean")
    for system in SYSTEMS:
        run = next(one for one in reversed(runs) if one.data.tags["system"] == system)
        written = json.loads((checkout / f"reports/evaluation/{system}/headline.json").read_text())
        for test_set in ("wet", "dry"):
            for name in names:
                logged = run.data.metrics[f"{test_set}/{name}"]
                assert logged == pytest.approx(written[test_set][name], rel=1e-3)
        own = yaml.safe_load((checkout / "params.yaml").read_text())["systems"][system]
        assert float(run.data.params["training.learning_rate"]) == own["training"]["learning_rate"]
        assert run.data.params["network.kind"] == own["network"]["kind"]
        assert not [key for key in run.data.params if key.startswith("systems")]
        digests = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
        assert digests == {
            name: digest(checkout / "data/normalized" / name) for name in ("train", "valid")
        }
    _, evaluations = _tracked(checkout, "tags.`dvc.stage` = 'evaluate@ours_S_Lb'")
    assert {one.dataset.name for one in evaluations[0].inputs.dataset_inputs} == {"wet", "dry"}
    excerpts = client.list_artifacts(evaluations[0].info.run_id, "audio")
    assert {path.path[:10] for path in excerpts} == {"audio/wet_", "audio/dry_"}
    sizes = [path.stat().st_size for path in (checkout / "mlartifacts").rglob("*")]
    assert max(sizes) < 2_000_000


def test_the_filters_in_the_documentation_find_runs(checkout):
    page = (ROOT / "docs/tracking.md").read_text()
    table = page.partition("| filter | finds |")[2].partition("\n\n")[0]
    filters = [line.split("`")[1] for line in table.splitlines() if "`" in line]
    found = {query: len(_tracked(checkout, query)[1]) for query in filters}
    # Those of a test's copy differ from its commit, as its params are smaller.
    assert {query for query, count in found.items() if not count} <= {"tags.git.dirty = 'false'"}
    assert len(found) > 3


def test_the_training_view_has_an_address(checkout):
    server = "http://127.0.0.1:9"
    client, _ = _tracked(checkout)
    experiment = client.get_experiment_by_name("fxnorm").experiment_id
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.ui"],
        cwd=checkout,
        env=os.environ | {"MLFLOW_PORT": str(port), "MLFLOW_TRACKING_URI": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        first = process.stdout.readline()
        assert first.startswith(f"Training runs: {address}/#/experiments/{experiment}/runs?")
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/health").close()
                break
            except OSError:
                time.sleep(0.1)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    failed = _run(
        checkout, sys.executable, "-m", "stages.ui", check=False, MLFLOW_TRACKING_URI=server
    )
    assert (failed.returncode, len(failed.stderr.splitlines())) == (2, 1)
    assert failed.stderr.startswith("ui: MLflow's store: ")


def test_dvc_gets_a_model_by_its_name(checkout, tmp_path):
    _commit(checkout)
    _run(checkout, "git", "tag", "-a", "ours_S_Lb@v1.0.0", "-m", "First model")
    _run(tmp_path, "git", "clone", "-q", str(checkout), "clone")
    got = tmp_path / "clone/best"
    words = ("dvc", "artifacts", "get", str(checkout), "ours_S_Lb", "--rev", "v1.0.0")
    _run(got.parent, *words, "-o", "best")
    model = checkout / "models/ours_S_Lb"
    names = sorted(path.name for path in model.iterdir())
    assert sorted(path.name for path in got.iterdir()) == names
    assert all((got / name).read_bytes() == (model / name).read_bytes() for name in names)
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]
    systems = yaml.safe_load((ROOT / "params.yaml").read_text())["systems"]
    assert set(listed) == set(systems)
    for system, entry in listed.items():
        assert (entry["path"], entry["type"]) == (f"models/{system}", "model")
        assert entry["desc"]
        assert systems[system]["training"]["loss"]["kind"] in entry["labels"]


def test_dvc_commands_give_useful_answers(checkout):
    metrics = json.loads(_run(checkout, "dvc", "metrics", "show", "--json").stdout)
    files = metrics[""]["data"]
    compared = {"spectral", "panning", "dynamics", "mean"}
    for name in (*SYSTEMS, "normalized_sum"):
        shown = files[f"reports/evaluation/{name}/headline.json"]["data"]
        assert {test_set: set(shown[test_set]) for test_set in shown} == {
            "wet": compared,
            "dry": compared,
        }
    assert len(files) == len(SYSTEMS) + 2
    assert "features" in _run(checkout, "dvc", "dag").stdout
    _run(checkout, "dvc", "plots", "show", "--out", "plots")
    page = (checkout / "plots/index.html").read_text()
    for shown in ("distributions_dry.png", "Average spectrum of each stem type"):
        assert shown in page
    for name in ("pretrained", *SYSTEMS):
        assert f"reports/losses/{name}.csv" in page or f"reports_losses_{name}" in page


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


@pytest.mark.parametrize("module", ["normalize", "evaluate", "train", "extra_songs"])
def test_a_stage_without_its_argument_says_what_it_takes(checkout, module):
    done = _run(checkout, sys.executable, "-m", f"stages.{module}", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: python -m stages.{module} <")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("stages.evaluate", "mine"), "params.yaml: systems has no 'mine'"),
        (("stages.normalize", "tests"), "there is no partition 'tests'"),
    ],
)
def test_an_argument_that_does_not_exist_is_named(checkout, words, message):
    done = _run(checkout, sys.executable, "-m", *words, check=False)
    assert (done.returncode, message in done.stderr) == (2, True)
    assert len(done.stderr.splitlines()) == 1


def _set(folder, **changes):
    """Change params by dotted key, with `__` for the dots."""
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        *sections, last = key.split("__")
        section = params
        for name in sections:
            section = section[name]
        section[last] = value
    path.write_text(yaml.safe_dump(params, sort_keys=False))


def _ran(folder):
    """Stages that `dvc repro` runs, not those it takes from the run cache."""
    lines = _run(folder, "dvc", "repro").stdout.splitlines()
    return {line.split("'")[1] for line in lines if line.startswith("Running stage")}


def test_the_listening_test_leaves_faulty_songs_out(checkout):
    before = (checkout / "params.yaml").read_text()
    broken = checkout / "data/raw/dry/faulty"
    broken.mkdir()
    (broken / "bass.wav").write_bytes(b"RIFF")
    stimuli = (sys.executable, "-m", "stages.stimuli")
    try:
        done = _run(checkout, *stimuli, check=False)
        assert (done.returncode, "skip_faulty" in done.stderr) == (2, True)
        _set(checkout, dataset__skip_faulty=True)
        assert "skipped faulty" in _run(checkout, *stimuli).stderr
    finally:
        shutil.rmtree(broken)
        (checkout / "params.yaml").write_text(before)


def test_changing_back_takes_every_stage_from_the_run_cache(checkout):
    before = (checkout / "params.yaml").read_text()
    _set(checkout, systems__wun_S_Lb__training__learning_rate=1e-4, report__seconds=2.0)
    expected = {"train@wun_S_Lb", "evaluate@wun_S_Lb", "report", "stimuli"}
    assert _ran(checkout) == expected
    (checkout / "params.yaml").write_text(before)
    assert _ran(checkout) == set()
    assert _would_run(checkout) == set()


def test_a_fourth_system_is_one_entry_in_params(checkout):
    before = (checkout / "params.yaml").read_text()
    mine = {
        "name": "My own",
        "network": {"kind": "automix", "hidden": 16},
        "training": {"learning_rate": 1e-3, "loss": {"kind": "stereo-a"}},
    }
    _set(checkout, systems__mine=mine)
    try:
        assert _ran(checkout) == {"train@mine", "evaluate@mine", "report", "stimuli"}
        for test_set in ("wet", "dry"):
            assert "My own" in (checkout / f"reports/tables/{test_set}.md").read_text()
        assert (checkout / "reports/figures/training_mine.png").is_file()
        assert "My own" in (checkout / "reports/index.html").read_text()
        key = pd.read_csv(checkout / "reports/listening/key.csv")
        assert "mine" in set(key["system"])
        assert _would_run(checkout) == set()
    finally:
        (checkout / "params.yaml").write_text(before)
    _run(checkout, "dvc", "repro")
    # What the removed system left behind is not in the tables.
    assert "My own" not in (checkout / "reports/tables/dry.md").read_text()


def test_extra_roots_are_dependencies(checkout, tmp_path):
    before = (checkout / "params.yaml").read_text()
    root = tmp_path / "private_songs"
    song = sorted((checkout / "data/raw/wet/train").iterdir())[0]
    shutil.copytree(song, root / "train" / "private")
    _set(checkout, dataset__extra_roots=[str(root)])
    try:
        assert f"extra_songs@{root}" in _would_run(checkout)
        _run(checkout, "dvc", "repro", "features")
        assert not {"features", f"extra_songs@{root}"} & _would_run(checkout)
        shutil.copyfile(root / "train/private/bass.wav", root / "train/private/drums.wav")
        assert f"extra_songs@{root}" in _would_run(checkout)
        done = _run(checkout, "dvc", "repro", "features").stdout
        assert "Running stage 'features'" in done
    finally:
        (checkout / "params.yaml").write_text(before)
        shutil.rmtree(checkout / "data/extra_songs")
        _run(checkout, "git", "checkout", "data/extra_songs")
        _run(checkout, "dvc", "repro")


def test_five_stems_go_through_the_pipeline_and_a_mix(checkout, tmp_path):
    folder = tmp_path / "five"
    folder.mkdir()
    _copy(folder)
    shutil.copyfile(checkout / "params.yaml", folder / "params.yaml")
    shutil.copytree(checkout / "data/raw", folder / "data/band")
    for other in (folder / "data/band").rglob("other.wav"):
        shutil.copyfile(other, other.with_name("guitar.wav"))
    params = yaml.safe_load((folder / "params.yaml").read_text())
    guitar = {"stems": params["stems"] | {"guitar": {"attack_ms": 5.0}}}
    params |= guitar | {"systems": {"ours_S_La": params["systems"]["ours_S_La"]}}
    rooms = {
        key: value.replace("raw", "band")
        for key, value in params["dataset"].items()
        if isinstance(value, str)
    }
    params["dataset"] |= rooms
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    _run(folder, "dvc", "repro", "report", "stimuli")
    assert list((folder / "data/normalized/dry").glob("*/guitar.wav"))
    assert "| guitar |" in (folder / "reports/tables/stems.md").read_text()
    model = load(folder / "models/ours_S_La")
    assert model.config.stems == tuple(params["stems"])
    song = next((folder / "data/band/dry").iterdir())
    stems = {name: read(song / f"{name}.wav")[0] for name in params["stems"]}
    mixed = mix(stems, 44_100, model)
    assert np.isfinite(mixed).all()
    silent = mix(stems | {"guitar": np.zeros_like(stems["guitar"])}, 44_100, model)
    assert not np.allclose(mixed, silent)
