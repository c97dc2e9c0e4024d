"""The engineer's rules, the bus equaliser, and the mixdown."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal

from fxnorm.audio import integrated_loudness
from fxnorm.conventions import STEMS
from fxnorm.data.synthesis import Balance, EngineerConfig
from fxnorm.data.synthesis.bus import BANDS_HZ, SIDE_GAINS_DB, equalize, hear
from fxnorm.data.synthesis.composition import compose
from fxnorm.data.synthesis.dynamics import active_rms, limit_crest
from fxnorm.data.synthesis.engineer import (
    correction,
    decide,
    mix_loudness,
    process,
    studio_rooms,
)
from fxnorm.data.synthesis.house import STYLE_LEVELS, STYLE_TONES, STYLE_WIDTHS
from fxnorm.data.synthesis.measurement import measure, ranges
from fxnorm.data.synthesis.mixdown import mix_down
from fxnorm.data.synthesis.performance import perform, raw_stem
from fxnorm.data.synthesis.styles import STYLES

RATE = 44_100
EXACT = EngineerConfig(jitter_db=0.0)


@pytest.fixture(scope="module")
def songs():
    return compose({"train": 12}, (6.0, 6.5), seed=5)["train"]


@pytest.fixture(scope="module")
def recorded(songs):
    return {song.name: perform(song, 5) for song in songs[:3]}


@pytest.fixture(scope="module")
def rooms():
    return studio_rooms(5)


def noise(seconds=3.0, seed=0):
    """Two unrelated channels."""
    return 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))


def test_decisions_follow_from_what_is_heard_not_from_the_song(songs):
    for song in songs[:6]:
        first = decide(song, EXACT, seed=1)
        renamed = decide(replace(song, name="another"), EXACT, seed=2)
        for stem in STEMS:
            np.testing.assert_array_equal(first[stem].tone_db, renamed[stem].tone_db)
            assert first[stem].level_lu == renamed[stem].level_lu
            assert first[stem].room == renamed[stem].room
            assert first[stem].send_db == renamed[stem].send_db


def test_jitter_is_small_beside_what_the_rules_do(songs):
    tones, jitters = [], []
    for song in songs:
        exact, jittered = decide(song, EXACT, 1), decide(song, EngineerConfig(), 1)
        for stem in STEMS:
            tones.append(exact[stem].tone_db)
            jitters.append(jittered[stem].level_lu - exact[stem].level_lu)
            # Third octaves between the nodes of the curve hold less: compare at the nodes.
            jitters += list((jittered[stem].tone_db - exact[stem].tone_db)[2::3])
    # 0.4 dB, from more than 400 draws: 15 % is more than four standard errors.
    assert np.std(jitters) == pytest.approx(0.4, rel=0.15)
    assert np.var(tones, axis=0).mean() > 20 * np.var(jitters)


def test_styles_differ_but_not_on_average():
    for table in (STYLE_TONES, STYLE_WIDTHS):
        np.testing.assert_allclose(np.mean(list(table.values()), axis=0), 0.0, atol=1e-12)
        assert set(table) == set(STYLES)
    for stem in STEMS:
        levels = [STYLE_LEVELS[style][stem] for style in STYLES]
        assert np.mean(levels) == pytest.approx(0.0, abs=1e-12)
        assert np.ptp(levels) > 2.0


def test_equaliser_brightens_the_dull_and_dulls_the_bright(songs):
    decision = decide(songs[0], EXACT, 1)["vocals"]
    audio = noise()
    frequency = np.fft.rfftfreq(audio.shape[0], 1 / RATE)[:, None]
    dull, tilt = 1.0 / (1.0 + frequency / 400.0), frequency > 2000.0
    treble = BANDS_HZ > 2500.0
    gains = []
    for level in (0.5, 1.0, 2.0):
        spectrum = dull * np.fft.rfft(audio, axis=0) * np.where(tilt, level, 1.0)
        altered = np.fft.irfft(spectrum, audio.shape[0], axis=0)
        both, _ = correction(hear(altered, "vocals"), "vocals", decision)
        gains.append(both[treble].mean() - both[~treble].mean())
    # Six decibels more of treble take most of six decibels of gain away.
    assert 4.0 < gains[0] - gains[1] < 6.1
    assert 4.0 < gains[1] - gains[2] < 6.1


def test_bus_reaches_the_wanted_spectrum_and_width(songs):
    decision = decide(songs[0], EXACT, 1)["other"]
    # A middle with a third of its level at the sides, in stationary noise.
    middle, side = noise(6.0).T
    audio = np.stack([middle + 0.3 * side, middle - 0.3 * side], axis=1)
    both, side_db = correction(hear(audio, "other"), "other", decision)
    reached = hear(equalize(audio, both, side_db), "other")
    change_db = reached.level_db - hear(audio, "other").level_db - both
    inside = (BANDS_HZ > 300.0) & (BANDS_HZ < 8000.0)
    # A wider side adds about a decibel; the smoothing spreads what the gains of neighbours do.
    assert 0.0 < np.mean(change_db[inside]) < 2.0
    assert np.std(change_db[inside]) < 0.6
    unchanged = np.interp(0.0, SIDE_GAINS_DB, np.arange(SIDE_GAINS_DB.size))
    low, high = int(unchanged), int(unchanged) + 1
    phi = 0.5 * (reached.phi[low] + reached.phi[high])
    # MUSDB18's average of this stem type is 0.83 to 0.84, the style and the house a little off.
    assert np.all(np.abs(phi[inside] - 0.835) < 0.05)


def test_equaliser_has_the_gains_it_is_told_and_keeps_mono_mono():
    impulse = np.zeros((2 * RATE, 2))
    impulse[100] = 1.0
    gains = np.round(6.0 * np.sin(np.arange(BANDS_HZ.size) / 3.0), 1)
    filtered = equalize(impulse, gains, np.full(BANDS_HZ.size, 6.0))
    np.testing.assert_array_equal(filtered[:, 0], filtered[:, 1])
    response = np.abs(np.fft.rfft(filtered[:, 0]))
    heard = np.interp(BANDS_HZ, np.fft.rfftfreq(2 * RATE, 1 / RATE), response)
    np.testing.assert_allclose(20 * np.log10(heard), gains, atol=0.3)
    # Minimum phase: nothing before the impulse, most of the energy right behind it.
    assert np.abs(filtered[:100]).max() < 1e-9
    assert (filtered[100:600] ** 2).sum() > 0.9 * (filtered**2).sum()


def test_unrelated_channels_are_heard_as_such():
    heard = hear(noise(6.0), "drums")
    inside = BANDS_HZ > 100.0
    # Rayleigh amplitudes: the mean of sin²(2t) over the angle between them, π/4.
    unity = int(np.argmin(np.abs(SIDE_GAINS_DB - -3.0)))
    assert np.all(np.abs(heard.side_db[inside]) < 1.0)
    assert heard.phi[unity : unity + 2, inside].mean() == pytest.approx(np.pi / 4, abs=0.02)
    assert np.all(np.diff(heard.phi[: unity + 1, inside], axis=0) < 0.0)
    mono = noise(6.0)[:, :1].repeat(2, axis=1)
    np.testing.assert_allclose(hear(mono, "drums").phi, 1.0, atol=1e-9)


def test_busy_accompaniment_is_mixed_lower(songs):
    song = songs[0]
    part = song.accompaniment[0]
    sparse = replace(song, accompaniment=(replace(part, notes=part.notes[:6]),))
    busy = replace(song, accompaniment=(replace(part, notes=part.notes * 8),))
    levels = [decide(s, EXACT, 1)["other"].level_lu for s in (sparse, busy)]
    assert levels[0] > levels[1] + 0.5


def test_recordings_are_mono_or_close_pairs_at_levels_nobody_balanced(recorded):
    levels = []
    for stems in recorded.values():
        for stem, tracks in stems.items():
            raw = raw_stem(tracks)
            np.testing.assert_array_equal(np.rint(raw * 32_768), raw * 32_768)
            side = ((raw[:, 0] - raw[:, 1]) ** 2).sum() / (raw**2).sum() / 2
            assert side < 0.02
            if stem in ("vocals", "bass"):
                assert side == 0.0
            levels.append(integrated_loudness(raw, RATE))
            for track in tracks:
                quiet = np.abs(track.audio[: RATE // 20])
                # The chain's noise is there before anybody plays.
                assert quiet.max() > 0.0
                assert np.abs(track.audio).max() < 1.0
    assert np.ptp(levels) > 6.0


def test_convention_of_the_stage(songs, recorded, rooms):
    for song in songs[:3]:
        wet = process(recorded[song.name], decide(song, EXACT, 1), rooms)
        for stem in ("vocals", "bass"):
            left, right = (wet[stem] ** 2).sum(axis=0)
            # Balance moves in tenths of a decibel, to both sides.
            assert left / right == pytest.approx(1.0, rel=0.025)
        share = {stem: measure(audio)["side_share"] for stem, audio in wet.items()}
        assert share["other"] > share["vocals"] > 0.0
        assert share["other"] > share["bass"]


def test_faders_reach_the_decided_balance(songs, recorded, rooms):
    song = songs[1]
    config = EngineerConfig(balance_lu=Balance(drums=3.0))
    decisions = decide(song, config, 1)
    wet = process(recorded[song.name], decisions, rooms)
    for stem in STEMS:
        loudness = integrated_loudness(wet[stem], RATE)
        # Faders move in tenths.
        assert loudness == pytest.approx(-20.0 + decisions[stem].level_lu, abs=0.06)
    assert decisions["drums"].level_lu > 2.0


def test_mixdown_reaches_loudness_under_the_ceiling(songs, recorded, rooms):
    song = songs[2]
    processed = process(recorded[song.name], decide(song, EXACT, 1), rooms)
    # What lies above 16 kHz is changed by the coding, see below.
    coded = scipy.signal.butter(12, 10_000.0, fs=RATE, output="sos")
    processed = {
        stem: scipy.signal.sosfiltfilt(coded, audio, axis=0) for stem, audio in processed.items()
    }
    for target_lufs, ceiling_db in ((-12.0, -1.0), (-18.0, -6.0)):
        stems, mixture = mix_down(processed, target_lufs, ceiling_db)
        # The limiter's gain is settled in three passes.
        assert integrated_loudness(mixture, RATE) == pytest.approx(target_lufs, abs=0.2)
        # Rounding adds at most half a step per stem.
        limit = 10 ** (ceiling_db / 20) + 2 / 32_768
        assert max(np.abs(a).max() for a in (*stems.values(), mixture)) <= limit
        np.testing.assert_array_equal(np.sum(list(stems.values()), axis=0), mixture)
        np.testing.assert_array_equal(np.rint(mixture * 32_768), mixture * 32_768)
        # One gain for all stems: where a middle is loud, that gain brings the others to theirs.
        middle = {stem: audio.mean(axis=1) for stem, audio in processed.items()}
        loud = np.abs(middle["drums"]) > 0.1
        gain = stems["drums"].mean(axis=1)[loud] / middle["drums"][loud]
        expected = middle["vocals"][loud] * gain
        heard = stems["vocals"].mean(axis=1)[loud]
        np.testing.assert_allclose(heard, expected, atol=2 / 32_768)


def test_treble_of_what_rings_on_moves_inwards_up_to_16_khz():
    rng = np.random.default_rng(0)
    treble = rng.standard_normal((2 * RATE, 2))
    # A stroke of a twentieth of the time, and what rings on.
    stroke = RATE // 10
    treble[stroke:] *= 10 ** (-20 / 20)
    stems, _ = mix_down({"drums": 0.05 * treble}, -35.0, -1.0)
    samples = stems["drums"].astype(float)
    frequencies = np.fft.rfftfreq(stroke // 2, 1 / RATE)

    def energies(part, low, high):
        band = (frequencies > low) & (frequencies < high)
        spectra = (np.fft.rfft(part[:, 0] + sign * part[:, 1])[band] for sign in (1, -1))
        return np.array([(np.abs(spectrum) ** 2).mean() for spectrum in spectra])

    def side_share(part, low, high):
        middle, side = energies(part, low, high)
        return side / (middle + side)

    loud, quiet = (samples[at : at + stroke // 2] for at in (stroke // 4, RATE))
    assert side_share(loud, 12_000.0, 15_000.0) == pytest.approx(0.5, abs=0.1)
    # A shelf of the second order, an octave above its corner.
    assert side_share(quiet, 12_000.0, 15_000.0) < 0.5 * side_share(loud, 12_000.0, 15_000.0)
    # Coding leaves little above that, which stays wide.
    for part in (loud, quiet):
        assert side_share(part, 17_000.0, 22_000.0) == pytest.approx(0.5, abs=0.1)
        middle_db = 10 * np.log10(
            [energies(part, 17_000.0, 22_000.0)[0], energies(part, 8_000.0, 15_000.0)[0]]
        )
        assert middle_db[0] - middle_db[1] == pytest.approx(-16.0, abs=1.5)


def test_heavy_songs_are_mastered_louder(songs):
    loudness = {song.outline.style: mix_loudness(song, EngineerConfig()) for song in songs}
    assert loudness["rock"] > loudness["soul"] > loudness["ballad"] > loudness["folk"]
    assert all(abs(value + 16.5) <= 2.0 for value in loudness.values())


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
    assert ranges(rows) == {"a": {"minimum": 1.0, "median": 2.5, "maximum": 10.0}}


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
