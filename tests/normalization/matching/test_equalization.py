"""Equalisation: its definition, its invariances and its limit.

"Row n" in names of tests: see `normalization_fixtures`.
"""

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from normalization_fixtures import SAMPLE_RATE, noise, sine

from fxnorm.audio import db, from_db, integrated_loudness, peak
from fxnorm.conventions import LONG_TERM_BINS as BINS
from fxnorm.conventions import LONG_TERM_HOP
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    match_equalization,
)
from fxnorm.normalization.matching.equalization import (
    _filter_twice,
    _mean_magnitude,
    equalize_channels,
    mean_spectrum,
)
from fxnorm.normalization.matching.loudness import measure


def filtered_twice(x, taps):
    filtered = np.empty_like(x)
    _filter_twice(x, 1.0, taps, filtered)
    return filtered


def test_the_spectrum_becomes_the_reference() -> None:
    """Where wanted response and spectrum are smooth the result's spectrum is the reference."""
    rng = np.random.default_rng(0)
    x = (0.1 * rng.standard_normal(60 * SAMPLE_RATE)).astype(np.float32)
    frequencies = np.linspace(0, SAMPLE_RATE / 2, BINS)
    shape = 1.0 / (1.0 + (frequencies / 2000.0) ** 2) ** 0.5 + 0.05
    y = match_equalization(x, SAMPLE_RATE, shape)
    bands = [(100, 400), (400, 1500), (1500, 5000), (5000, 15_000)]
    spectrum = mean_spectrum(y)
    for low, high in bands:
        band = (frequencies >= low) & (frequencies < high)
        difference_db = db(spectrum[band]).mean() - db(shape[band]).mean()
        # The magnitudes are estimated from noise (13 independent frames, 1,025 bins).
        assert abs(difference_db) < 0.3


def test_the_filter_s_response_is_the_wanted_one_twice() -> None:
    taps = scipy.signal.firwin2(1001, [0, 0.2, 0.5, 1], [1.0, 2.0, 0.3, 0.3])
    x = np.zeros(65_536, np.float32)
    x[32_768] = 1.0
    response = np.abs(np.fft.rfft(filtered_twice(x, taps)))
    expected = np.abs(np.fft.rfft(taps, 65_536)) ** 2
    np.testing.assert_allclose(response, expected, atol=1e-6)  # single-precision output


