"""One run of the pipeline at a tiny scale, which every module of tests gets a copy of."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_checkout import copy_checkout, run, shrink


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """A checkout after `dvc repro`; nobody changes it. Processes of pytest-xdist share it."""
    session = tmp_path_factory.getbasetemp()
    folder = (session.parent if "PYTEST_XDIST_WORKER" in os.environ else session) / "finished_run"
    finished = folder.with_suffix(".ok")
    with FileLock(folder.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            copy_checkout(folder)
            shrink(folder / "params.yaml")
            run(folder, "dvc", "repro", LOKY_MAX_CPU_COUNT="2", FXNORM_TRACKING="on")
            finished.touch()
    return folder


@pytest.fixture(scope="module")
def checkout(finished_run, tmp_path_factory) -> Path:
    """A copy of the finished run that a module's tests may change."""
    folder = tmp_path_factory.mktemp("checkout") / "fxnorm"
    return Path(shutil.copytree(finished_run, folder, symlinks=True))
