"""The stereo losses against the reference implementation's numbers and their invariances."""

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import torch

from fxnorm.audio import stft
from fxnorm.errors import FxNormError
from fxnorm.losses import StereoLossA, StereoLossB, TimeL1
from fxnorm.losses.filters import taps

sys.path.append(str(Path(__file__).resolve().parents[1] / "models"))
import models_recipe as recipe

LOSSES = {"La": StereoLossA, "Lb": StereoLossB}
VARIANTS = {
    "awlp": ("a-weighting", "low-pass"),
    "nofilter": (),
    "aw": ("a-weighting",),
    "lp": ("low-pass",),
}
SMALL_T, PAPER_T = 32_768, 440_960


@lru_cache(maxsize=1)
def golden():
    with np.load(Path(__file__).parent / "golden" / "losses.npz") as archive:
        return dict(archive)


@lru_cache(maxsize=4)
def pair(samples, batch):
    """Mix and target (batch, 2, samples)."""
    target = np.stack([recipe.signal(2, samples, f"loss/tar{b}") for b in range(batch)])
    other = np.stack([recipe.signal(2, samples, f"loss/oth{b}") for b in range(batch)])
    mix = np.tanh(0.7 * target.astype(np.float64) + 0.4 * other.astype(np.float64))
    return torch.tensor(mix.astype(np.float32)), torch.tensor(target)


