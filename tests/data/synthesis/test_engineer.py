"""The engineer's rules, and the mixdown."""

from dataclasses import replace

import numpy as np
import pytest

from fxnorm.audio import integrated_loudness
from fxnorm.data.synthesis.composition import compose
from fxnorm.data.synthesis.dynamics import active_rms, limit_crest
from fxnorm.data.synthesis.engineer import decide, mix_loudness, process, studio_rooms
from fxnorm.data.synthesis.measurement import measure, summarise
from fxnorm.data.synthesis.mixdown import mix_down
from fxnorm.data.synthesis.performance import perform
from fxnorm.data.synthesis.synthesis_config import Balance, EngineerConfig
from fxnorm.stems import STEMS

RATE = 44_100
EXACT = EngineerConfig(jitter_db=0.0)


@pytest.fixture(scope="module")
def songs():
    return compose({"train": 12}, (6.0, 6.5), seed=5)["train"]


@pytest.fixture(scope="module")
def recorded(songs):
    return {song.name: perform(song, 5) for song in songs[:4]}


@pytest.fixture(scope="module")
def rooms():
    return studio_rooms(5)


def step(decision, processor):
    return next((s for s in decision.chain if s["processor"] == processor), None)


def test_decisions_follow_from_what_is_heard_not_from_the_song(songs, recorded):
    song = songs[0]
    dry = recorded[song.name]
    first = decide(song, dry, EXACT, seed=1)
    renamed = decide(replace(song, name="another"), dry, EXACT, seed=2)
    for stem in STEMS:
        assert first[stem].chain == renamed[stem].chain
        assert first[stem].level_lu == renamed[stem].level_lu


def test_jitter_is_small_beside_what_the_rules_do(songs, recorded):
    levels, gains, jitters = [], [], []
    for song in songs[:4]:
        dry = recorded[song.name]
        exact, jittered = decide(song, dry, EXACT, 1), decide(song, dry, EngineerConfig(), 1)
        levels.append([exact[stem].level_lu for stem in STEMS])
        for stem in STEMS:
            one, other = step(exact[stem], "Equaliser"), step(jittered[stem], "Equaliser")
            gains += [value for key, value in one.items() if key.endswith("_gain")]
            jitters += [
                other[key] - value for key, value in one.items() if key.endswith("_gain") and value
            ]
            jitters.append(jittered[stem].level_lu - exact[stem].level_lu)
    # 0.4 dB, from about 90 draws: 30 % is four standard errors.
    assert np.std(jitters) == pytest.approx(0.4, rel=0.3)
    assert np.var(gains) > 20 * np.var(jitters)
    assert np.ptp(levels, axis=0).max() > 2.0


def test_equaliser_brightens_the_dull_and_dulls_the_bright(songs, recorded):
    song = songs[0]
    dry = recorded[song.name]
    tilt = np.fft.rfftfreq(dry["vocals"].shape[0], 1 / RATE)[:, None] > 2000.0
    gains = []
    for level in (0.25, 1.0, 4.0):
        spectrum = np.fft.rfft(dry["vocals"], axis=0) * np.where(tilt, level, 1.0)
        altered = np.fft.irfft(spectrum, dry["vocals"].shape[0], axis=0).astype(np.float32)
        decision = decide(song, {**dry, "vocals": altered}, EXACT, 1)["vocals"]
        gains.append(step(decision, "Equaliser")["third_band_gain"])
    assert gains[0] >= gains[1] > gains[2]
    assert gains[0] <= 9.0


def test_busy_accompaniment_is_mixed_lower(songs, recorded):
    song = songs[0]
    dry = recorded[song.name]
    part = song.accompaniment[0]
    sparse = replace(song, accompaniment=(replace(part, notes=part.notes[:6]),))
    busy = replace(song, accompaniment=(replace(part, notes=part.notes * 4),))
    levels = [decide(s, dry, EXACT, 1)["other"].level_lu for s in (sparse, busy)]
    assert levels[0] > levels[1] + 0.5


def test_convention_of_the_stage(songs, recorded):
    for song in songs[:4]:
        decisions = decide(song, recorded[song.name], EXACT, 1)
        for stem in ("vocals", "bass", "drums"):
            assert step(decisions[stem], "Panner")["pan"] == pytest.approx(0.5, abs=0.01)
        assert step(decisions["other"], "Panner")["pan"] > 0.51
        assert step(decisions["bass"], "Reverb") is None
        assert step(decisions["vocals"], "Reverb")["wet_mix"] > 0.0


