"""`dvc repro` of the whole pipeline at a tiny scale, in a copy of this checkout."""

import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file
from tiny_checkout import ROOT, SYSTEMS, copy_checkout, ran, run, set_params, would_run

from fxnorm.audio import info, read
from fxnorm.digests import digest
from fxnorm.mixing import mix
from fxnorm.models import load

BASELINES = {"evaluate_baseline@dry_sum", "evaluate_baseline@normalized_sum"}


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
        return would_run(folder)
    finally:
        path.write_text(before)


@contextmanager
def _kept(checkout, tmp_path, *names):
    """Put files and folders of the checkout back at the end, sooner than stages make them again."""
    for name in names:
        _copy(checkout / name, tmp_path / "kept" / name)
    try:
        yield
    finally:
        for name in names:
            _copy(tmp_path / "kept" / name, checkout / name)


def _copy(source, target):
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


#: What `train wun_S_Lb` writes, and the params.
TRAINED = ("params.yaml", "models/wun_S_Lb", "reports/training/wun_S_Lb", "reports/losses")


@pytest.fixture
def refused(checkout, monkeypatch, capfd):
    """A function that runs a stage's module here and gives the one line with which it ends."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("fxnorm.scratch._place", None)
    monkeypatch.chdir(checkout)

    def end(module, *words, **variables):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", [module, *words])
            with pytest.raises(SystemExit) as ended:
                runpy.run_module(module, run_name="__main__")
        assert ended.value.code == 2
        (line,) = capfd.readouterr().err.strip().splitlines()
        return line

    yield end
    signal.signal(signal.SIGTERM, handler)


def test_every_stage_leaves_its_outputs(checkout):
    for name in ("vocals", "bass", "drums", "other", "mixture"):
        for partition in ("train", "valid", "test", "dry"):
            assert list((checkout / "data/normalized" / partition).glob(f"*/{name}.wav"))
    for system in SYSTEMS:
        files = {path.name for path in (checkout / "models" / system).iterdir()}
        assert files == {"model.safetensors", "config.json", "features.npz", "rooms"}
        scores = pd.read_csv(checkout / "reports/evaluation" / system / "metrics.csv")
        assert set(scores["test_set"]) == {"wet", "dry"}
        assert scores["song"].nunique() == 2
    dry_sum = pd.read_csv(checkout / "reports/evaluation/dry_sum/metrics.csv")
    assert set(dry_sum["test_set"]) == {"dry"}
    stems = (checkout / "reports/tables/stems.md").read_text()
    assert all(f"| {stem} |" in stems for stem in ("vocals", "bass", "drums", "other"))
    table = (checkout / "reports/tables/dry.md").read_text()
    for name in ("Dry sum", "Normalised sum", "Ours-S-Lb", "WUN-S-Lb", "Human"):
        assert name in table
    page = (checkout / "reports/index.html").read_text()
    assert "Ours-S-Lb" in page
    assert 'src="http' not in page
    assert (checkout / "reports/listening/key.csv").is_file()
    assert not (checkout / "reports/listening/hosted/key.csv").exists()
    statistics = json.loads((checkout / "reports/data/statistics.json").read_text())
    assert statistics


def test_nothing_is_left_to_do_and_no_unfinished_work_remains(checkout):
    assert would_run(checkout) == set()
    leftovers = checkout / ".checkpoints"
    assert not [path for path in leftovers.rglob("*") if path.is_file()]
    kept_by_git = (".gitignore", ".gitkeep")
    hidden = [path for path in (checkout / "data").rglob(".*") if path.name not in kept_by_git]
    assert hidden == []


def test_a_change_reruns_what_depends_on_it_and_nothing_else(checkout):
    evaluations = {f"evaluate@{name}" for name in SYSTEMS} | BASELINES
    assert _changed(checkout, ["evaluation", "resamples"], 101) == {*evaluations, "report"}
    after = _changed(checkout, ["systems", "ours_S_Lb", "training", "learning_rate"], 1e-4)
    assert {name for name in after if name.startswith("train")} == {"train@ours_S_Lb"}
    assert "normalize@train" not in after
    assert "pretrain" not in after


def test_a_second_training_gives_the_same_weights(checkout):
    weights = checkout / "models/ours_S_Lb/model.safetensors"
    before = weights.read_bytes()
    run(checkout, sys.executable, "-m", "stages.train", "ours_S_Lb")
    assert weights.read_bytes() == before


def test_stems_left_out_take_their_wet_signal_out_of_the_target(checkout, tmp_path):
    weights = checkout / "models/wun_S_Lb/model.safetensors"
    before = weights.read_bytes()
    with _kept(checkout, tmp_path, *TRAINED):
        set_params(checkout, systems__wun_S_Lb__training__augmentation={"drop_stem": 0.5})
        run(checkout, sys.executable, "-m", "stages.train", "wun_S_Lb")
        assert weights.read_bytes() != before


def test_a_training_whose_width_cannot_be_set_is_not_lost(checkout, tmp_path):
    train = (sys.executable, "-m", "stages.train", "wun_S_Lb")
    with _kept(checkout, tmp_path, *TRAINED):
        # It diverges, and then mixes in mono.
        set_params(checkout, systems__wun_S_Lb__training__learning_rate=1e6)
        done = run(checkout, *train, check=False)
        assert (done.returncode, "mixes no validation song in stereo" in done.stderr) == (2, True)
        set_params(checkout, systems__wun_S_Lb__training__calibrate_width=None)
        assert "wun_S_Lb: resumed at step 2\n" in run(checkout, *train).stderr


def test_the_report_says_whether_the_test_songs_are_the_papers(checkout, tmp_path):
    published = checkout / "reports/tables/published.md"
    assert "Not comparable as numbers" in published.read_text("utf-8")
    with _kept(checkout, tmp_path, "params.yaml", "reports"):
        set_params(checkout, report__same_songs=True)
        run(checkout, sys.executable, "-m", "stages.report")
        assert "Comparable with care" in published.read_text("utf-8")


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
        run(checkout, *normalize)
        assert {info(file).subtype for file in folder.rglob("*.wav")} == {"FLOAT"}
    finally:
        path.write_text(before)
    kill_after_the_first_song()
    run(checkout, *normalize)
    assert digest(folder) == expected


def test_the_environment_says_where_to_work(checkout, tmp_path, refused):
    train = (sys.executable, "-m", "stages.train", "wun_S_Lb")
    weights = checkout / "models/wun_S_Lb/model.safetensors"
    one = load_file(weights)
    with _kept(checkout, tmp_path, *TRAINED):
        run(checkout, *train, FXNORM_DEVICES="2")
        # Two processes share a batch: what they train differs by rounding alone.
        for name, value in load_file(weights).items():
            np.testing.assert_allclose(value, one[name], rtol=1e-3, atol=5e-4)
    assert "FXNORM_DEVICES is 'two'" in refused(*train[2:], FXNORM_DEVICES="two")
    done = run(checkout, *train, check=False, FXNORM_ACCELERATOR="cuda", CUDA_VISIBLE_DEVICES="")
    assert (done.returncode, "device not available" in done.stderr) == (2, True)
    normalize = (sys.executable, "-m", "stages.normalize", "test")
    nobody = {"FXNORM_DASK": "tcp://127.0.0.1:9", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    done = run(checkout, *normalize, check=False, **nobody)
    assert (done.returncode, "no Dask scheduler answers" in done.stderr) == (2, True)


def _tracked(folder, query="", database="mlflow.db"):
    """A client of the store in a checkout, and the runs that a filter finds, last first."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / database}")
    experiment = client.get_experiment_by_name("fxnorm")
    return client, client.search_runs([experiment.experiment_id], query, max_results=200)


