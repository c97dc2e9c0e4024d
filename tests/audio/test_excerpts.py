"""Excerpts: short-term loudness, the choice of the place, fades, loudness matching."""

import numpy as np
import pytest

from fxnorm.audio import (
    from_db,
    integrated_loudness,
    short_term_loudness,
    true_peak_db,
    write,
)
from fxnorm.audio.excerpts import (
    busiest_start,
    fade,
    match_loudness,
    read_excerpt,
)
from fxnorm.audio.loudness import ABSOLUTE_GATE_LUFS
from fxnorm.errors import FxNormError

RATE = 44_100


#: Of the page and of the listening test.
LEVELS = {"target_lufs": -23.0, "ceiling_dbtp": -1.0}


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal((round(seconds * RATE), 2))).astype(np.float32)


def test_short_term_loudness_of_a_sine_is_the_standards_value() -> None:
    # BS.1770: a 997-Hz sine at full scale in one channel has -3.01 LUFS.
    time = np.arange(5 * RATE) / RATE
    sine = np.stack([np.sin(2 * np.pi * 997.0 * time), np.zeros_like(time)], axis=1)
    loudness = short_term_loudness(sine, RATE, 1.0)[1]
    assert loudness.shape == (3,)
    # pyloudnorm's filters are a design that approximates the standard's table.
    np.testing.assert_allclose(loudness, -3.01, atol=0.05)


def test_short_term_loudness_is_that_of_each_three_seconds() -> None:
    audio = noise(8.0)
    audio[4 * RATE :] *= 0.1
    expected = [integrated_loudness(audio[s * RATE : (s + 3) * RATE], RATE) for s in (0, 1, 4, 5)]
    # Integrated loudness starts its filters anew and weighs the ends of the window less.
    np.testing.assert_allclose(
        short_term_loudness(audio, RATE, 1.0)[1][[0, 1, 4, 5]], expected, atol=0.03
    )


def test_silence_is_at_the_floor_and_short_audio_is_one_window() -> None:
    assert short_term_loudness(np.zeros((RATE, 2)), RATE)[1].tolist() == [ABSOLUTE_GATE_LUFS]
    assert short_term_loudness(noise(0.5), RATE)[1].shape == (1,)


def test_the_excerpt_is_where_the_least_active_track_is_most_active() -> None:
    always = np.full(28, -20.0)
    sometimes = np.full(28, ABSOLUTE_GATE_LUFS)
    sometimes[13:21] = -30.0
    # 10 s span 8 windows of 3 s; the loudest track never decides.
    assert busiest_start([always, sometimes], 10.0) == (13, -30.0)


def test_the_earliest_of_equal_excerpts_wins_and_silent_tracks_do_not_count() -> None:
    flat, silent = np.full(20, -20.0), np.full(20, ABSOLUTE_GATE_LUFS)
    assert busiest_start([flat, silent], 10.0) == (0, -20.0)
    assert busiest_start([silent], 10.0) == (0, ABSOLUTE_GATE_LUFS)


def test_an_excerpt_longer_than_the_song_begins_at_its_start() -> None:
    assert busiest_start([np.array([-20.0, -10.0])], 60.0) == (0, -15.0)


def test_fades_leave_the_middle_alone_and_mirror_each_other() -> None:
    faded = fade(np.ones((1000, 2), np.float32), 100)
    assert (faded[100:900] == 1.0).all()
    np.testing.assert_array_equal(faded[:100], faded[:899:-1])
    assert faded[0, 0] < 1e-3
    assert (np.diff(faded[:100, 0]) > 0.0).all()


def test_fades_longer_than_the_audio_are_shortened() -> None:
    assert fade(np.ones((3, 1), np.float32), 100).shape == (3, 1)


def test_versions_reach_the_target() -> None:
    versions = {"loud": noise(4.0), "quiet": noise(4.0, seed=1) * np.float32(0.003)}
    match = match_loudness("song", versions, **LEVELS)
    assert match.lowered_db == 0.0
    for audio in match.apply(versions).values():
        # The gain is found by measuring, to float32 rounding.
        assert integrated_loudness(audio, RATE) == pytest.approx(-23.0, abs=1e-3)


def test_a_version_below_the_absolute_gate_in_parts_reaches_the_target_all_the_same() -> None:
    # A quiet passage that only counts once the level is raised.
    audio = np.concatenate([noise(3.0) * 0.003, noise(3.0) * 0.0012]).astype(np.float32)
    match = match_loudness("song", {"mix": audio}, **LEVELS)
    assert integrated_loudness(audio * from_db(match.gains_db["mix"]), RATE) == pytest.approx(
        -23.0, abs=0.01
    )


def test_all_are_lowered_together_when_one_would_exceed_the_ceiling() -> None:
    peaky = noise(4.0) * np.float32(0.01)
    peaky[RATE] = 1.0
    versions = {"peaky": peaky, "dense": noise(4.0, seed=1)}
    match = match_loudness("song", versions, **LEVELS)
    matched = match.apply(versions)
    assert match.lowered_db > 1.0
    assert true_peak_db(matched["peaky"]) <= -1.0
    # No further than needed.
    assert true_peak_db(matched["peaky"]) == pytest.approx(-1.0, abs=0.02)
    for audio in matched.values():
        assert integrated_loudness(audio, RATE) == pytest.approx(-23.0 - match.lowered_db, abs=0.01)


def test_a_silent_version_is_refused_by_name() -> None:
    with pytest.raises(FxNormError, match="song: wun: no loudness"):
        match_loudness("song", {"wun": np.zeros((RATE, 2), np.float32)}, **LEVELS)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_an_excerpt_is_read_at_the_wanted_rate_and_place(tmp_path, rate: int) -> None:
    time = np.arange(4 * rate) / rate
    tone = np.sin(2 * np.pi * 440.0 * time) * (time >= 1.0) * (time < 2.0)
    write(tmp_path / "tone.wav", 0.5 * tone, rate, subtype="FLOAT")
    excerpt = read_excerpt(tmp_path / "tone.wav", 1.0, RATE)
    expected = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(RATE) / RATE)
    assert excerpt.shape == (RATE, 2)
    # Away from the edges, where resampling rings.
    middle = slice(2000, RATE - 2000)
    np.testing.assert_allclose(excerpt[middle, 0], expected[middle], atol=1e-3)
    np.testing.assert_array_equal(excerpt[:, 0], excerpt[:, 1])


def test_what_the_file_lacks_is_silence(tmp_path) -> None:
    write(tmp_path / "short.wav", noise(1.0), RATE)
    excerpt = read_excerpt(tmp_path / "short.wav", 0.5, RATE)
    assert excerpt.shape == (RATE, 2)
    assert not excerpt[RATE // 2 + 1 :].any()
