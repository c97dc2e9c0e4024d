"""Comparing generated songs with real ones."""

import numpy as np
import pandas as pd
import pytest

from fxnorm.audio import write
from fxnorm.conventions import STEMS
from fxnorm.data.synthesis.real_music import REAL_MUSIC, real_curve, third_octave_means
from fxnorm.errors import FxNormError
from fxnorm.normalization import DatasetFeatures
from fxnorm.reporting.song_comparison import (
    PHI_BANDS_HZ,
    compare_with_real_music,
    describe_mix,
    rounded,
)
from fxnorm.reporting.song_comparison_figure import comparison_figure

RATE = 44_100
BINS = 32_769


def sine(left, right, seconds=4.0, frequency=997.0):
    time_s = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * frequency * time_s)
    return np.stack([left * wave, right * wave], axis=1).astype(np.float32)


def value(table, quantity, frequency_hz=None):
    chosen = table[table["quantity"] == quantity]
    if frequency_hz is not None:
        chosen = chosen[(chosen["frequency_hz"] / frequency_hz - 1).abs() < 0.1]
    return chosen["value"].item()


def features(eq_db=0.0, phi=0.9):
    return DatasetFeatures(
        eq={stem: np.full(BINS, 10 ** (eq_db / 20)) for stem in STEMS},
        compression=dict.fromkeys(STEMS, (-14.0, 1.0)),
        panning={stem: np.full(BINS, phi) for stem in STEMS},
        loudness=dict.fromkeys(STEMS, -30.0),
    )


def test_a_sine_in_the_middle():
    table = describe_mix(sine(0.5, 0.5))
    # BS.1770: a 997-Hz sine in two channels reads its peak level, so at -30 LUFS both channels
    # together have an energy of -30 dB.
    assert value(table, "third_octave_db", 1008.0) == pytest.approx(-30.0, abs=0.05)
    others = table[(table["quantity"] == "third_octave_db")]["value"].drop(
        table[(table["frequency_hz"] == 1008.0)].index
    )
    assert others.max() < -60.0
    assert value(table, "side_share") == 0.0
    assert value(table, "crest_db") == pytest.approx(3.01, abs=0.02)
    assert value(table, "short_term_spread_lu") == pytest.approx(0.0, abs=0.01)
    np.testing.assert_allclose(table[table["quantity"] == "phi"]["value"], 1.0, atol=1e-6)


def test_a_sine_to_one_side():
    table = describe_mix(sine(0.5, 0.25))
    # phi = 2 r / (1 + r²), side share = (1 - r)² / (2 (1 + r²)) of the level ratio r.
    np.testing.assert_allclose(table[table["quantity"] == "phi"]["value"], 0.8, atol=1e-3)
    assert value(table, "side_share") == pytest.approx(0.1, abs=1e-4)


def test_levels_that_change_show_as_spread():
    audio = sine(0.5, 0.5, 12.0)
    audio[: 6 * RATE] *= 10 ** (-6 / 20)
    # Windows of 3 s: most lie wholly in one half.
    spread = value(describe_mix(audio), "short_term_spread_lu")
    assert spread == pytest.approx(6.0, abs=0.05)


def test_real_music_is_plain_figures_with_their_source():
    table = pd.read_csv(REAL_MUSIC)
    assert set(table["source"]) == {"13 human mixes", "MUSDB18 features"}
    assert set(table["part"]) == {"mixture", *STEMS}
    mixes = table[table["part"] == "mixture"]
    assert (mixes["minimum"] <= mixes["mean"]).all()
    assert (mixes["mean"] <= mixes["maximum"]).all()
    assert (mixes["quantity"] == "phi").sum() == len(PHI_BANDS_HZ)
    for stem in STEMS:
        frequencies, phi = real_curve(stem, "phi")
        np.testing.assert_array_equal(frequencies, real_curve(stem, "eq_db")[0])
        assert np.all((phi > 0.8) & (phi < 1.0))


def test_means_over_third_octaves():
    curve = np.arange(BINS, dtype=float)
    centres = np.array([100.0, 1000.0])
    bin_hz = RATE / 65_536
    expected = [
        np.mean([k for k in range(BINS) if c * 2 ** (-1 / 6) <= k * bin_hz < c * 2 ** (1 / 6)])
        for c in centres
    ]
    np.testing.assert_allclose(third_octave_means(curve, centres), expected)


def test_songs_and_features_beside_real_ones(tmp_path):
    mixes = {"train/a": sine(0.5, 0.5), "train/b": sine(0.5, 0.25), "test/c": sine(0.5, 0.5)}
    for name, audio in mixes.items():
        for file in (*STEMS, "mixture"):
            write(tmp_path / "wet" / name / f"{file}.wav", audio, RATE)
    table = compare_with_real_music(tmp_path, features(eq_db=20.0), jobs=1)
    side = table[table["quantity"] == "side_share"].iloc[0]
    assert side["generated_mean"] == pytest.approx(0.1 / 3, abs=1e-4)
    assert side["generated_deviation"] == pytest.approx(np.std([0, 0.1, 0], ddof=1), abs=1e-4)
    assert side["difference"] == pytest.approx(side["generated_mean"] - side["real_mean"])
    stems = table[table["part"] != "mixture"]
    np.testing.assert_allclose(stems[stems["quantity"] == "eq_db"]["generated_mean"], 20.0)
    np.testing.assert_allclose(stems[stems["quantity"] == "phi"]["generated_mean"], 0.9)
    assert set(stems[stems["quantity"] == "peaks_db"]["generated_mean"]) == {-14.0}
    assert set(compare_with_real_music(tmp_path, None, jobs=1)["part"]) == {"mixture"}
    text = rounded(table).to_csv(index=False)
    assert "0.033" in text
    numbers = [cell for cell in text.replace("\n", ",").split(",") if cell[:1].isdigit()]
    assert max(len(number) for number in numbers if " " not in number) <= 7
    figure = comparison_figure(table)
    assert len(figure.axes) == 4
    assert all(axes.lines for axes in figure.axes)


def test_a_folder_without_songs_is_named(tmp_path):
    with pytest.raises(FxNormError, match="wet/train: no such data set folder"):
        compare_with_real_music(tmp_path, None)