@settings(max_examples=12, deadline=None)
@given(st.integers(3100, 60_000), st.integers(0, 2**32 - 1))
def test_filtering_is_scipy_s_filtfilt(samples, seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(samples).astype(np.float32)
    taps = scipy.signal.firwin2(1001, [0, 0.1, 0.6, 1], rng.uniform(0.1, 3.0, 4))
    expected = scipy.signal.filtfilt(taps, 1.0, x.astype(float))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(filtered_twice(x, taps), expected, atol=2e-7 * scale)


def test_folded_frames_give_every_32nd_bin() -> None:
    x = noise(4.0, 3)[:, 0].copy()
    # The folded frames are transformed in double, all bins in single.
    np.testing.assert_allclose(
        _mean_magnitude(x, 1.0, skip_silence=False), mean_spectrum(x)[::32], rtol=5e-5
    )


def test_row_6_boost_is_limited() -> None:
    """An empty band stays quiet; the released code lifts it to the reference."""
    x = noise(3.0, 1, 100.0, 2000.0)[:, 0]
    sections = scipy.signal.butter(10, 8000.0, fs=SAMPLE_RATE, output="sos")
    x = scipy.signal.sosfiltfilt(sections, x).astype(np.float32)
    flat = np.ones(BINS)
    free = match_equalization(x, SAMPLE_RATE, flat)
    limited = match_equalization(x, SAMPLE_RATE, flat, max_boost_db=24.0)
    gain = from_db(-30.0 - measure(x, SAMPLE_RATE))
    band = slice(round(15_000 / SAMPLE_RATE * 65_536), round(20_000 / SAMPLE_RATE * 65_536))
    before = db(mean_spectrum((gain * x).astype(np.float32))[band]).mean()
    assert db(mean_spectrum(limited)[band]).mean() - before < 24.5
    assert db(mean_spectrum(free)[band]).mean() - before > 40.0
    assert equalize_channels(x[None], flat, 24.0)[0].largest_boost_db == pytest.approx(24.0)


def test_row_7_each_channel_is_brought_to_the_level_alone() -> None:
    x = noise(3.0, 2)
    y = match_equalization(x * np.float32([1.0, 0.1]), SAMPLE_RATE, np.ones(BINS))
    z = match_equalization(x, SAMPLE_RATE, np.ones(BINS))
    np.testing.assert_allclose(y, z, atol=1e-4 * peak(z))
    channels = np.ascontiguousarray((x * np.float32([1.0, 0.1])).T)
    for result, channel in zip(
        equalize_channels(channels, np.ones(BINS), 24.0), channels, strict=True
    ):
        level = integrated_loudness(channel, SAMPLE_RATE)
        assert result.level_gain_db == pytest.approx(-30.0 - level, abs=1e-4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples=st.integers(1, 70_000), channels=st.integers(0, 2), level_db=st.floats(-49, 20))
def test_any_length_and_channel_count(samples, channels, level_db) -> None:
    shape = (samples,) + ((channels,) if channels else ())
    x = np.random.default_rng(samples).uniform(-1, 1, shape)
    x = (x / max(peak(x), 1e-3) * 10 ** (level_db / 20)).astype(np.float32)
    y = match_equalization(x, SAMPLE_RATE, np.ones(BINS), max_boost_db=24.0)
    assert y.shape == shape
    assert np.isfinite(y).all()


def test_quiet_channels_and_silence_are_left_alone() -> None:
    x = np.stack([sine(440.0, -50.1), np.zeros(3 * SAMPLE_RATE, np.float32)], 1)
    np.testing.assert_array_equal(match_equalization(x, SAMPLE_RATE, np.ones(BINS)), x)


def test_silence_inside_stays_exactly_silent() -> None:
    """Rounding noise there would count as signal when positions are measured."""
    x = noise(3.0, 4)[:, 0].copy()
    x[40_000:80_000] = 0.0
    y = match_equalization(x, SAMPLE_RATE, np.ones(BINS))
    assert not y[41_001:78_999].any()


def test_wrong_use_is_explained() -> None:
    with pytest.raises(FxNormError, match="48000 Hz"):
        match_equalization(np.zeros(10), 48_000, np.ones(BINS))
    with pytest.raises(FxNormError, match="32769 bins"):
        match_equalization(np.zeros(10), SAMPLE_RATE, np.ones(1025))


@pytest.mark.parametrize("fault", [math.nan, math.inf])
def test_audio_that_is_not_finite_is_refused(fault) -> None:
    x = noise(0.5, 0)
    x[100, 1] = fault
    with pytest.raises(FxNormError, match="NaN or infinite"):
        match_equalization(x, SAMPLE_RATE, np.ones(BINS))


def test_no_samples_give_no_samples() -> None:
    x = np.zeros((0, 2), np.float32)
    assert match_equalization(x, SAMPLE_RATE, np.ones(BINS)).shape == (0, 2)


def test_finite_numbers_of_a_quiet_sine() -> None:
    """A single click above -50 dBFS but below the loudness gate is no reason for NaN."""
    x = np.zeros(2 * SAMPLE_RATE, np.float32)
    x[500] = 0.01
    assert measure(x, SAMPLE_RATE) == -math.inf
    y = match_equalization(x, SAMPLE_RATE, np.ones(BINS), max_boost_db=24.0)
    assert np.isfinite(y).all()


def test_a_long_channel_is_measured_in_parts_as_at_once(monkeypatch):
    noise = np.random.default_rng(0).normal(0.0, 0.1, (1, 20 * LONG_TERM_HOP)).astype(np.float32)
    flat = np.ones(BINS)
    (whole,) = equalize_channels(noise, flat, 24.0)
    monkeypatch.setattr("fxnorm.normalization.matching.equalization._FRAMES_AT_ONCE", 7)
    (parts,) = equalize_channels(noise, flat, 24.0)
    np.testing.assert_allclose(parts.samples, whole.samples, atol=1e-6)