def test_faders_reach_the_decided_balance(songs, recorded, rooms):
    song = songs[1]
    config = EngineerConfig(balance_lu=Balance(drums=3.0))
    decisions = decide(song, recorded[song.name], config, 1)
    wet = process(recorded[song.name], decisions, rooms)
    for stem in STEMS:
        loudness = integrated_loudness(wet[stem], RATE)
        assert loudness == pytest.approx(-20.0 + decisions[stem].level_lu, abs=1e-3)
    assert decisions["drums"].level_lu > 2.0


def test_mixdown_reaches_loudness_under_the_ceiling(songs, recorded, rooms):
    song = songs[2]
    dry = recorded[song.name]
    processed = process(dry, decide(song, dry, EXACT, 1), rooms)
    for target_lufs, ceiling_db in ((-12.0, -1.0), (-18.0, -6.0)):
        stems, mixture = mix_down(processed, target_lufs, ceiling_db)
        # The limiter's gain is settled in three passes.
        assert integrated_loudness(mixture, RATE) == pytest.approx(target_lufs, abs=0.2)
        # Rounding adds at most half a step per stem.
        limit = 10 ** (ceiling_db / 20) + 2 / 32_768
        assert max(np.abs(a).max() for a in (*stems.values(), mixture)) <= limit
        np.testing.assert_array_equal(np.sum(list(stems.values()), axis=0), mixture)
        np.testing.assert_array_equal(np.rint(mixture * 32_768), mixture * 32_768)
        # One gain for all stems: where a stem is loud, that gain brings the others to theirs.
        loud = np.abs(processed["drums"][:, 0]) > 0.1
        gain = stems["drums"][loud, 0] / processed["drums"][loud, 0]
        expected = processed["vocals"][loud, 0] * gain
        np.testing.assert_allclose(stems["vocals"][loud, 0], expected, atol=2 / 32_768)


def test_heavy_songs_are_mastered_louder(songs):
    loudness = {song.outline.style: mix_loudness(song, EngineerConfig()) for song in songs}
    assert loudness["rock"] > loudness["soul"] > loudness["ballad"]
    assert all(abs(value + 15.0) <= 1.0 for value in loudness.values())


def test_measurements_of_known_signals():
    time_s = np.arange(2 * RATE) / RATE
    sine = 0.5 * np.sin(2 * np.pi * 997.0 * time_s)
    sine[RATE:] = 0.0
    mono = measure(np.stack([sine, sine], axis=1).astype(np.float32))
    # BS.1770: a 997-Hz sine in two channels reads its peak level. Of the 0.4-s blocks 7 are full,
    # 3 straddle the end (75, 50, 25 %); the gate drops the silent ones.
    expected = -6.02 + 10 * np.log10((7 + 1.5) / 10)
    assert mono["loudness_lufs"] == pytest.approx(expected, abs=0.1)
    assert mono["peak_db"] == pytest.approx(-6.02, abs=0.01)
    assert mono["crest_db"] == pytest.approx(3.01, abs=0.02)
    assert mono["active_share"] == pytest.approx(0.5, abs=0.051)
    assert mono["side_share"] == 0.0
    assert mono["low_share"] < 1e-3
    assert mono["centroid_hz"] == pytest.approx(997.0, rel=0.1)
    left = measure(np.stack([sine, 0 * sine], axis=1).astype(np.float32))
    assert left["side_share"] == pytest.approx(0.5, abs=1e-6)
    low = measure(np.stack([np.sin(2 * np.pi * 60.0 * time_s)] * 2, axis=1).astype(np.float32))
    assert low["low_share"] > 0.999


def test_summary_is_minimum_median_maximum():
    rows = [{"a": value} for value in (3.0, 1.0, 2.0, 10.0)]
    assert summarise(rows) == {"a": {"minimum": 1.0, "median": 2.5, "maximum": 10.0}}


def test_peaks_are_limited_to_a_distance_from_the_level_of_the_active_time():
    rng = np.random.default_rng(0)
    audio = 0.01 * rng.standard_normal((44_100, 2)).astype(np.float32)
    audio[:22_050] = 0.0
    audio[30_000] = 0.9
    limited = limit_crest(audio, 14.0)
    # The level is that of the second half, in which the click is.
    ceiling = active_rms(audio) * 10 ** (14.0 / 20.0)
    assert np.abs(limited).max() <= ceiling * (1.0 + 1e-6)
    far = np.r_[0:29_000, 31_000:44_100]
    np.testing.assert_array_equal(limited[far], audio[far])
    silence = np.zeros((44_100, 2), np.float32)
    np.testing.assert_array_equal(limit_crest(silence, 14.0), silence)
