"""Runs that are killed and resumed, and runs in several processes."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from training_fixtures import (
    AUTOMIX,
    CONFIG,
    WAVE_U_NET,
    interrupted_run,
    make_songs,
    run_keep_and_fail,
    train_small,
)

from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.training import discard_checkpoint, open_songs
from fxnorm.training.checkpoint import checkpoint_path
from fxnorm.training.engine import Job
from fxnorm.training.machine import Machine, launch

TWO = Machine(accelerator="cpu", devices=2, threads=1)


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_a_killed_run_ends_with_the_bits_of_an_unbroken_one(tmp_path):
    config, machine = interrupted_run()
    songs = make_songs(tmp_path / "songs")
    whole = train_small(songs, tmp_path / "whole", config=config, machine=machine)

    checkpoint = checkpoint_path(tmp_path / "killed", "small")
    script = Path(__file__).with_name("training_fixtures.py")
    killed = 0
    for _ in range(2):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.DEVNULL)
        while process.poll() is None:
            time.sleep(0.005)
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                # Anywhere: in a step, while a checkpoint is written, in a validation.
                time.sleep(random.uniform(0.0, 0.15))
                process.kill()
                break
        killed += process.wait() == -9
    assert killed >= 1

    logs = []
    resumed = train_small(
        songs, tmp_path / "killed", config=config, machine=machine, on_epoch=logs.append
    )
    assert_equal(resumed.last, whole.last)
    assert_equal(resumed.best_mean.weights, whole.best_mean.weights)
    assert resumed.history.equals(whole.history)
    assert [log["epoch"] for log in logs] == [1, 2, 3, 4]


def test_another_fingerprint_starts_anew_and_discarding_forgets(songs, tmp_path):
    first = train_small(songs, tmp_path)
    # The finished run is found again, even by a call that could not train.
    found = train_small(songs, tmp_path, seed=6)
    assert_equal(found.last, first.last)
    other = train_small(songs, tmp_path, seed=6, fingerprint="other")
    assert not torch.equal(other.last["conv_1.weight"], first.last["conv_1.weight"])
    discard_checkpoint(tmp_path, "small")
    assert [entry.name for entry in tmp_path.iterdir()] == ["other"]


def test_fingerprints_tell_configurations_apart():
    names = {
        digest(CONFIG, WAVE_U_NET, 1, "data"),
        digest(CONFIG, WAVE_U_NET, 2, "data"),
        digest(CONFIG, WAVE_U_NET, 1, "other data"),
        digest(CONFIG.model_copy(update={"eps": 1e-7}), WAVE_U_NET, 1, "data"),
    }
    assert len(names) == 4
    assert digest(CONFIG, WAVE_U_NET, 1, "data") in names


# Gradients are means of two means: rounding, which loss A's logarithms amplify.
@pytest.mark.parametrize(("kind", "tolerance"), [("stereo-a", 1e-5), ("stereo-b", 1e-6)])
def test_two_processes_train_like_one_and_tell_their_errors(songs, tmp_path, kind, tolerance):
    loss = CONFIG.loss.model_copy(update={"kind": kind, "precision": "double"})
    # So large that the rounding of tiny gradients is not blown up.
    config = CONFIG.model_copy(update={"eps": 0.1, "loss": loss})
    single = train_small(songs, tmp_path, config=config)
    job = Job(
        "train",
        config,
        AUTOMIX,
        open_songs(songs[:-1]),
        open_songs(songs[-1:]),
        5,
        tmp_path / "two" / "checkpoint.pt",
        None,
        TWO,
        0,
    )
    logs = []
    with pytest.raises(FxNormError, match=r"^train: can't go on$"):
        launch(TWO, "32-true", run_keep_and_fail, job, logs.append)
    first, second = (torch.load(job.checkpoint.with_name(f"{rank}.pt")) for rank in (0, 1))
    assert_equal(first, second)
    for name, weights in single.last.items():
        torch.testing.assert_close(first[name], weights, rtol=0.0, atol=tolerance)
    for split in ("train", "valid"):
        losses = [log[f"{split}/loss_mean"] for log in logs]
        expected = single.history.query(f"split == '{split}' and metric == 'loss_mean'")["value"]
        assert losses == pytest.approx(list(expected), rel=1e-4)
