"""The training loop against independent arithmetic, and what it does when things go wrong."""

import math

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from training_fixtures import (
    AUTOMIX,
    CONFIG,
    CPU,
    PRETRAINING,
    WAVE_U_NET,
    make_songs,
    train_small,
)

from fxnorm.errors import FxNormError
from fxnorm.losses import StereoLossB
from fxnorm.models import build
from fxnorm.seeds import derive_seed
from fxnorm.training import LossConfig, SchedulePart, TrainingSong, open_songs
from fxnorm.training.checkpoint import load_checkpoint
from fxnorm.training.engine import Job, run
from fxnorm.training.loader import Loader
from fxnorm.training.machine import AutocastOnly, Machine

STILL = {
    "schedule": (SchedulePart(epochs=4, factor=0.0),),
    "steps_per_epoch": 2,
    "start": "random",
    "calibrate_gain": False,
}

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


def changed(**settings):
    return CONFIG.model_copy(update=settings)


def by_hand(songs, config, *, amsgrad=True, clip=True, decay=True, averaging=True):
    """Train the Wave-U-Net with the formulas of Adam (Reddi et al. 2018 for AMSGrad)."""
    torch.manual_seed(derive_seed(5, "weights", "train"))
    net = build(WAVE_U_NET)
    loader, loss = Loader(open_songs(songs[:-1]), config, 5), StereoLossB(guard_frames=1)
    weights = [entry for entry in net.parameters() if entry.requires_grad]
    first, second, largest = ([torch.zeros_like(w) for w in weights] for _ in range(3))
    average = {name: entry.clone() for name, entry in net.state_dict().items()}
    beta1, beta2 = config.betas
    for step in range(config.steps):
        inputs, target = loader.batch(step)
        mix = net(inputs)
        margin = (target.shape[-1] - mix.shape[-1]) // 2
        gradients = torch.autograd.grad(loss(mix, target[..., margin:-margin]), weights)
        norm = math.sqrt(sum(float(g.double().square().sum()) for g in gradients))
        factor = min(1.0, config.clip_norm / norm) if clip else 1.0
        with torch.no_grad():
            for w, g, m, v, top in zip(weights, gradients, first, second, largest, strict=True):
                g = factor * g + (config.weight_decay * w if decay else 0.0)
                m.mul_(beta1).add_((1 - beta1) * g)
                v.mul_(beta2).add_((1 - beta2) * g * g)
                top.copy_(torch.maximum(top, v) if amsgrad else v)
                size = (top / (1 - beta2 ** (step + 1))).sqrt() + config.eps
                w -= config.learning_rate / (1 - beta1 ** (step + 1)) * m / size
        share = min(config.averaging, (step + 1) / (step + 10)) if averaging else 0.0
        for name, entry in net.state_dict().items():
            average[name] = share * average[name] + (1 - share) * entry
    return average


def distance(one, other):
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_steps_are_those_of_the_formulas(songs, tmp_path):
    config = changed(
        betas=(0.8, 0.5),
        # So large that the rounding of tiny gradients is not blown up.
        eps=0.1,
        weight_decay=0.5,
        clip_norm=20.0,
        loss=LossConfig(guard_frames=1, precision="double"),
        start="random",
        calibrate_gain=False,
        averaging=0.9,
    )
    result = train_small(songs, tmp_path, config=config, network=WAVE_U_NET)
    # 8 steps of 1e-3 in single precision: weights move by some 5e-3.
    assert distance(result.last, by_hand(songs, config)) < 2e-5
    for wrong in ("amsgrad", "clip", "decay", "averaging"):
        assert distance(result.last, by_hand(songs, config, **{wrong: False})) > 5e-4


def test_training_lowers_the_loss_and_keeps_the_best(songs, tmp_path):
    config = changed(learning_rate=3e-3, schedule=(SchedulePart(epochs=6),), steps_per_epoch=8)
    logs = []
    result = train_small(songs, tmp_path, config=config, on_epoch=logs.append)
    table = result.history.pivot(index="epoch", columns=["split", "metric"], values="value")
    valid = table["valid", "loss_mean"]
    assert valid.iloc[-1] < 0.7 * valid.iloc[0]
    assert result.best_mean.value == valid.min()
    assert result.best_mean.epoch == valid.idxmin()
    assert list(table.index) == [1, 2, 3, 4, 5, 6]
    assert set(table["train"].columns) == {
        "loss_mean",
        "loss_median",
        "learning_rate",
        "gradient_norm_mean",
        "gradient_norm_max",
        "skipped_steps",
    }
    assert [log["epoch"] for log in logs] == [1, 2, 3, 4, 5, 6]
    assert logs[2]["valid/loss_mean"] == valid[3]
    assert logs[2]["machine/items_per_second"] > 0


