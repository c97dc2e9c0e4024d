import shutil
import sqlite3
from pathlib import Path

import pytest

from fxnorm.tracking import call_limit_s, open_store


@pytest.fixture(autouse=True)
def own_limits(monkeypatch):
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def _log(store, text):
    run = store.client.create_run(store.experiment_id)
    store.client.log_text(run.info.run_id, text, "note.txt")
    return run.info.run_id


def _read(store, run):
    # Not by the client, which remembers the places of runs over all stores of a process.
    place = store.client.get_run(run).info.artifact_uri
    path = Path(place.removeprefix("file://")) / "note.txt"
    return path, path.read_text()


@pytest.mark.parametrize("keep_original", [True, False])
def test_a_moved_or_copied_checkout_has_its_artifacts_with_it(tmp_path, keep_original):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    first = _log(open_store(old, None), "first")
    shutil.copytree(old, new) if keep_original else shutil.move(old, new)
    before = sorted(path.name for path in old.rglob("*"))

    store = open_store(new, None)
    assert store.notice == (
        f"{new}/mlflow.db came from {old}: artifacts go to {new}/mlartifacts now"
    )
    second = _log(store, "second")
    for run, text in ((first, "first"), (second, "second")):
        path, found = _read(store, run)
        assert (found, path.is_relative_to(new)) == (text, True)
    assert sorted(path.name for path in old.rglob("*")) == before
    assert open_store(new, None).notice is None


def test_artifacts_that_stayed_behind_are_still_found_and_new_ones_are_not_put_there(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    first = _log(open_store(old, None), "first")
    shutil.copy(old / "mlflow.db", new)
    store = open_store(new, None)
    assert store.notice is not None
    assert _read(store, first)[1] == "first"
    path, _ = _read(store, _log(store, "second"))
    assert path.is_relative_to(new / "mlartifacts")


def test_a_place_that_somebody_chose_is_kept(tmp_path):
    store = open_store(tmp_path, None)
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("UPDATE experiments SET artifact_location = 's3://bucket/mlartifacts'")
    again = open_store(tmp_path, None)
    assert again.notice is None
    experiment = again.client.get_experiment(store.experiment_id)
    assert experiment.artifact_location == "s3://bucket/mlartifacts"


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        (None, "sqlite:///{}/mlflow.db"),
        ("sqlite:///runs/my.db", "sqlite:///{}/runs/my.db"),
        ("sqlite:///{}/my.db", "sqlite:///{}/my.db"),
    ],
)
def test_a_store_is_the_same_from_every_folder(tmp_path, monkeypatch, uri, absolute):
    monkeypatch.chdir(tmp_path.parent)
    store = open_store(tmp_path, uri and uri.format(tmp_path))
    assert store.uri == absolute.format(tmp_path)
    database = Path(store.uri.removeprefix("sqlite:///"))
    assert database.is_file()
    location = store.client.get_experiment(store.experiment_id).artifact_location
    assert location == (database.parent.resolve() / "mlartifacts").as_uri()


def test_the_training_view_opens_first(tmp_path):
    store = open_store(tmp_path, None)
    tags = store.client.get_experiment(store.experiment_id).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_call_has_two_tries_of_ten_seconds_unless_the_user_says_otherwise(monkeypatch):
    assert call_limit_s("http://127.0.0.1:5000") == 2 * 10.0 + 40.0
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    assert call_limit_s("http://127.0.0.1:5000") == 5 * 3.0 + 40.0
