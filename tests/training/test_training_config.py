"""Configurations and learning rates."""

import math

import pytest

from fxnorm.errors import FxNormError
from fxnorm.training import SchedulePart, TrainingConfig
from fxnorm.training.schedule import learning_rate

#: The paper's training of ours_S_Lb.
PAPER = TrainingConfig.parse(
    {
        "batch_size": 4,
        "sequence_s": 10.0,
        "steps_per_epoch": 1600,
        "learning_rate": 1e-3,
        "schedule": [
            {"epochs": 1, "factor": 0.0},
            {"epochs": 150, "factor": 1.0},
            {"epochs": 50, "factor": 0.333},
            {"epochs": 50, "factor": 0.1},
            {"epochs": 25, "factor": 0.0333},
            {"epochs": 25, "factor": 0.01},
            {"epochs": 10, "factor": 0.001},
        ],
        "precision": "16-mixed",
        "loss": {"kind": "stereo-b", "guard_frames": 30, "precision": "double"},
        "validation": {"window_s": 10.0, "guard_samples": 32_446},
        "augmentation": {"swap_channels": 0.0},
        "front_end": "last",
        "start": "random",
        "calibrate_gain": False,
        "averaging": 0.0,
    },
    "paper",
)


def test_the_papers_recipe_can_be_said():
    assert PAPER.sequence_samples == 440_960
    assert PAPER.window_samples - 2 * PAPER.validation.guard_samples == 376_068
    assert PAPER.epochs == 311
    assert PAPER.max_song_samples == 240 * 44_100
    pretraining = PAPER.model_copy(update={"sequence_s": 3.0})
    assert pretraining.sequence_samples == 132_288


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [(1, 0.0), (2, 1e-3), (151, 1e-3), (152, 3.33e-4), (201, 3.33e-4), (252, 3.33e-5), (311, 1e-6)],
)
def test_the_papers_learning_rates(epoch, rate):
    for step in (1600 * (epoch - 1), 1600 * epoch - 1):
        assert learning_rate(PAPER, step) == rate


def test_ramp_and_decay():
    config = TrainingConfig(
        steps_per_epoch=50,
        learning_rate=2.0,
        schedule=(SchedulePart(epochs=2),),
        ramp_steps=10,
        decay="cosine",
        decay_to=0.1,
    )
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[4] == pytest.approx(2 * 0.5 * (0.1 + 0.9 * (1 + math.cos(math.pi * 4 / 99)) / 2))
    assert rates[-1] == pytest.approx(0.2)
    assert max(rates) == rates[9]
    linear = config.model_copy(update={"decay": "linear", "ramp_steps": 0})
    assert learning_rate(linear, 33) == pytest.approx(2 * (1 - 0.9 / 3))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sequence_s": 0.001}, "sequence_s is shorter than 64 samples"),
        ({"validation": {"window_s": 0.1, "guard_samples": 3000}}, "leaves nothing of validation"),
        ({"loss": {"kind": "time-l1", "guard_samples": 70_000}}, "leaves nothing of sequence_s"),
        ({"widen_db": 1.0}, "widen_db comes on top of calibrate_width"),
        ({"schedule": []}, "schedule"),
        ({"time_budget_s": 10}, "unknown key 'time_budget_s'"),
        ({"loss": {"kind": "stereo-c"}}, "loss.kind"),
    ],
)
def test_impossible_configurations_are_refused(change, fault):
    with pytest.raises(FxNormError, match=fault):
        TrainingConfig.parse(change, "params.yaml: training")
