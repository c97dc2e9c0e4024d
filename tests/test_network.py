"""No part of a run asks the network, unless it is told to."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE

ROOT = Path(__file__).resolve().parents[1]
GUARD = Path(__file__).with_name("network_guard")
MIX = ["-m", "fxnorm", "mix", "--bass", "bass.wav", "--page", "mix.html", "-o", "mix.wav"]
#: A stage's log, which takes MLflow, and a figure, which looks for fonts.
STAGE = """
import os, matplotlib.pyplot, pandas
from stages.tracking import stage_run
with stage_run("stage", {"a": 1}, root=os.getcwd()) as run:
    run.metrics({"a": 1.0})
    run.table(pandas.DataFrame({"a": [1]}), "table")
    run.figure(matplotlib.pyplot.figure(), "figure")
"""


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["-c", "import socket; socket.create_connection(('192.0.2.1', 9), 0.01)"], None),
        (["-c", "import socket; socket.getaddrinfo('example.org', 80)"], None),
        (MIX, "mix.html"),
        (["-c", STAGE], "mlflow.db"),
        (["-m", "dvc", "status"], "dvc.yaml"),
    ],
)
def test_nobody_asks_the_network(words, output, tmp_path):
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    write(tmp_path / "bass.wav", 0.3 * np.sin(2 * np.pi * 110 * time_s), SAMPLE_RATE)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    log = tmp_path / "network.log"
    settings = {"PYTHONPATH": f"{GUARD}:{ROOT}", "NETWORK_LOG": str(log)}
    # What continuous integration sets keeps DVC quiet, too.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if output is None:
        assert log.read_text()
    else:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / output).exists()
        assert not log.exists(), log.read_text()