def _commit(folder):
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "run", "--allow-empty")


def test_temporary_experiments_are_tracked_in_the_main_checkout(checkout):
    _commit(checkout)
    experiment = ("dvc", "exp", "run", "--temp", "-S")
    run(checkout, *experiment, "listening.fade_ms=5", "-n", "trial", FXNORM_TRACKING="on")
    shown = run(checkout, "dvc", "exp", "show", "--json").stdout
    assert "trial" in shown
    _, runs = _tracked(checkout, "tags.`dvc.exp_name` = 'trial'")
    # Nothing but the stage that reads the changed parameter ran.
    assert [run.info.run_name for run in runs] == ["stimuli/trial"]
    assert yaml.safe_load((checkout / "params.yaml").read_text())["listening"]["fade_ms"] != 5

    # Nor does another store lose anything with the copy in which the experiment ran.
    elsewhere = {"FXNORM_TRACKING": "on", "MLFLOW_TRACKING_URI": "sqlite:///build/my.db"}
    run(checkout, *experiment, "listening.fade_ms=6", **elsewhere)
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
        row = next(one for one in reversed(runs) if one.data.tags["system"] == system)
        written = json.loads((checkout / f"reports/evaluation/{system}/headline.json").read_text())
        for test_set in ("wet", "dry"):
            for name in names:
                logged = row.data.metrics[f"{test_set}/{name}"]
                assert logged == pytest.approx(written[system][test_set][name], rel=1e-3)
        own = yaml.safe_load((checkout / "params.yaml").read_text())["systems"][system]
        assert float(row.data.params["training.learning_rate"]) == own["training"]["learning_rate"]
        assert row.data.params["network.kind"] == own["network"]["kind"]
        assert not [key for key in row.data.params if key.startswith("systems")]
        digests = {one.dataset.name: one.dataset.digest for one in row.inputs.dataset_inputs}
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
    failed = run(
        checkout, sys.executable, "-m", "stages.ui", check=False, MLFLOW_TRACKING_URI=server
    )
    assert (failed.returncode, len(failed.stderr.splitlines())) == (2, 1)
    assert failed.stderr.startswith("ui: MLflow's store: ")


