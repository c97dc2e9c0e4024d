"""What surrounds every stage's work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from fxnorm.errors import FxNormError
from stages.common import _alone, ends_in_one_line

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_process_of_a_stage_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with _alone("train@a"):
        with _alone("train@b"):
            pass
        with pytest.raises(FxNormError, match="runs already"), _alone("train@a"):
            pass
    with _alone("train@a"):
        pass


def test_want_of_memory_ends_a_stage_in_one_line_and_other_faults_do_not(capsys):
    with pytest.raises(SystemExit) as ended, ends_in_one_line("train@a"):
        torch.empty(2**45)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("train@a: not enough memory; ")
    assert said.count("\n") == 1
    with pytest.raises(RuntimeError, match="elsewhere"), ends_in_one_line("train@a"):
        raise RuntimeError("elsewhere")


def test_a_stage_ends_when_dvc_is_killed_and_cleans_up(tmp_path):
    """A process in the place of DVC starts one that works as a stage does."""
    works = (
        "import time\n"
        "from stages.common import stage\n"
        "from fxnorm.scratch import temporary_folder\n"
        "with stage('check', ['seed']), temporary_folder('.') as folder:\n"
        "    print(folder, flush=True)\n"
        "    time.sleep(600)\n"
    )
    starts = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {works!r}])"
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    variables = {"DVC_ROOT": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", starts],
        cwd=tmp_path,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as dvc:
        folder = Path(dvc.stdout.readline().strip())
        assert folder.is_dir()
        begun = psutil.Process(dvc.pid).children(recursive=True)
        dvc.send_signal(signal.SIGKILL)
        psutil.wait_procs(begun, timeout=120)
        assert not any(process.is_running() for process in begun)
    assert not folder.exists()
