"""MLflow's store: where it is, how long a call to it may take, and what to do when it has moved."""

import logging
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from filelock import FileLock

from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "fxnorm"
#: Tag of a training run with its model's digest, by which evaluations and the registry find it.
MODEL_DIGEST = "model.digest"

_DATABASE, _ARTIFACTS = "mlflow.db", "mlartifacts"
#: MLflow's own limits are 7 retries and 120 s.
_LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": 1, "MLFLOW_HTTP_REQUEST_TIMEOUT": 10}
#: What a call may take beside its requests: waits between them, a lock, a slow disk.
_SLACK_S = 40.0
#: A file answers as fast as the machine, which others may keep busy.
_LOCAL_LIMIT_S = 600.0
_LOCK_S = 60.0
_LONGEST_REASON = 200
#: What SQLite says on a full disk.
_FULL = "database or disk is full"
#: Shows runs, curves and comparisons first, where MLflow would show traces of language models.
_VIEW = {"mlflow.experimentKind": "custom_model_development"}
#: Where MLflow's database holds places of artifacts, by table.
_PLACES = {
    "experiments": ["artifact_location"],
    "runs": ["artifact_uri"],
    "logged_models": ["artifact_location"],
    "model_versions": ["source", "storage_location"],
}


class Store(NamedTuple):
    """An open store."""

    client: "MlflowClient"
    uri: str
    """Its tracking URI, absolute."""
    experiment_id: str
    """Of the project's experiment."""
    notice: str | None
    """A line for whoever opened it; None for nothing to say."""


def open_store(checkout: Path, uri: str | None) -> Store:
    """Open the store, and make the project's experiment when it has none.

    Artifacts of an SQLite database lie beside it. Where the two were moved or copied together,
    the absolute places that MLflow keeps in the database are mended.

    Args:
        checkout: that the default store, `mlflow.db`, and relative paths in `uri` belong to.
        uri: of another store, as in MLFLOW_TRACKING_URI; None or "" for the default.

    Raises:
        FxNormError: it can't be opened, whatever MLflow says.
    """
    prepare_mlflow()
    try:
        return _open_store(checkout, _absolute(uri or f"sqlite:///{_DATABASE}", checkout))
    except Exception as error:
        remedy = "check MLFLOW_TRACKING_URI" if uri else f"move {checkout / _DATABASE} away"
        if _FULL in str(error):
            remedy = "make room"
        raise FxNormError(f"MLflow's store: {reason(error)}; {remedy}") from error


def prepare_mlflow() -> None:
    """Import MLflow, which takes seconds, with our limits and without what it prints."""
    for name, limit in _LIMITS.items():
        os.environ.setdefault(name, str(limit))
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ.setdefault(name, "true")
    import mlflow  # noqa: F401 - sets up its loggers

    # What they have to say comes as exceptions, too.
    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def call_limit_s(uri: str | None) -> float:
    """Longest time that one call may take, in seconds.

    Args:
        uri: of the store, as for `open_store`.
    """
    if not uri or uri.startswith("sqlite:"):
        return _LOCAL_LIMIT_S
    retries, timeout = (number_from_environment(name, limit) for name, limit in _LIMITS.items())
    return (retries + 1.0) * timeout + _SLACK_S


def number_from_environment(name: str, default: float) -> float:
    """A variable's number; the default where it is not set or, as MLflow will say, no number."""
    try:
        return float(os.environ.get(name, ""))
    except ValueError:
        return default


def reason(error: Exception) -> str:
    """Why a call to the store failed, in one line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    # SQLAlchemy begins with what it was doing, in brackets.
    telling = [line for line in lines if not line.startswith("(raised as a result")]
    line = (telling or [type(error).__name__])[0].strip()
    # Of a failed request, the cause at its end, without the name of the exception around it.
    cause = re.search(r"Caused by \w+\([\"'](.*?)[\"']?\)*$", line)
    return (cause[1] if cause else line)[:_LONGEST_REASON]


def training_run(store: Store, model_digest: str) -> str | None:
    """The id of the last run that trained the model with this digest."""
    found = store.client.search_runs(
        [store.experiment_id],
        f"tags.`{MODEL_DIGEST}` = '{model_digest}' and tags.`dvc.stage` LIKE 'train@%'",
        max_results=1,
    )
    return found[0].info.run_id if found else None


def _open_store(checkout: Path, uri: str) -> Store:
    from mlflow import MlflowClient

    database = _sqlite_file(uri)
    if database is None:
        artifacts = checkout / _ARTIFACTS if _is_database(uri) else None
        return _with_experiment(MlflowClient(uri, uri), uri, artifacts)
    database.parent.mkdir(parents=True, exist_ok=True)
    # Stages that begin together must not all make the database's tables.
    with FileLock(f"{database}.lock", timeout=_LOCK_S):
        artifacts = database.parent.resolve() / _ARTIFACTS
        notice = _follow_move(database, artifacts) if database.exists() else None
        store = _with_experiment(MlflowClient(uri, uri), uri, artifacts)
        return store._replace(notice=notice)


def _with_experiment(client: "MlflowClient", uri: str, artifacts: Path | None) -> Store:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return Store(client, uri, experiment.experiment_id, None)
    location = None if artifacts is None else artifacts.as_uri()
    made = client.create_experiment(EXPERIMENT, artifact_location=location, tags=_VIEW)
    return Store(client, uri, made, None)


def _absolute(uri: str, checkout: Path) -> str:
    """A URI that means the same in every folder."""
    for scheme in ("sqlite:///", "file:", ""):
        path = uri.removeprefix(scheme)
        if uri.startswith(scheme) and not path.startswith(("/", ":memory:")) and ":" not in path:
            return f"{scheme}{(checkout / path).as_posix()}"
    return uri


def _is_database(uri: str) -> bool:
    return urlsplit(uri).scheme.partition("+")[0] in ("sqlite", "postgresql", "mysql", "mssql")


def _sqlite_file(uri: str) -> Path | None:
    prefix = "sqlite:///"
    path = uri.removeprefix(prefix).partition("?")[0]
    return Path(path) if uri.startswith(prefix) and path != ":memory:" else None


def _follow_move(database: Path, artifacts: Path) -> str | None:
    """Make the places in a database those beside it, if it was moved; what there is to say."""
    with closing(sqlite3.connect(database, timeout=_LOCK_S)) as connection, connection:
        columns = {table: _columns(connection, table) for table in _PLACES}
        if not columns["experiments"]:
            return None
        row = connection.execute(
            "SELECT artifact_location FROM experiments WHERE name = ?", [EXPERIMENT]
        ).fetchone()
        old = row[0] if row is not None and row[0] else artifacts.as_uri()
        path = Path(url2pathname(urlsplit(old).path))
        if path == artifacts or path.name != _ARTIFACTS or urlsplit(old).scheme not in ("", "file"):
            return None
        # Where earlier artifacts stayed behind, earlier runs keep their places.
        moved = list(_PLACES) if artifacts.exists() or not path.exists() else ["experiments"]
        for table in moved:
            for column in (place for place in _PLACES[table] if place in columns[table]):
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    [artifacts.as_uri(), len(old) + 1, old, len(old) + 1, f"{old}/"],
                )
    return f"{database} came from {path.parent}: artifacts go to {artifacts} now"


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
