"""Panning: known positions, the cut-off and its limits.

"Row n" in names of tests: see `normalization_fixtures`.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from normalization_fixtures import SAMPLE_RATE, noise, reference_features

from fxnorm.audio import db, peak
from fxnorm.conventions import LONG_TERM_BINS as BINS
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    NormalizationConfig,
    match_panning,
    position,
)
from fxnorm.normalization.matching.panning import pan_channels, reference_curve
from fxnorm.stems import DEFAULT_STEMS, StemType


def panned(left: float, right: float, seconds: float = 4.0) -> np.ndarray:
    mono = np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE))
    return (0.1 * mono[:, None] * [left, right]).astype(np.float32)


@pytest.mark.parametrize("wanted", [0.95, 0.7, 0.3])
@pytest.mark.parametrize(("left", "right"), [(0.6, 0.4), (0.45, 0.55), (0.9, 0.1)])
def test_a_known_position_moves_to_the_reference(left, right, wanted) -> None:
    y = match_panning(panned(left, right), SAMPLE_RATE, "other", np.full(BINS, wanted))
    _, phi = position(y[4096:-4096], 2048, 1024)
    q = 0.9 * wanted / 2.0
    expected = 2 * q * (1 - q) / (q**2 + (1 - q) ** 2)  # φ of linear-law gains q and 1 − q
    # The position gains of φ are those of the linear law only for φ = 1; the offset pan puts
    # the source at q' = φ'/2 in place of its true position.
    offset = np.array([0.3 * left, 0.7 * right] if right > left else [0.7 * left, 0.3 * right])
    before = 2 * offset.prod() / (offset**2).sum()
    far, near = np.sort(offset)
    far, near = far * q / (before / 2), near * (1 - q) / (1 - before / 2)
    expected = 2 * far * near / (far**2 + near**2)
    np.testing.assert_allclose(phi[:, 100:700].mean(), expected, atol=2e-3)
    sides = np.abs(y).mean(axis=0)
    assert (sides[1] > sides[0]) == (right > left)


def test_row_1_the_cut_off_is_along_frequency() -> None:
    x = panned(0.6, 0.4, 25.0)
    reference = np.full(BINS, 0.3)

    def phis(quirks: bool, stem: str) -> np.ndarray:
        y = match_panning(x, SAMPLE_RATE, stem, reference, released_quirks=quirks)
        return position(y, 2048, 1024)[1]

    offset_only = 2 * 0.42 * 0.12 / (0.42**2 + 0.12**2)
    for stem, cutoff in (("other", 743), ("drums", 278)):
        spectrum = phis(False, stem)[5:-5].mean(axis=0)
        np.testing.assert_allclose(spectrum[cutoff + 8 : -8], offset_only, atol=5e-3)
        assert (np.abs(spectrum[8 : cutoff - 8] - offset_only) > 0.1).all()
        # Frame k of the padded signal is frame k − 2 of the output.
        course = phis(True, stem)[:, 8:-8].mean(axis=1)
        np.testing.assert_allclose(course[cutoff:-5], offset_only, atol=5e-3)
        assert (np.abs(course[5 : cutoff - 5] - offset_only) > 0.1).all()
        last_bins = phis(True, stem)[5 : cutoff - 5, -100:-8].mean(axis=0)
        assert (np.abs(last_bins - offset_only) > 0.1).all()


@pytest.mark.parametrize(("quirks", "expected"), [(False, 0), (True, 1)])
def test_row_10_a_mono_stem_leans_to_both_sides(quirks, expected) -> None:
    """The released code puts it on the right."""
    x = np.ascontiguousarray(panned(0.5, 0.5).T)
    settings = DEFAULT_STEMS["other"], np.full(BINS, 0.9)
    y, side = pan_channels(x, *settings, released_quirks=quirks)
    assert side == expected
    left, right = (db(np.sqrt(np.square(channel.astype(float)).mean())) for channel in y)
    assert (abs(left - right) < 1.0) == (not quirks)
    if not quirks:
        np.testing.assert_allclose(y.sum(axis=0), x[0], atol=1e-5)
        phi = position(y.T, 2048, 1024)[1][5:-5].mean(axis=0)
        # The bins beside a band's edge hold some of both bands.
        np.testing.assert_allclose(np.median(phi[30:-20]), 0.9 * 0.9, atol=5e-3)
        np.testing.assert_allclose(phi[:3], 1.0, atol=0.02)


def test_both_sides_of_a_mono_stem_have_the_same_power_whatever_its_spectrum() -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    # In the first and in the third third octave.
    stem = 0.2 * sum(np.sin(2.0 * np.pi * hz * time_s) for hz in (105.0, 190.0))
    y = match_panning(stem, SAMPLE_RATE, "other", np.full(BINS, 0.8)).astype(float)
    left, right = (y**2).mean(axis=0)
    assert abs(10.0 * np.log10(left / right)) < 0.3


def test_row_10_gains_are_limited() -> None:
    """A dither-level channel is lifted by 24 dB, in the released code by up to 62 dB."""
    x = panned(0.5, 0.0)
    x[:, 1] = 1e-5 * np.random.default_rng(1).standard_normal(len(x))
    reference = np.full(BINS, 1.0)
    rms = [
        np.sqrt(
            (match_panning(x, SAMPLE_RATE, "other", reference, released_quirks=q)[:, 1] ** 2)
            .astype(float)
            .mean()
        )
        for q in (False, True)
    ]
    assert db(rms[0] / 1e-5) < 24.0 + db(0.3) + 0.5
    assert db(rms[1] / 1e-5) > 40.0


def test_mirrored_channels_give_the_mirrored_result() -> None:
    x = noise(3.0, 11) * np.float32([1.0, 0.5])
    reference = reference_features().panning["vocals"]
    y = match_panning(x, SAMPLE_RATE, "vocals", reference)
    z = match_panning(x[:, ::-1], SAMPLE_RATE, "vocals", reference)
    # 1e-6 of the peak: single-precision transforms.
    np.testing.assert_allclose(z[:, ::-1], y, atol=1e-6 * peak(y))


def test_quiet_frames_get_the_offset_only() -> None:
    """Below -10 dB in every bin of |L + R| (here: after the offset) nothing is re-panned."""
    x = panned(0.6, 0.4) * np.float32(1e-3)
    y = match_panning(x, SAMPLE_RATE, "other", np.full(BINS, 0.3))
    np.testing.assert_allclose(y, x * np.float32([0.7, 0.3]), atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9000), st.integers(0, 2), st.booleans())
def test_any_length_and_channel_count(samples, channels, quirks) -> None:
    shape = (samples,) + ((channels,) if channels else ())
    x = np.random.default_rng(samples).uniform(-1, 1, shape).astype(np.float32)
    y = match_panning(x, SAMPLE_RATE, "bass", np.full(BINS, 0.8), released_quirks=quirks)
    assert y.shape == (samples, 2)
    assert np.isfinite(y).all()


def test_silence_stays_silent_and_has_a_position() -> None:
    x = np.zeros((5000, 2), np.float32)
    assert not match_panning(x, SAMPLE_RATE, "bass", np.full(BINS, 0.8)).any()
    sps, phi = position(x, 2048, 1024)
    assert (phi == 1.0).all()
    assert (sps == 0.0).all()


def test_positions_of_known_signals() -> None:
    for left, right in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.8, 0.2), (0.2, 0.8)):
        sps, phi = position(panned(left, right, 0.5), 2048, 1024)
        expected = 2 * left * right / (left**2 + right**2)
        np.testing.assert_allclose(phi, expected, atol=1e-3)  # few bins are nearly empty
        np.testing.assert_allclose(sps, (1 - expected) * np.sign(right - left), atol=1e-3)


def test_the_reference_curve_is_means_of_32_bins() -> None:
    phi = np.arange(BINS) / BINS
    curve = reference_curve(phi)
    assert curve.shape == (1025,)
    assert curve[3] == pytest.approx(0.9 * phi[96:128].mean())
    assert curve[-1] == pytest.approx(0.9 * phi[-1])


def test_wrong_use_is_explained() -> None:
    with pytest.raises(FxNormError, match="22050 Hz"):
        match_panning(np.zeros((10, 2)), 22_050, "bass", np.ones(BINS))
    with pytest.raises(FxNormError, match="3 channels"):
        match_panning(np.zeros((10, 3)), SAMPLE_RATE, "bass", np.ones(BINS))


@pytest.mark.parametrize("fault", [math.nan, math.inf])
def test_audio_that_is_not_finite_is_refused(fault) -> None:
    x = noise(0.5, 0)
    x[100, 1] = fault
    with pytest.raises(FxNormError, match="NaN or infinite"):
        match_panning(x, SAMPLE_RATE, "bass", np.ones(BINS))
    with pytest.raises(FxNormError, match="NaN or infinite"):
        position(x, 2048, 1024)


def test_no_samples_give_no_samples() -> None:
    x = np.zeros((0, 2), np.float32)
    assert match_panning(x, SAMPLE_RATE, "bass", np.ones(BINS)).shape == (0, 2)


def test_the_limit_without_a_configuration_is_the_configuration_s() -> None:
    x = panned(0.5, 0.0)
    x[:, 1] = 1e-5 * np.random.default_rng(1).standard_normal(len(x))
    reference = np.full(BINS, 1.0)
    limit_db = NormalizationConfig().panning_max_gain_db
    np.testing.assert_array_equal(
        match_panning(x, SAMPLE_RATE, "other", reference),
        match_panning(x, SAMPLE_RATE, "other", reference, max_gain_db=limit_db),
    )
    wider = match_panning(x, SAMPLE_RATE, "other", reference, max_gain_db=limit_db + 1.0)
    assert not np.array_equal(match_panning(x, SAMPLE_RATE, "other", reference), wider)


def test_the_cut_off_is_the_stem_type_s() -> None:
    x = np.ascontiguousarray(panned(0.6, 0.4, 2.0).T)
    low, _ = pan_channels(x, StemType(panning_cutoff_hz=3000.0), np.full(BINS, 0.3))
    phi = position(low.T, 2048, 1024)[1][3:-3].mean(axis=0)
    offset_only = 2 * 0.42 * 0.12 / (0.42**2 + 0.12**2)
    np.testing.assert_allclose(phi[160:-8], offset_only, atol=5e-3)
    assert (np.abs(phi[8:130] - offset_only) > 0.1).all()