def test_dvc_gets_a_model_by_its_name(checkout, tmp_path):
    _commit(checkout)
    run(checkout, "git", "tag", "-a", "ours_S_Lb@v1.0.0", "-m", "First model")
    run(tmp_path, "git", "clone", "-q", str(checkout), "clone")
    got = tmp_path / "clone/best"
    words = ("dvc", "artifacts", "get", str(checkout), "ours_S_Lb", "--rev", "v1.0.0")
    run(got.parent, *words, "-o", "best")
    model = checkout / "models/ours_S_Lb"
    files, fetched = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (model, got)
    )
    assert fetched == files
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]
    systems = yaml.safe_load((ROOT / "params.yaml").read_text())["systems"]
    assert set(listed) <= set(systems)
    for system, entry in listed.items():
        assert (entry["path"], entry["type"]) == (f"models/{system}", "model")
        assert entry["desc"]
        assert systems[system]["training"]["loss"]["kind"] in entry["labels"]


def test_dvc_commands_give_useful_answers(checkout):
    metrics = json.loads(run(checkout, "dvc", "metrics", "show", "--json").stdout)
    files = metrics[""]["data"]
    compared = {"spectral", "panning", "dynamics", "mean"}
    for name in (*SYSTEMS, "normalized_sum"):
        shown = files[f"reports/evaluation/{name}/headline.json"]["data"][name]
        assert {test_set: set(shown[test_set]) for test_set in shown} == {
            "wet": compared,
            "dry": compared,
        }
    assert len(files) == len(SYSTEMS) + 2
    assert "features" in run(checkout, "dvc", "dag").stdout
    run(checkout, "dvc", "plots", "show", "--out", "plots")
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
def test_wrong_input_of_a_stage_is_one_line_and_code_2(checkout, refused, change, message):
    path = checkout / "params.yaml"
    before = path.read_text()
    params = yaml.safe_load(before)
    for section, values in change.items():
        params[section] |= values
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        assert message in refused("stages.features")
    finally:
        path.write_text(before)


def test_a_copy_of_the_checkout_uses_its_own_library(checkout):
    probe = "import fxnorm; print(fxnorm.__file__)"
    (checkout / "stages/probe.py").write_text(probe)
    try:
        done = run(checkout, sys.executable, "-m", "stages.probe")
    finally:
        (checkout / "stages/probe.py").unlink()
    assert Path(done.stdout.strip()).is_relative_to(checkout)


@pytest.mark.parametrize("module", ["normalize", "evaluate", "train", "extra_songs"])
def test_a_stage_without_its_argument_says_what_it_takes(refused, module):
    assert refused(f"stages.{module}").startswith(f"usage: python -m stages.{module} <")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("stages.evaluate", "mine"), "params.yaml: systems has no 'mine'"),
        (("stages.normalize", "tests"), "there is no partition 'tests'"),
    ],
)
def test_an_argument_that_does_not_exist_is_named(refused, words, message):
    assert message in refused(*words)


def test_the_listening_test_leaves_faulty_songs_out(checkout):
    before = (checkout / "params.yaml").read_text()
    broken = checkout / "data/raw/dry/faulty"
    broken.mkdir()
    (broken / "bass.wav").write_bytes(b"RIFF")
    stimuli = (sys.executable, "-m", "stages.stimuli")
    try:
        done = run(checkout, *stimuli, check=False)
        assert (done.returncode, "skip_faulty" in done.stderr) == (2, True)
        set_params(checkout, dataset__skip_faulty=True)
        assert "skipped faulty" in run(checkout, *stimuli).stderr
    finally:
        shutil.rmtree(broken)
        (checkout / "params.yaml").write_text(before)


