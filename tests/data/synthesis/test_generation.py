"""The generated data set as a whole: files, sums, statistics, determinism."""

import json

import numpy as np
import pyloudnorm
import pytest
import soundfile

from fxnorm.conventions import STEMS
from fxnorm.data.synthesis import EngineerConfig, SynthesisConfig, synthesize
from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.evaluation import dynamics_metrics, panning_metrics, spectral_metrics
from fxnorm.reporting.song_comparison import compare_with_real_music

#: One song of each style to train with, and two to test with.
CONFIG = SynthesisConfig(training_songs=6, test_songs=2, duration_s=(6.0, 7.0), impulse_responses=2)
FILES = {f"{name}.wav" for name in (*STEMS, "mixture")}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "raw"
    return folder, synthesize(folder, CONFIG, seed=3, jobs=2)


def steps(path):
    """Samples of a 16-bit file as integers, (samples, channels)."""
    return soundfile.read(path, dtype="int16")[0].astype(int)


def test_layout_and_format(generated):
    folder, _ = generated
    counts = {"wet/train": 6, "wet/test": 2, "dry": 2}
    for place, count in counts.items():
        songs = [path for path in (folder / place).iterdir() if path.is_dir()]
        assert len(songs) == count
        for song in songs:
            assert {path.name for path in song.iterdir()} == FILES
            headers = [soundfile.info(path) for path in song.iterdir()]
            kinds = {(h.samplerate, h.channels, h.subtype, h.frames) for h in headers}
            assert len(kinds) == 1
            rate, channels, subtype, frames = kinds.pop()
            assert (rate, channels, subtype) == (44_100, 2, "PCM_16")
            assert 6.0 <= frames / 44_100 <= 7.01
    assert {p.name for p in (folder / "dry").iterdir()} == {
        p.name for p in (folder / "wet/test").iterdir()
    }
    for kind in ("reverb", "prereverb"):
        responses = sorted((folder / "impulse_responses" / kind).glob("*/impulse_response.wav"))
        assert len(responses) == 2
        assert all(soundfile.info(path).samplerate == 44_100 for path in responses)


def test_mixture_is_the_sum_of_the_wet_stems_and_nothing_clips(generated):
    folder, _ = generated
    for song in (folder / "wet").glob("*/*"):
        parts = {stem: steps(song / f"{stem}.wav") for stem in STEMS}
        np.testing.assert_array_equal(sum(parts.values()), steps(song / "mixture.wav"))
        assert max(np.abs(part).max() for part in parts.values()) < 32_767
        # The ceiling of -1 dBFS, plus half a step of rounding per stem.
        assert np.abs(steps(song / "mixture.wav")).max() <= 32_768 * 10 ** (-1 / 20) + 2


def test_dry_songs_share_the_human_mix_but_not_its_stems(generated):
    folder, _ = generated
    for dry in (folder / "dry").iterdir():
        wet = folder / "wet/test" / dry.name
        assert (dry / "mixture.wav").read_bytes() == (wet / "mixture.wav").read_bytes()
        for stem in STEMS:
            assert np.abs(steps(dry / f"{stem}.wav") - steps(wet / f"{stem}.wav")).max() > 300
        for stem in ("vocals", "bass"):
            mono = steps(dry / f"{stem}.wav")
            np.testing.assert_array_equal(mono[:, 0], mono[:, 1])


def test_mixes_lie_where_released_music_does(generated):
    folder, _ = generated
    table = compare_with_real_music(folder, None, jobs=1)
    bands = table[table["quantity"] == "third_octave_db"]
    bands = bands[bands["frequency_hz"].between(60.0, 12_000.0)]
    # Eight songs of a third of the default's length that differ by 2 to 4 dB from each other:
    # one and a half standard errors around the default's 1.5 dB.
    assert (bands["difference"].abs() < 4.0).all()
    assert bands["difference"].abs().mean() < 1.5
    share = bands["generated_deviation"] / bands["real_deviation"]
    assert share.median() > 0.5
    phi = table[table["quantity"] == "phi"]
    assert (phi["difference"].abs() < 0.05).all()
    others = table.set_index("quantity")["generated_mean"]
    assert 0.03 < others["side_share"] < 0.12
    assert 14.0 < others["crest_db"] < 19.0
    # Windows of 3 s leave little to tell apart in songs of 6.
    assert others["short_term_spread_lu"] > 0.5


