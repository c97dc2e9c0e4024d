"""Metrics against the reference's numbers, an independent computation, and closed forms."""

import json
import math
import tracemalloc
from pathlib import Path

import evaluation_reference as reference
import numpy as np
import pytest
from evaluation_signals import metric_pairs
from golden_signals import SR
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.audio import from_db
from fxnorm.errors import FxNormError
from fxnorm.evaluation import (
    GROUPS,
    compare,
    dynamics_metrics,
    frame_features,
    loudness_metrics,
    panning_metrics,
    spectral_metrics,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "metrics.json").read_text())
FUNCTIONS = {
    "loudness": loudness_metrics,
    "spectral": spectral_metrics,
    "panning": panning_metrics,
    "dynamics": dynamics_metrics,
}
#: Divisions by zero in the reference: about 1e16 there, NaN with a reason here.
MEANINGLESS = {("mix_vs_loud", "loudness", "d_peak"), ("gap", "dynamics", "l_ratio_mean_mape")}


@pytest.fixture(scope="module")
def pairs():
    return metric_pairs()


def music(seed, samples, sample_rate=SR):
    """A stereo mixture of decaying tones and noise that no two channels share."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / sample_rate
    audio = 0.02 * rng.standard_normal((samples, 2))
    for frequency in 60.0 * 2.0 ** rng.uniform(0, 6, 12):
        decay = np.exp(-((t * rng.uniform(0.5, 3)) % 1.0) * rng.uniform(1, 6))
        tone = decay * np.sin(2 * np.pi * frequency * t)
        audio += tone[:, None] * rng.uniform(0.0, 0.2, 2)
    return audio


@pytest.mark.parametrize("pair", GOLDEN)
def test_agrees_with_the_reference(pairs, pair):
    mix, target = pairs[pair]
    scores = compare(mix, target, SR)
    for group, metrics in GOLDEN[pair].items():
        alone = FUNCTIONS[group](mix, target, SR)
        assert alone.keys() == metrics.keys()
        for key, wanted in metrics.items():
            got = scores.values[group][key]
            if (pair, group, key) in MEANINGLESS:
                assert math.isnan(got)
                assert math.isnan(alone[key])
                assert scores.reasons[group][key]
            else:
                # The reference rounds spectra to single precision; roll-off moves by whole bins.
                assert got == pytest.approx(wanted, rel=5e-5), key
                assert alone[key] == pytest.approx(got, rel=1e-12), key


@pytest.mark.parametrize(("samples", "sample_rate"), [(SR * 3 + 777, SR), (48_000 * 2, 48_000)])
def test_agrees_with_an_independent_computation(samples, sample_rate):
    target = music(1, samples, sample_rate)
    mix = 0.5 * target[:, ::-1] + music(2, samples, sample_rate)
    got = compare(mix, target, sample_rate).values
    for group in ("spectral", "panning", "dynamics"):
        wanted = getattr(reference, group)(mix, target, sample_rate)
        # Both in double: what remains is the order of sums, and how filters round.
        assert got[group] == pytest.approx(wanted, rel=1e-7), group


def test_a_perfect_mix_scores_zero(pairs):
    target = pairs["mix"][1]
    values = compare(target, target, SR).values
    assert list(values) == list(GROUPS)
    assert all(value == 0.0 for metrics in values.values() for value in metrics.values())


@settings(max_examples=5, deadline=None)
@given(gain_db=st.floats(-40.0, 40.0), seed=st.integers(0, 99))
def test_level_changes_only_what_measures_level(gain_db, seed):
    target = music(seed, 2 * SR)
    mix = music(seed + 1, 2 * SR)
    before = compare(mix, target, SR).values
    after = compare(mix * from_db(gain_db), target, SR).values
    for group in ("spectral", "panning", "dynamics"):
        # Peak normalisation undoes the gain up to rounding; roll-off may then move by a bin.
        assert after[group] == pytest.approx(before[group], rel=1e-4)
    assert after["further"]["balance"] == pytest.approx(before["further"]["balance"], abs=1e-9)


@pytest.mark.parametrize("gain", [0.5, 1.7])
def test_further_metrics_of_a_scaled_mix(gain):
    target = 0.2 * np.random.default_rng(0).standard_normal((SR, 2))
    values = compare(gain * target, target, SR).values
    # |Y - gY| / |Y| = |1 - g|, and |ln gY - ln Y| = |ln g|, in every bin above the floor.
    distance = abs(1 - gain) + abs(math.log(gain))
    assert values["further"]["mr_stft"] == pytest.approx(distance, rel=1e-4)
    assert values["further"]["l1"] == pytest.approx(abs(1 - gain) * np.abs(target).mean())
    assert values["further"]["l2"] == pytest.approx((1 - gain) ** 2 * (target**2).mean())
    assert values["further"]["balance"] == pytest.approx(0.0, abs=1e-12)


def test_loudness_errors_are_relative():
    target = 0.1 * np.sin(2 * np.pi * 997 * np.arange(2 * SR) / SR)[:, None].repeat(2, axis=1)
    values = loudness_metrics(0.5 * target, target, SR)
    # A sine of -20 dBFS in two channels has -20 LUFS; pyloudnorm's filters are 0.04 dB off there.
    assert values["d_lufs"] == pytest.approx(6.0206 / 20.0, rel=3e-3)
    assert values["d_peak"] == pytest.approx(6.0206 / 20.0, rel=1e-4)


def test_swapped_channels_are_seen_by_balance_and_distance_only():
    target = music(3, 2 * SR) * [1.0, 0.5]
    values = compare(target[:, ::-1], target, SR).values
    left, right = np.sqrt((target**2).mean(axis=0))
    assert max(values["panning"].values()) == pytest.approx(0.0, abs=1e-12)
    assert values["further"]["balance"] == pytest.approx(40 * np.log10(right / left), rel=1e-9)
    assert values["further"]["mr_stft"] > 0.5


def test_scores_do_not_depend_on_the_chunks(pairs, monkeypatch):
    mix, target = (audio[: 2 * SR + 99] for audio in pairs["mix"])
    wanted = compare(mix, target, SR).values
    monkeypatch.setattr(frame_features, "_HOPS_PER_CHUNK", 7)
    got = compare(mix, target, SR).values
    for group in GROUPS:
        # The low-pass forgets within the overlap of chunks to better than rounding.
        assert got[group] == pytest.approx(wanted[group], rel=1e-9), group


def test_the_type_of_the_input_does_not_matter(pairs):
    mix, target = (audio[: 2 * SR].astype(np.float32) for audio in pairs["mix"])
    wanted = compare(mix.astype(np.float64), target.astype(np.float64), SR).values
    assert compare(mix, target, SR).values == wanted


def test_memory_is_bounded():
    rng = np.random.default_rng(0)

    def extra_memory(seconds):
        mix, target = rng.uniform(-0.5, 0.5, (2, seconds * SR, 2)).astype(np.float32)
        tracemalloc.start()
        compare(mix, target, SR)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used / 2**20

    extra_memory(2)  # compiles
    short, long = extra_memory(10), extra_memory(60)
    assert long < 40.0
    # One copy of the longer pair in double would be 60 MiB more.
    assert long - short < 15.0


def test_a_mono_target_has_no_panning():
    mix = music(4, 2 * SR)
    mono = mix[:, :1].repeat(2, axis=1)
    scores = compare(mix, mono, SR)
    assert all(math.isnan(value) for value in scores.values["panning"].values())
    assert "mono" in scores.reasons["panning"]["P_l_mean"]
    assert not math.isnan(scores.values["spectral"]["mape_mean"])
    assert compare(mix, mix[:, 0], SR).values["further"] == scores.values["further"]
    # A mono mix of a stereo target is plainly wrong, not undefined.
    assert compare(mono, mix, SR).values["panning"]["P_t_mean"] == pytest.approx(1.0)


def test_what_cannot_be_measured_is_nan_with_a_reason():
    target = music(5, 2 * SR)
    silence = np.zeros_like(target)
    scores = compare(target, silence, SR)
    assert "silent" in scores.reasons["loudness"]["d_lufs"]
    assert "silent" in scores.reasons["further"]["mr_stft"]
    one_sided = compare(target * [1.0, 0.0], target, SR)
    assert "channel" in one_sided.reasons["further"]["balance"]
    short = compare(target[:8000], target[:8000], SR)
    for group in ("spectral", "panning", "dynamics"):
        assert all(math.isnan(value) for value in short.values[group].values())
    assert "short" in short.reasons["spectral"]["mape_mean"]
    for group, metric, value, reason in [*scores.rows(), *short.rows()]:
        assert math.isnan(value) == bool(reason), (group, metric)


def test_wrong_input_is_named():
    audio = np.zeros((SR, 2), np.float32)
    with pytest.raises(FxNormError, match="44100 samples and the target 44000"):
        compare(audio, audio[:44000], SR)
    with pytest.raises(FxNormError, match="3 channels"):
        compare(np.zeros((SR, 3)), audio, SR)
    with pytest.raises(FxNormError, match="8000 Hz"):
        compare(audio, audio, 8000)
    broken = audio.copy()
    broken[5] = np.nan
    with pytest.raises(FxNormError, match="the mix holds NaN"):
        compare(broken, audio, SR)