def test_changing_back_takes_every_stage_from_the_run_cache(checkout):
    before = (checkout / "params.yaml").read_text()
    set_params(checkout, systems__wun_S_Lb__training__learning_rate=1e-4, report__seconds=2.0)
    expected = {"train@wun_S_Lb", "evaluate@wun_S_Lb", "report", "stimuli"}
    assert ran(checkout) == expected
    (checkout / "params.yaml").write_text(before)
    assert ran(checkout) == set()
    assert would_run(checkout) == set()


def test_another_system_is_one_entry_in_params(checkout):
    before = (checkout / "params.yaml").read_text()
    mine = {
        "name": "My own",
        "network": {"kind": "automix", "hidden": 16},
        "training": {"learning_rate": 1e-3, "loss": {"kind": "stereo-a"}},
    }
    set_params(checkout, systems__mine=mine)
    try:
        assert ran(checkout) == {"train@mine", "evaluate@mine", "report", "stimuli"}
        for test_set in ("wet", "dry"):
            assert "My own" in (checkout / f"reports/tables/{test_set}.md").read_text()
        assert (checkout / "reports/figures/training_mine.png").is_file()
        assert "My own" in (checkout / "reports/index.html").read_text()
        key = pd.read_csv(checkout / "reports/listening/key.csv")
        assert "mine" in set(key["system"])
        assert would_run(checkout) == set()
    finally:
        (checkout / "params.yaml").write_text(before)
    run(checkout, "dvc", "repro")
    # What the removed system left behind is not in the tables.
    assert "My own" not in (checkout / "reports/tables/dry.md").read_text()


def test_extra_roots_are_dependencies(checkout, tmp_path):
    before = (checkout / "params.yaml").read_text()
    root = tmp_path / "private_songs"
    song = sorted((checkout / "data/raw/wet/train").iterdir())[0]
    shutil.copytree(song, root / "train" / "private")
    set_params(checkout, dataset__extra_roots=[str(root)])
    try:
        assert f"extra_songs@{root}" in would_run(checkout)
        run(checkout, "dvc", "repro", "features")
        assert not {"features", f"extra_songs@{root}"} & would_run(checkout)
        shutil.copyfile(root / "train/private/bass.wav", root / "train/private/drums.wav")
        assert f"extra_songs@{root}" in would_run(checkout)
        done = run(checkout, "dvc", "repro", "features").stdout
        assert "Running stage 'features'" in done
    finally:
        (checkout / "params.yaml").write_text(before)
        shutil.rmtree(checkout / "data/extra_songs")
        run(checkout, "git", "checkout", "data/extra_songs")
        run(checkout, "dvc", "repro")


def test_five_stems_go_through_the_pipeline_and_a_mix(checkout, tmp_path):
    folder = tmp_path / "five"
    folder.mkdir()
    copy_checkout(folder)
    shutil.copyfile(checkout / "params.yaml", folder / "params.yaml")
    shutil.copytree(checkout / "data/raw", folder / "data/band")
    for other in (folder / "data/band").rglob("other.wav"):
        shutil.copyfile(other, other.with_name("guitar.wav"))
    params = yaml.safe_load((folder / "params.yaml").read_text())
    guitar = {"stems": params["stems"] | {"guitar": {"attack_ms": 5.0}}}
    params |= guitar | {"systems": {"ours_S_Lb": params["systems"]["ours_S_Lb"]}}
    rooms = {
        key: value.replace("raw", "band")
        for key, value in params["dataset"].items()
        if isinstance(value, str)
    }
    params["dataset"] |= rooms
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    run(folder, "dvc", "repro", "report", "stimuli")
    assert list((folder / "data/normalized/dry").glob("*/guitar.wav"))
    assert "| guitar |" in (folder / "reports/tables/stems.md").read_text()
    run(folder, "dvc", "plots", "show", "--out", "plots")
    assert '"stem": "guitar"' in (folder / "plots/index.html").read_text()
    model = load(folder / "models/ours_S_Lb")
    assert model.config.stems == tuple(params["stems"])
    song = next((folder / "data/band/dry").iterdir())
    stems = {name: read(song / f"{name}.wav")[0] for name in params["stems"]}
    mixed = mix(stems, 44_100, model)
    assert np.isfinite(mixed).all()
    silent = mix(stems | {"guitar": np.zeros_like(stems["guitar"])}, 44_100, model)
    assert not np.allclose(mixed, silent)