def value_and_gradient(loss, mix, target):
    mix = mix.clone().requires_grad_()
    value = loss(mix, target)
    (gradient,) = torch.autograd.grad(value, mix)
    return value.item(), gradient


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("guard", [0, 3])
@pytest.mark.parametrize("variant", VARIANTS)
def test_values_and_gradients_equal_reference(name, guard, variant):
    loss = LOSSES[name](guard_frames=guard, filters=VARIANTS[variant])
    value, gradient = value_and_gradient(loss, *pair(SMALL_T, 2))
    key = f"loss/small/g{guard}/{name}/{variant}/"
    filtered = "aw" in variant
    # The A-weighting runs in single precision, whose rounding depends on the processor, and the
    # logarithm of nearly silent bins magnifies it, in gradients even more.
    assert value == pytest.approx(golden()[key + "value"], rel=1e-5 if filtered else 1e-9)
    tolerance = 1e-3 if filtered else 1e-5
    assert gradient.norm().item() == pytest.approx(golden()[key + "grad_norm"], rel=tolerance)
    middle = gradient[0, :, SMALL_T // 2 : SMALL_T // 2 + 64].numpy()
    largest = golden()[key + "grad_absmax"]
    np.testing.assert_allclose(
        middle, golden()[key + "grad_win"], rtol=0, atol=3 * tolerance * largest
    )


@pytest.mark.parametrize("name", LOSSES)
def test_stems_are_items_of_their_own(name):
    mix, target = pair(SMALL_T, 2)
    loss = LOSSES[name](guard_frames=1)
    stems = [torch.stack([signal, signal.flip(0)], dim=1) for signal in (mix, target)]
    flat = [torch.cat([signal, signal.flip(0)])[[0, 2, 1, 3]] for signal in (mix, target)]
    assert loss(*stems).item() == loss(*flat).item()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("precision", ["single", "double"])
def test_values_of_ten_seconds_equal_reference(name, precision):
    loss = LOSSES[name](precision=precision)
    value, gradient = value_and_gradient(loss, *pair(PAPER_T, 1))
    key = f"loss/paper/g30/{name}/awlp/"
    tolerance = 3e-5 if precision == "double" else 1e-4
    assert value == pytest.approx(golden()[key + "value"], rel=tolerance)
    # The norm of this gradient is ill-conditioned; a window of it is not.
    middle = gradient[0, :, PAPER_T // 2 : PAPER_T // 2 + 64].numpy()
    limit = 1e-2 * golden()[key + "grad_absmax"]
    np.testing.assert_allclose(middle, golden()[key + "grad_win"], rtol=0, atol=limit)


@pytest.mark.parametrize(("name", "tolerance"), [("La", 1e-4), ("Lb", 1e-5)])
@pytest.mark.parametrize("guard", [0, 3])
@pytest.mark.parametrize("variant", VARIANTS)
def test_single_precision_is_as_accurate_as_stated(name, tolerance, guard, variant):
    loss = LOSSES[name](guard_frames=guard, filters=VARIANTS[variant], precision="single")
    value, gradient = value_and_gradient(loss, *pair(SMALL_T, 2))
    key = f"loss/small/g{guard}/{name}/{variant}/"
    assert value == pytest.approx(golden()[key + "value"], rel=tolerance)
    assert gradient.norm().item() == pytest.approx(golden()[key + "grad_norm"], rel=1e-2)


def test_filtered_signals_equal_reference():
    half = SMALL_T // 2
    parts = slice(0, 400), slice(half, half + 400), slice(SMALL_T - 400, SMALL_T)
    for precision in ("single", "double"):
        loss = StereoLossA(precision=precision)
        for name, audio in zip(("out", "tar"), pair(SMALL_T, 2), strict=True):
            filtered = loss.filtered(audio)[0].numpy()
            for part, wanted in zip(
                parts, golden()[f"loss/small/filtered_{name}_win"], strict=True
            ):
                # Single-precision convolutions of signals of size 1.
                np.testing.assert_allclose(filtered[:, part], wanted, rtol=0, atol=5e-7)


def test_magnitudes_equal_reference():
    magnitudes = StereoLossA(guard_frames=0).magnitudes(pair(SMALL_T, 2)[1])
    wanted = golden()["loss/small/tar_sum_mag_frame3_item0"]
    # Single-precision filtering of a signal of size 1 before a sum over 4,096 samples.
    np.testing.assert_allclose(magnitudes[0, 0, 3].numpy(), wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    "case",
    ["base", "silent_tar", "silent_out", "swap_LR_out", "swap_LR_both", "identity", "negated_out",
     "both_silent", "mono_tar", "mono_both"],
)  # fmt: skip
def test_edge_cases_equal_reference(name, case):
    mix, target = pair(SMALL_T, 1)
    mono = target.mean(1, keepdim=True).expand_as(target)
    inputs = {
        "base": (mix, target),
        "silent_tar": (mix, torch.zeros_like(target)),
        "silent_out": (torch.zeros_like(mix), target),
        "both_silent": (torch.zeros_like(mix), torch.zeros_like(mix)),
        "mono_tar": (mix, mono),
        "mono_both": (mix.mean(1, keepdim=True).expand_as(mix), mono),
        "swap_LR_out": (mix.flip(1), target),
        "swap_LR_both": (mix.flip(1), target.flip(1)),
        "identity": (mix, mix),
        "negated_out": (-mix, target),
    }
    value, gradient = value_and_gradient(LOSSES[name](guard_frames=0), *inputs[case])
    wanted = float(golden()[f"loss/edge/{case}/{name}/value"])
    # Ours is finite where the reference divides by the energy of a silent difference signal.
    assert np.isfinite(value)
    assert torch.isfinite(gradient).all()
    if np.isfinite(wanted):
        assert value == pytest.approx(wanted, rel=1e-5, abs=1e-12)
    else:
        assert (name, case) in {
            ("La", "silent_tar"), ("La", "both_silent"), ("La", "mono_tar"), ("La", "mono_both")
        }  # fmt: skip


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("name", LOSSES)
def test_inputs_stay_untouched(name, precision):
    mix, target = (audio.clone() for audio in pair(SMALL_T, 1))
    LOSSES[name](guard_frames=0, precision=precision)(mix, target)
    assert torch.equal(mix, pair(SMALL_T, 1)[0])
    assert torch.equal(target, pair(SMALL_T, 1)[1])


@pytest.mark.parametrize("loss", [StereoLossA, StereoLossB])
@pytest.mark.parametrize("silent", ["both", "target", "mix"])
def test_digital_silence_is_the_same_in_both_precisions(loss, silent):
    generator = torch.Generator().manual_seed(0)
    mix, target = 0.1 * torch.randn(2, 1, 2, 60_000, generator=generator)
    for name, audio in (("mix", mix), ("target", target)):
        if silent in (name, "both"):
            audio[..., 30_000:] = 0.0
    single, double = (
        float(loss(guard_frames=0, precision=precision)(mix, target))
        for precision in ("single", "double")
    )
    assert single == pytest.approx(double, rel=2e-3)


def test_only_a_vanishing_target_is_kept_from_dividing():
    mix, target = torch.zeros(2, 1, 1, 3, 5), torch.full((2, 1, 1, 3, 5), 1e-5)
    # ||t - 0|| / ||t|| is 1 however quiet the target is, down to a norm of 1e-8.
    assert float(StereoLossA().convergence(mix, target)) == pytest.approx(1.0)
    assert float(StereoLossA().convergence(mix, 1e-5 * target)) < 0.1


def test_loss_b_equals_the_formula_in_numpy():
    mix, target = (audio.numpy()[0].astype(np.float64) for audio in pair(SMALL_T, 1))
    total = 0.0
    for sign in (1.0, -1.0):
        x, y = (np.abs(stft(a[0] + sign * a[1], 2048, 500)) for a in (mix, target))
        x, y = (a[2:-2].astype(np.float64) for a in (x, y))
        total += ((x - y) ** 2).mean() + np.abs(np.log(1e-30 + x) - np.log(1e-30 + y)).mean()
    loss = StereoLossB(guard_frames=2, filters=(), n_fft=2048, hop=500)
    # The spectra of `stft` are rounded to single precision; quiet bins feel that in the logarithm.
    assert loss(*pair(SMALL_T, 1)).item() == pytest.approx(total, rel=1e-5)


def test_a_hop_that_divides_the_frame_takes_the_same_frames():
    signal = torch.randn(2, 3, 9000)
    from fxnorm.losses.stereo import _frames

    wanted = signal.unfold(-1, 2048, 512)
    assert torch.equal(_frames(signal, 2048, 512, wanted.shape[-2]), wanted)


def test_a_weighting_taps_equal_reference():
    # Least squares on another processor: the last digit of single precision.
    weighting = taps("a-weighting", 44_100)
    np.testing.assert_allclose(weighting, golden()["aw_taps_f32"], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(taps("low-pass", 44_100), golden()["lp_taps_f32"])


@pytest.mark.parametrize(("frequency_hz", "gain_db"), [(500, -3.2), (1000, 0.0), (4000, 1.0)])
def test_a_weighting_has_the_standards_gain(frequency_hz, gain_db):
    _, response = scipy.signal.freqz(taps("a-weighting", 44_100), worN=[frequency_hz], fs=44_100)
    # IEC 61672-1, table 3, met to half a decibel by 101 taps without prewarping.
    assert 20 * np.log10(abs(response[0])) == pytest.approx(gain_db, abs=0.5)


@pytest.mark.parametrize(
    ("mix", "target"),
    [((1, 2, 9000), (1, 2, 9001)), ((1, 1, 9000), (1, 1, 9000)), ((2, 9000), (2, 9000))],
)
def test_other_shapes_are_refused(mix, target):
    with pytest.raises(FxNormError, match="must both be"):
        StereoLossB(guard_frames=0)(torch.zeros(mix), torch.zeros(target))


def test_too_short_a_signal_is_refused():
    audio = torch.zeros(1, 2, 65_535)
    with pytest.raises(FxNormError, match="give at least 65536"):
        StereoLossA()(audio, audio)
    assert StereoLossB(guard_frames=29)(audio, audio).item() == 0.0


def test_an_unknown_filter_is_refused():
    with pytest.raises(FxNormError, match="'c-weighting' is unknown"):
        StereoLossA(filters=("c-weighting",))


def test_time_l1_equals_reference():
    mix, target = pair(5000, 2)
    for guard in (0, 700):
        wanted = golden()[f"loss/l1_time/T5000/g{guard}"]
        assert TimeL1(guard)(mix, target).item() == pytest.approx(float(wanted), rel=1e-6)


def test_time_l1_refuses_guards_that_leave_nothing():
    with pytest.raises(FxNormError, match="more than 2"):
        TimeL1(50)(torch.zeros(1, 100), torch.zeros(1, 100))