@pytest.mark.parametrize("network", [AUTOMIX, WAVE_U_NET])
def test_training_starts_with_the_sum_at_the_targets_level(songs, tmp_path, network):
    x = 0.2 * torch.randn(1, 4, 2, 4000, generator=torch.Generator().manual_seed(0))
    correlations = []
    for start in ("sum", "random"):
        config = changed(**STILL | {"calibrate_gain": True, "start": start})
        result = train_small(songs, tmp_path / start, config=config, network=network)
        net = build(network).eval()
        net.load_state_dict(result.last)
        with torch.no_grad():
            mix = net(x)[..., 100:-100]
        total = x.sum(1)[..., 100 + net.output_offset :][..., : mix.shape[-1]]
        correlations.append(
            float(torch.corrcoef(torch.stack([mix.flatten(), total.flatten()]))[0, 1])
        )
        # The first songs' mixes are between 0.15 and 0.25 RMS.
        (song, *_) = open_songs(songs)
        piece = song.beginning(20_000)
        with torch.no_grad():
            level = net(torch.from_numpy(piece.inputs.swapaxes(1, 2).copy())[None]).std()
        assert float(level) == pytest.approx(float(piece.target.std()), rel=0.3)
    assert correlations[0] > 0.98
    assert abs(correlations[1]) < 0.8


def test_excerpts_are_the_beginnings_of_validation_mixes(songs, tmp_path):
    config = changed(**STILL)
    excerpts = []
    result = train_small(
        songs, tmp_path, config=config, on_excerpt=excerpts.append, excerpts_every_epochs=2
    )
    epochs = result.history["epoch"].max()
    assert [excerpt.epoch for excerpt in excerpts] == sorted({*range(1, epochs + 1, 2), epochs})
    assert {excerpt.song for excerpt in excerpts} == {songs[-1].name}
    net = build(AUTOMIX).eval()
    net.load_state_dict(result.last)
    (song,) = open_songs(songs[-1:])
    samples = song.lengths[song.song.target] // 1024 * 1024
    window = config.window_samples
    with torch.no_grad():
        inputs = torch.from_numpy(song.beginning(window - 512).inputs).transpose(1, 2)
        mix = net(torch.nn.functional.pad(inputs, (512, 0))[None])[0, :, 512 : window - 512]
    assert excerpts[0].audio.shape == (samples, 2)
    # The first window of the validation; rounding of another batch size.
    np.testing.assert_allclose(excerpts[0].audio.T[:, : mix.shape[1]], mix, atol=1e-6)


def test_the_same_call_gives_the_same_bits_and_another_seed_others(songs, tmp_path):
    first, second, other = (
        train_small(songs, tmp_path / name, seed=seed)
        for name, seed in [("a", 5), ("b", 5), ("c", 6)]
    )
    assert distance(first.last, second.last) == 0.0
    assert first.history.equals(second.history)
    assert distance(first.last, other.last) > 0.0


def test_learning_rate_zero_and_strict_selection_and_patience(songs, tmp_path):
    config = changed(**STILL, patience=2)
    result = train_small(songs, tmp_path, config=config)
    torch.manual_seed(derive_seed(5, "weights", "train"))
    assert distance(result.last, build(AUTOMIX).state_dict()) == 0.0
    # Equal losses are no improvement: epoch 1 stays selected, and two more end the run.
    assert result.best_mean.epoch == 1
    assert result.history["epoch"].max() == 3
    again = train_small(songs, tmp_path, config=config)
    assert again.history.equals(result.history)


def test_validation_every_few_epochs_and_at_the_end(songs, tmp_path):
    config = changed(**STILL, validation=CONFIG.validation.model_copy(update={"every_epochs": 3}))
    history = train_small(songs, tmp_path, config=config).history
    assert sorted(set(history.loc[history["split"] == "valid", "epoch"])) == [3, 4]


def test_pretraining_learns_its_inputs_and_hands_on_its_front_end(songs, tmp_path):
    config = changed(
        loss=LossConfig(kind="time-l1", guard_samples=100),
        learning_rate=3e-3,
        schedule=(SchedulePart(epochs=3),),
        calibrate_gain=False,
        start="random",
        averaging=0.0,
        steps_per_epoch=10,
    )
    result = train_small(songs, tmp_path / "pre", config=config, network=PRETRAINING)
    losses = result.history.query("split == 'valid' and metric == 'loss_mean'")["value"]
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]

    still = changed(**STILL)
    mixing = train_small(songs, tmp_path / "mix", config=still, front_end=result.last)
    for name in ("conv_1.weight", "conv_2.0.weight"):
        assert torch.equal(mixing.last[name], result.last[name])
    assert not torch.equal(mixing.last["layerNorm.weight"] + 1, result.last["layerNorm.weight"])


