import numpy as np
import pytest
import torch
from mixing_fixtures import AUTOMIX, RATE, WAVE_U_NET, bursts, model

import fxnorm
from fxnorm import audio
from fxnorm.conventions import STEMS
from fxnorm.data import find_songs
from fxnorm.errors import FxNormError
from fxnorm.mixing import apply_network, mix_songs, mix_stems, sum_normalized
from fxnorm.normalization import ImpulseResponse, NormalizationConfig


def test_a_whole_song_through_the_stream_is_the_network_on_all_of_it(features):
    loaded = model(features, AUTOMIX)
    stems = bursts(70_000)
    inputs = torch.from_numpy(np.stack([stems[stem].T for stem in STEMS]))
    with torch.inference_mode():
        expected = loaded.net(inputs[None])[0].numpy().T
    # Blocks change the order of sums in single precision.
    np.testing.assert_allclose(apply_network(stems, loaded), expected, atol=1e-5)


def test_the_wave_u_net_covers_the_song_and_is_aligned_with_it(features):
    loaded = model(features, WAVE_U_NET)
    stems = bursts(30_000)
    mixed = apply_network(stems, loaded)
    assert mixed.shape == (30_000, 2)
    inputs = torch.from_numpy(np.stack([stems[stem].T for stem in STEMS]))
    with torch.inference_mode():
        inner = loaded.net(inputs[None])[0].numpy().T
    offset = loaded.net.output_offset
    # Zeros around the song change the group statistics by their share of the samples.
    error = np.abs(mixed[offset : offset + len(inner)] - inner)
    assert error.max() < 0.02 * np.abs(inner).max()