def test_dry_sums_err_like_real_ones(generated):
    folder, _ = generated
    for dry in (folder / "dry").iterdir():
        audio = {path.stem: soundfile.read(path)[0] for path in dry.iterdir()}
        target = audio.pop("mixture")
        dry_sum = sum(audio.values())
        # A real song has 0.94, 0.16 and 0.08.
        assert 0.8 < panning_metrics(dry_sum, target, 44_100)["mape_mean"] < 1.05
        assert 0.02 < spectral_metrics(dry_sum, target, 44_100)["mape_mean"] < 0.6
        assert 0.02 < dynamics_metrics(dry_sum, target, 44_100)["mape_mean"] < 0.4


def test_statistics_of_stems_and_mixtures(generated):
    _, statistics = generated
    assert set(statistics) == {"train", "test", "dry"}
    for group in statistics.values():
        assert set(group) == {*STEMS, "mixture"}
        assert group["mixture"]["loudness_lufs"]["minimum"] >= -21.0
        assert group["mixture"]["loudness_lufs"]["maximum"] <= -14.0
        assert group["bass"]["low_share"]["minimum"] > 0.6
        for stem in STEMS:
            assert group[stem]["active_share"]["minimum"] > 0.2
            assert group[stem]["crest_db"]["minimum"] > 5.0
            assert group[stem]["crest_db"]["maximum"] < 26.0
    assert json.loads(json.dumps(statistics, allow_nan=False)) == statistics


def test_statistics_are_the_files_own(generated):
    folder, statistics = generated
    meter = pyloudnorm.Meter(44_100)
    measured = [
        meter.integrated_loudness(soundfile.read(song / "vocals.wav")[0])
        for song in (folder / "wet/train").iterdir()
    ]
    reported = statistics["train"]["vocals"]["loudness_lufs"]
    # Reported to four digits.
    assert reported["minimum"] == pytest.approx(min(measured), abs=1e-4)
    assert reported["maximum"] == pytest.approx(max(measured), abs=1e-4)
    assert reported["median"] == pytest.approx(np.median(measured), abs=1e-4)


def test_same_seed_gives_same_bytes_for_any_number_of_jobs(generated, tmp_path):
    folder, statistics = generated
    # Five songs fewer: the songs that remain do not change.
    smaller = CONFIG.model_copy(update={"training_songs": 1})
    again = synthesize(tmp_path / "raw", smaller, seed=3, jobs=1)
    for song in (tmp_path / "raw/wet").glob("*/*"):
        assert digest(song) == digest(folder / song.relative_to(tmp_path / "raw"))
    assert digest(tmp_path / "raw/dry") == digest(folder / "dry")
    assert digest(tmp_path / "raw/impulse_responses") == digest(folder / "impulse_responses")
    assert again["test"] == statistics["test"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"songs": 3}, "unknown key 'songs'"),
        ({"training_songs": 0}, "training_songs"),
        ({"duration_s": [20.0, 10.0]}, "rising order"),
        ({"duration_s": [1.0, 2.0]}, "from 4 to 600"),
        ({"engineer": {"balance_lu": {"piano": 1.0}}}, "unknown key 'engineer.balance_lu.piano'"),
        ({"engineer": {"extra": {"piano": []}}}, "unknown stem 'piano'"),
        ({"engineer": {"target_lufs": -3.0}}, "engineer.target_lufs"),
    ],
)
def test_faulty_settings_are_named(data, message):
    with pytest.raises(FxNormError, match=message) as caught:
        SynthesisConfig.parse(data, "params.yaml: synthesis")
    assert "\n" not in str(caught.value)


def test_faulty_extra_chain_fails_before_any_song(tmp_path):
    engineer = EngineerConfig(extra={"vocals": [{"processor": "Flanger"}]})
    config = CONFIG.model_copy(update={"engineer": engineer})
    with pytest.raises(FxNormError, match="unknown processor 'Flanger'"):
        synthesize(tmp_path / "raw", config, seed=0, jobs=1)
    assert not (tmp_path / "raw").exists()
