"""Compression: the choice of the setting, its branches and its limits.

"Row n" in names of tests: see `normalization_fixtures`.
"""

import math

import numpy as np
import pytest
from normalization_fixtures import SAMPLE_RATE, noise, sine

from fxnorm.audio import peak, peak_db
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    match_compression,
    mean_peak,
)
from fxnorm.normalization.matching import compression
from fxnorm.normalization.matching.compression import compress_channel
from fxnorm.stems import DEFAULT_STEMS, StemType

REFERENCE = (-14.0, 1.0)


def test_the_first_setting_of_the_scan_is_found() -> None:
    for seed, stem in enumerate(DEFAULT_STEMS):
        x = noise(1.5, 100 + seed)
        found = match_compression(x, SAMPLE_RATE, stem, REFERENCE)
        scanned = match_compression(x, SAMPLE_RATE, stem, REFERENCE, exhaustive=True)
        assert found[1] == scanned[1]
        np.testing.assert_array_equal(found[0], scanned[0])


def test_the_peaks_come_below_the_upper_bound() -> None:
    x = noise(2.0, 5)[:, 0].copy()
    result = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["drums"], REFERENCE)
    assert result.branch == "compressed"
    measured = mean_peak(result.samples, SAMPLE_RATE)
    assert measured is not None
    assert measured[0] == pytest.approx(result.output_mean_db, abs=1e-9)
    assert measured[0] < sum(REFERENCE)


@pytest.mark.parametrize(
    ("reference", "branch"), [((-11, 3.0), "in_range"), ((-2, 0.5), "too_low")]
)
def test_in_range_or_below_is_only_scaled(reference, branch) -> None:
    x = noise(2.0, 6)[:, 0].copy()
    result = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["vocals"], reference)
    assert result.branch == branch
    np.testing.assert_allclose(result.samples, x * (10**-0.5 / peak(x)), rtol=1e-6, atol=1e-9)


def test_expansion_lifts_peaks_above_the_lower_bound() -> None:
    x = noise(2.0, 7)[:, 0].copy()
    x[30_000] = 4.0  # one click holds the peak: all else lies low
    peaks = mean_peak(x * np.float32(10**-0.5 / 4.0), SAMPLE_RATE)
    assert peaks is not None
    reference = (peaks[0] + 4.0, 0.5)
    plain = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["bass"], reference)
    expanded = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["bass"], reference, expansion=True)
    scanned = compress_channel(
        x, SAMPLE_RATE, DEFAULT_STEMS["bass"], reference, expansion=True, exhaustive=True
    )
    assert plain.branch == "too_low"
    assert expanded.branch == "expanded"
    assert expanded.ratio is not None
    assert expanded.ratio < 1.0
    assert (expanded.ratio, expanded.threshold_db) == (scanned.ratio, scanned.threshold_db)
    measured = mean_peak(expanded.samples, SAMPLE_RATE)
    assert measured is not None
    assert measured[0] > reference[0] - reference[1]


def test_row_4_without_onsets_a_channel_is_only_scaled() -> None:
    x = np.zeros(30_000, np.float32)
    x[29_990] = 0.5  # in the last, incomplete frame
    result = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["other"], REFERENCE)
    assert result.branch == "no_onsets"
    assert peak_db(result.samples) == pytest.approx(-10.0, abs=1e-5)


def test_row_4_a_trial_without_onsets_is_no_success(monkeypatch) -> None:
    x = noise(1.5, 100)[:, 0].copy()
    results = iter([compression.detect_onsets(x, SAMPLE_RATE)])
    none = np.zeros(0, np.int64)
    monkeypatch.setattr(compression, "detect_onsets", lambda *_: next(results, none))
    result = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["drums"], (-14.0, 1.0), exhaustive=True)
    assert not result.reached
    assert (result.ratio, result.threshold_db) == (20.0, -40.0)
    assert result.output_mean_db is None


def test_row_8_without_success_the_last_setting_is_taken() -> None:
    x = noise(1.0, 8)[:, 0].copy()
    result = compress_channel(x, SAMPLE_RATE, DEFAULT_STEMS["other"], (-80.0, 1.0))
    assert (result.ratio, result.threshold_db) == (20.0, -40.0)
    assert not result.reached
    assert result.trials <= 5 * 17


def test_row_7_channels_are_matched_alone() -> None:
    x = noise(2.0, 9)
    y, chosen = match_compression(x * np.float32([1.0, 0.02]), SAMPLE_RATE, "drums", REFERENCE)
    z, same = match_compression(x, SAMPLE_RATE, "drums", REFERENCE)
    assert chosen == same
    np.testing.assert_allclose(y, z, atol=1e-6)


def test_quiet_channels_are_left_alone() -> None:
    x = np.stack([sine(440.0, -50.1), np.zeros(3 * SAMPLE_RATE, np.float32)], 1)
    y, chosen = match_compression(x, SAMPLE_RATE, "vocals", REFERENCE)
    np.testing.assert_array_equal(y, x)
    assert chosen == [None, None]


def test_a_stem_type_brings_its_settings_and_unknown_ones_the_defaults() -> None:
    x = noise(1.5, 100)
    vocals, guitar = (
        match_compression(x, SAMPLE_RATE, stem, REFERENCE)[0] for stem in ("vocals", "guitar")
    )
    assert np.abs(vocals - guitar).max() > 1e-3
    default = compress_channel(x[:, 0].copy(), SAMPLE_RATE, StemType(), REFERENCE)
    np.testing.assert_array_equal(guitar[:, 0], default.samples)
    steep = compress_channel(x[:, 0].copy(), SAMPLE_RATE, StemType(compressor_ratio=9), REFERENCE)
    assert (default.ratio, steep.ratio) == (4.0, 9.0)


@pytest.mark.parametrize("fault", [math.nan, math.inf])
def test_audio_that_is_not_finite_is_refused(fault) -> None:
    x = noise(0.5, 0)
    x[100, 1] = fault
    with pytest.raises(FxNormError, match="NaN or infinite"):
        match_compression(x, SAMPLE_RATE, "bass", (-20.0, 1.0))
    with pytest.raises(FxNormError, match="NaN or infinite"):
        mean_peak(x, SAMPLE_RATE)


def test_no_samples_give_no_samples() -> None:
    x = np.zeros((0, 2), np.float32)
    assert match_compression(x, SAMPLE_RATE, "bass", (-20.0, 1.0))[0].shape == (0, 2)
    assert mean_peak(x, SAMPLE_RATE) is None