def test_steps_that_overflow_are_skipped_and_counted(songs, tmp_path):
    loud = make_songs(tmp_path / "loud", 1, level=1e30)
    config = changed(batch_size=1, calibrate_gain=False)
    result = train_small([*loud, *songs[1:]], tmp_path / "run", config=config)
    rows = result.history.query("split == 'train'")
    # One of two songs overflows, and each comes once in two steps.
    assert list(rows.query("metric == 'skipped_steps'")["value"]) == [2.0, 2.0]
    assert np.isfinite(rows["value"]).all()
    assert all(torch.isfinite(weights).all() for weights in result.last.values())


def test_training_that_only_overflows_gives_up(tmp_path):
    loud = make_songs(tmp_path / "loud", 2, level=1e30)
    config = changed(max_bad_steps_in_row=3, calibrate_gain=False)
    with pytest.raises(FxNormError, match=r"3 steps in a row .* \(at step 3\); lower the learning"):
        train_small(loud, tmp_path / "run", config=config)


@pytest.mark.parametrize(
    ("machine", "precision"),
    [
        (CPU, "bf16-mixed"),
        pytest.param(Machine("cuda"), "32-true", marks=needs_gpu),
        pytest.param(Machine("cuda"), "bf16-mixed", marks=needs_gpu),
        pytest.param(Machine("cuda"), "16-mixed", marks=needs_gpu),
    ],
)
@pytest.mark.parametrize("network", [AUTOMIX, WAVE_U_NET])
def test_precisions_and_devices_train_alike(songs, tmp_path, machine, precision, network):
    short = changed(schedule=(SchedulePart(epochs=1),))
    other = short.model_copy(update={"precision": precision})
    single = train_small(songs, tmp_path / "single", config=short, network=network)
    found = train_small(songs, tmp_path / "other", config=other, network=network, machine=machine)
    # bfloat16 has 8 bits: losses agree to a few per cent, and are not the same.
    assert found.best_mean.value == pytest.approx(single.best_mean.value, rel=0.1)
    assert found.best_mean.value != single.best_mean.value
    assert all(weights.dtype == torch.float32 for weights in found.last.values())


def test_half_precision_lowers_its_scale_until_gradients_fit(songs, tmp_path):
    """Float16 as on a GPU, run on the CPU: the scale is halved by each skipped step."""
    job = Job(
        "train",
        changed(steps_per_epoch=6, schedule=(SchedulePart(epochs=1),)),
        AUTOMIX,
        open_songs(songs[:-1]),
        open_songs(songs[-1:]),
        5,
        tmp_path / "checkpoint.pt",
        None,
        CPU,
        0,
    )
    logs = []
    run(Fabric(accelerator="cpu", plugins=[AutocastOnly("16-mixed", "cpu")]), job, logs.append)
    skipped = logs[0]["train/skipped_steps"]
    assert 0 < skipped < 6
    assert load_checkpoint(job.checkpoint)["scaler"]["scale"] == 65_536 / 2**skipped
    assert math.isfinite(logs[0]["train/loss_mean"])


@pytest.mark.parametrize(
    ("machine", "config", "fault"),
    [
        (Machine(accelerator="abacus"), CONFIG, "device not available"),
        (Machine(accelerator="cpu", nodes=2), CONFIG, "torchrun"),
        (CPU, changed(precision="16-mixed"), "16-mixed needs a GPU"),
    ],
)
def test_machines_that_are_not_there(songs, tmp_path, machine, config, fault):
    with pytest.raises(FxNormError, match=fault):
        train_small(songs, tmp_path, machine=machine, config=config)


def test_a_song_without_target_and_a_damaged_checkpoint(songs, tmp_path):
    blind = TrainingSong("blind", songs[0].inputs, None)
    with pytest.raises(FxNormError, match="blind: has no target"):
        train_small([blind, *songs], tmp_path)
    damaged = tmp_path / "small" / "checkpoint.pt"
    damaged.parent.mkdir()
    damaged.write_bytes(b"not a checkpoint")
    with pytest.raises(FxNormError, match=r"checkpoint.pt: not a checkpoint; delete it"):
        train_small(songs, tmp_path)


def test_torch_is_left_as_it_was(songs, tmp_path):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    train_small(songs, tmp_path, config=changed(**STILL))
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