def test_a_missing_stem_is_a_silent_one(features):
    loaded = model(features, AUTOMIX)
    stems = bursts(20_000)
    without = {stem: audio for stem, audio in stems.items() if stem != "bass"}
    silent = stems | {"bass": np.zeros((20_000, 2), np.float32)}
    np.testing.assert_array_equal(apply_network(without, loaded), apply_network(silent, loaded))


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (22_050, 2)])
def test_the_mix_has_the_stems_rate_length_and_no_faults(features, rate, channels):
    stems = bursts(rate + 17, channels)
    stems["drums"] = stems["drums"][: rate // 2]
    mixed = fxnorm.mix(stems, rate, model(features, AUTOMIX))
    assert mixed.shape == (rate + 17, 2)
    assert mixed.dtype == np.float32
    assert np.isfinite(mixed).all()
    assert 0.0 < np.abs(mixed).max() <= 1.0


def test_input_level_does_not_matter(features):
    stems, loaded = bursts(RATE), model(features, AUTOMIX)
    louder = {stem: 0.5 * audio for stem, audio in stems.items()}
    # Normalisation undoes the gain; what is left is single-precision rounding.
    first, second = fxnorm.mix(stems, RATE, loaded), fxnorm.mix(louder, RATE, loaded)
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_a_warm_up_changes_no_length_and_is_what_precedes_the_song(features):
    stems = bursts(RATE)
    stems["bass"] = stems["bass"][: RATE // 3]  # Shorter than the warm-up: repeated.
    warm = model(features, AUTOMIX, warm_up_s=0.5)
    mixed = fxnorm.mix(stems, RATE, warm)
    assert mixed.shape == (RATE, 2)
    half = RATE // 2
    by_hand = {
        stem: np.concatenate([np.tile(samples, (3, 1))[-half:], samples])
        for stem, samples in stems.items()
    }
    expected = fxnorm.mix(by_hand, RATE, model(features, AUTOMIX))[half:]
    np.testing.assert_allclose(mixed, expected, atol=1e-5)


def test_a_warm_up_is_as_long_at_any_rate(features):
    rate = 48_000
    stems = bursts(rate)
    mixed = fxnorm.mix(stems, rate, model(features, AUTOMIX, warm_up_s=0.5))
    by_hand = {stem: np.concatenate([x[-rate // 2 :], x]) for stem, x in stems.items()}
    expected = fxnorm.mix(by_hand, rate, model(features, AUTOMIX))[rate // 2 :]
    # Resampled before or after joining: the seam and the end differ.
    middle = slice(rate // 10, -rate // 10)
    error = np.abs(mixed - expected)[middle].max() / np.abs(expected).max()
    assert error < 1e-2


def test_songs_of_more_than_four_minutes_are_mixed_to_their_end(features):
    samples = 241 * RATE
    vocals = np.zeros((samples, 2), np.float32)
    vocals[-RATE:] = np.random.default_rng(0).uniform(-0.3, 0.3, (RATE, 2))
    mixed = apply_network({"vocals": vocals}, model(features, AUTOMIX))
    assert mixed.shape == (samples, 2)
    assert np.abs(mixed[-RATE:]).max() > 1e-3


def test_chosen_effects_leave_the_models_other_settings(features):
    stems = bursts(RATE)
    quirks, effects = {"released_quirks": True}, {"effects": ("panning",)}
    found, wanted, plain = (
        mix_stems(stems, RATE, model(features, AUTOMIX, normalization=settings), effects=chosen)
        for settings, chosen in (
            (NormalizationConfig(**quirks), ["panning"]),
            (NormalizationConfig(**quirks, **effects), None),
            (NormalizationConfig(**effects), None),
        )
    )
    np.testing.assert_array_equal(found.audio, wanted.audio)
    assert np.abs(found.audio - plain.audio).max() > 1e-4


ROOM = [ImpulseResponse("room", np.full((9, 2), 0.1, np.float32))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"effects": ["loudness", "eq"], "strengths": {"panning": 0.5}}, "are eq, loudness$"),
        ({"strengths": {"reverb": 0.5}}, "'reverb' is not applied, .* are eq, compression,"),
        ({"strengths": {"prereverb": 0.5}, "impulse_responses": ROOM}, "'prereverb' is not"),
        ({"effects": ["eq"], "impulse_responses": ROOM}, "^impulse_responses: no effect that is"),
    ],
)
def test_what_is_given_for_an_effect_that_is_not_applied_is_refused(features, arguments, message):
    with pytest.raises(FxNormError, match=message):
        mix_stems(bursts(1000), RATE, model(features, AUTOMIX), **arguments)


def test_the_models_own_strengths_are_kept_for_the_effects_that_are_left(features):
    own = NormalizationConfig(strengths={"eq": 0.5, "loudness": 0.25})
    assert own.adapted(["loudness"], None).strengths == {"loudness": 0.25}
    assert own.adapted(None, {"eq": 1.0}).strengths == {"eq": 1.0}


def test_the_seed_draws_the_rooms(features):
    stems = {"vocals": bursts(RATE)["vocals"]}
    rooms = [
        ImpulseResponse(str(k), np.eye(2, dtype=np.float32)[[0] * 9] * 0.1 * k) for k in range(9)
    ]
    loaded = model(features, AUTOMIX)
    drawn = [
        mix_stems(
            stems, RATE, loaded, seed=seed, effects=["reverb"], impulse_responses=rooms
        ).reports["vocals"]["effects"]["reverb"]["impulse_response"]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_the_baseline_is_the_sum_of_what_the_normaliser_gives(features):
    stems = bursts(RATE)
    both = sum_normalized({k: stems[k] for k in ("bass", "drums")}, RATE, features).audio
    alone = [sum_normalized({k: stems[k]}, RATE, features).audio for k in ("bass", "drums")]
    np.testing.assert_allclose(both, alone[0] + alone[1], atol=1e-6)


def test_reports_and_warnings_name_thebursts(features):
    stems = bursts(RATE) | {"vocals": np.zeros(RATE, np.float32)}
    result = mix_stems(stems, RATE, model(features, AUTOMIX))
    assert list(result.reports) == list(STEMS)
    assert any(warning.startswith("vocals: silent") for warning in result.warnings)
    assert result.reports["vocals"]["passed_through"]
    assert result.reports["bass"]["effects"]["compression"]["left"]["trials"] >= 0


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        ({}, "no stems"),
        ({"voice": np.ones((10, 2))}, "unknown stem 'voice'"),
        ({"bass": np.zeros((0, 2))}, "bass: the audio is empty"),
        ({"bass": np.full((10, 2), np.nan)}, "bass: the audio is empty or holds NaN"),
        ({"bass": np.zeros((10, 2))}, "bass: all stems are silent"),
        ({"bass": np.ones((10, 3))}, "3 channels"),
    ],
)
def test_unusable_stems_are_refused(features, stems, message):
    with pytest.raises(FxNormError, match=message):
        fxnorm.mix(stems, RATE, model(features, AUTOMIX))


def test_a_missing_model_and_a_front_end_are_refused(features, tmp_path):
    with pytest.raises(FxNormError, match="give a model's folder"):
        fxnorm.mix(bursts(RATE), RATE, 3)
    with pytest.raises(FxNormError, match="no such model folder"):
        fxnorm.mix(bursts(RATE), RATE, tmp_path / "gone")
    front_end = model(features, AUTOMIX.model_copy(update={"pretraining": True}))
    with pytest.raises(FxNormError, match="pretrained front end"):
        fxnorm.mix(bursts(RATE), RATE, front_end)


def test_songs_are_mixed_alike_by_any_number_of_jobs(features, tmp_path):
    for number in (1, 2, 3):
        for stem, samples in (
            bursts(9000 + number, seed=number) | {"mixture": np.zeros((9, 2))}
        ).items():
            audio.write(
                tmp_path / "songs" / f"song {number}" / f"{stem}.wav", samples, RATE, "FLOAT"
            )
    songs, loaded = find_songs(tmp_path / "songs").songs, model(features, AUTOMIX)
    for jobs in (1, 3):
        paths = mix_songs(songs, tmp_path / str(jobs), loaded, jobs=jobs)
        assert list(paths) == ["song 1", "song 2", "song 3"]
    for name in paths:
        first, second = (tmp_path / jobs / f"{name}.wav" for jobs in ("1", "3"))
        assert first.read_bytes() == second.read_bytes()
        assert audio.peak(audio.read(first)[0]) > 0.0
    sums = mix_songs(songs, tmp_path / "sums", None, subtype="FLOAT", jobs=2)
    stems = [audio.read(path)[0] for path in songs[0].stems.values()]
    np.testing.assert_allclose(audio.read(sums["song 1"])[0], sum(stems), atol=1e-6)


def test_a_mix_beyond_full_scale_is_not_clipped(tmp_path):
    parts = {part: np.full((9000, 2), 0.4, np.float32) for part in (*STEMS, "mixture")}
    for name, factor in (("loud", 1.0), ("soft", 0.5)):
        for part, samples in parts.items():
            audio.write(tmp_path / "songs" / name / f"{part}.wav", factor * samples, RATE, "FLOAT")
    sums = mix_songs(find_songs(tmp_path / "songs").songs, tmp_path / "sums", None)
    assert audio.peak(audio.read(sums["loud"])[0]) == pytest.approx(1.6)
    assert audio.info(sums["soft"]).subtype == "PCM_16"


def test_files_are_mixed_like_their_arrays_and_must_be_normalised(features, tmp_path):
    stems, loaded = bursts(RATE), model(features, AUTOMIX)
    stems["bass"] = stems["bass"][: RATE // 2]
    files = {stem: tmp_path / f"{stem}.wav" for stem in STEMS}
    for stem, path in files.items():
        audio.write(path, stems[stem], RATE, "FLOAT")
    np.testing.assert_array_equal(apply_network(files, loaded), apply_network(stems, loaded))
    fractions = []
    from_files = mix_stems(files, None, loaded, on_progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[0] > 0.0
    assert fractions[-1] == 1.0
    from_arrays = mix_stems(stems, RATE, loaded)
    np.testing.assert_array_equal(from_files.audio, from_arrays.audio)
    assert from_files.reports == from_arrays.reports
    audio.write(files["bass"], stems["bass"], 48_000)
    with pytest.raises(FxNormError, match=r"bass\.wav: has 48000 Hz"):
        apply_network(files, loaded)
    resampled = mix_stems(files, None, loaded)
    assert (resampled.sample_rate, resampled.audio.shape[0]) == (48_000, 48_000)
    with pytest.raises(FxNormError, match="arrays need their sample rate"):
        mix_stems(stems, None, loaded)
