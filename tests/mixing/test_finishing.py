"""Balance, dry and wet, loudness and ceiling of a mix, and its stems."""

import numpy as np
import pytest
from mixing_fixtures import AUTOMIX, RATE, WAVE_U_NET, bursts, model

from fxnorm.audio import from_db, integrated_loudness, true_peak_db
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.mixing import Finishing, mix_stems, sum_normalized


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("warm_up_s", [0.0, 0.5])
def test_the_stems_of_the_mix_add_up_to_it(features, rate, warm_up_s):
    stems = bursts(rate)
    stems["bass"] = stems["bass"][: rate // 2]
    loaded = model(features, AUTOMIX, warm_up_s=warm_up_s)
    whole = mix_stems(stems, rate, loaded, keep_stems=False)
    parts = mix_stems(stems, rate, loaded)
    assert list(parts.stems) == list(STEMS)
    np.testing.assert_allclose(sum(parts.stems.values()), parts.audio, rtol=0, atol=1e-6)
    np.testing.assert_allclose(parts.audio, whole.audio, rtol=0, atol=1e-6)
    assert whole.stems == {}
    # None of them is left out or doubled: each is heard alone in its own share.
    assert all(np.abs(share).max() > 1e-4 for share in parts.stems.values())


def test_a_balance_is_a_gain_on_the_stems_share_alone(features):
    stems, loaded = bursts(RATE), model(features, AUTOMIX)
    plain = mix_stems(stems, RATE, loaded)
    louder = mix_stems(stems, RATE, loaded, finishing=Finishing(balance_db={"vocals": 1.5}))
    for stem in STEMS:
        gain = from_db(1.5 if stem == "vocals" else 0.0)
        np.testing.assert_allclose(louder.stems[stem], gain * plain.stems[stem], atol=1e-6)
    np.testing.assert_allclose(sum(louder.stems.values()), louder.audio, rtol=0, atol=1e-6)
    with pytest.raises(FxNormError, match="balance of 'kazoo'"):
        mix_stems(stems, RATE, loaded, finishing=Finishing(balance_db={"kazoo": 1.0}))


def test_dry_and_wet_blend_linearly_to_the_sum_of_the_inputs(features):
    stems = {stem: 0.2 * samples for stem, samples in bursts(RATE).items()}
    loaded = model(features, AUTOMIX)
    dry, half, wet = (
        mix_stems(stems, RATE, loaded, finishing=Finishing(wet=wet)) for wet in (0.0, 0.5, 1.0)
    )
    np.testing.assert_allclose(dry.audio, sum(stems.values()), atol=1e-6)
    np.testing.assert_allclose(half.audio, 0.5 * (dry.audio + wet.audio), atol=1e-6)
    np.testing.assert_allclose(
        half.stems["bass"], 0.5 * (stems["bass"] + wet.stems["bass"]), atol=1e-6
    )


def test_a_wave_u_net_says_that_it_has_no_stems(features):
    stems, loaded = bursts(RATE), model(features, WAVE_U_NET)
    mixed = mix_stems(stems, RATE, loaded)
    assert mixed.stems == {}
    assert any("no stems of the mix" in warning for warning in mixed.warnings)
    with pytest.raises(FxNormError, match="no sum of"):
        mix_stems(stems, RATE, loaded, finishing=Finishing(balance_db={"bass": 1.0}))
    half = mix_stems(stems, RATE, loaded, finishing=Finishing(wet=0.5)).audio.ravel()
    # Both were lowered to the ceiling, so the shares are known up to a factor.
    parts = np.stack([mixed.audio.ravel(), sum(stems.values()).ravel()], axis=1)
    shares, residual, *_ = np.linalg.lstsq(parts, half, rcond=None)
    assert (shares > 0.0).all()
    assert residual.item() < 1e-9 * np.vdot(half, half)


@pytest.mark.parametrize("lufs", [-30.0, -23.0])
def test_the_mix_has_the_loudness_asked_for(features, lufs):
    mixed = mix_stems(
        bursts(2 * RATE), RATE, model(features, AUTOMIX), finishing=Finishing(loudness_lufs=lufs)
    )
    assert integrated_loudness(mixed.audio, RATE) == pytest.approx(lufs, abs=0.01)
    assert mixed.levels.loudness_lufs == pytest.approx(lufs, abs=0.01)
    np.testing.assert_allclose(sum(mixed.stems.values()), mixed.audio, rtol=0, atol=1e-6)


def test_what_only_counts_when_it_is_lifted_counts(features):
    """Below -70 LUFS nothing counts (BS.1770-4): the quieter halves do in the mix alone."""
    steps = np.repeat(from_db(np.array([-61.0, -65.0, -69.0])), RATE)[:, None]
    stem = (steps * np.random.default_rng(0).uniform(-0.5, 0.5, (3 * RATE, 2))).astype(np.float32)
    finishing = Finishing(wet=0.0, loudness_lufs=-23.0)
    mixed = sum_normalized({"other": stem}, RATE, features, finishing=finishing)
    assert integrated_loudness(mixed.audio, RATE) == pytest.approx(-23.0, abs=0.01)
    assert mixed.levels.loudness_lufs == pytest.approx(-23.0, abs=0.01)


@pytest.mark.parametrize("lufs", [-70.0, -60.1])
def test_a_loudness_whose_gate_lies_below_the_absolute_one_is_refused(lufs):
    with pytest.raises(FxNormError, match="loudness_lufs': Input should be greater than or equal"):
        Finishing(loudness_lufs=lufs)


@pytest.mark.parametrize("ceiling", [-1.0, -6.0])
def test_no_true_peak_is_above_the_ceiling(features, ceiling):
    # A target that none of this can reach below the ceiling.
    finishing = Finishing(loudness_lufs=-1.0, ceiling_dbtp=ceiling)
    mixed = sum_normalized(bursts(RATE), RATE, features, finishing=finishing)
    assert true_peak_db(mixed.audio) == pytest.approx(ceiling, abs=0.02)
    assert true_peak_db(mixed.audio) <= ceiling
    assert mixed.levels.true_peak_dbtp == pytest.approx(true_peak_db(mixed.audio), abs=1e-3)
    assert any("below the -1 LUFS asked for" in warning for warning in mixed.warnings)
    np.testing.assert_allclose(sum(mixed.stems.values()), mixed.audio, rtol=0, atol=1e-6)


def test_what_peaks_between_samples_is_lowered_too(features):
    """A sine at a quarter of the rate, sampled 45° off its crests: 3 dB above its samples."""
    tone = 0.99 * np.sin(0.5 * np.pi * np.arange(RATE) + 0.25 * np.pi)
    stereo = np.stack([tone, tone], axis=1).astype(np.float32) / np.float32(np.sqrt(0.5))
    mixed = sum_normalized({"other": 0.7 * stereo}, RATE, features, finishing=Finishing(wet=0.0))
    assert -1.1 < true_peak_db(mixed.audio) <= -1.0
    assert any("keep its true peak at -1 dBTP" in warning for warning in mixed.warnings)


def test_a_balance_of_a_stem_that_is_not_given_is_refused_by_the_sum_as_well(features):
    stems = {"bass": np.ones((RATE, 2), np.float32)}
    with pytest.raises(FxNormError, match="balance of 'kazoo'"):
        sum_normalized(stems, RATE, features, finishing=Finishing(balance_db={"kazoo": 1.0}))
