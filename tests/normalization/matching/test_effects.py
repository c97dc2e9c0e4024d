"""Each effect against closed forms, invariances, and the rows of departures from the released code.

"Row n" names a row of the project's table of departures (docs: released behaviour).
"""

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from normalization_fixtures import SAMPLE_RATE, noise, reference_features

from fxnorm.audio import db, from_db, integrated_loudness, peak, peak_db
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    match_compression,
    match_equalization,
    match_panning,
    mean_peak,
    normalize_loudness,
    position,
)
from fxnorm.normalization.dataset_features import BINS
from fxnorm.normalization.matching import compression
from fxnorm.normalization.matching.compression import SETTINGS, compress_channel
from fxnorm.normalization.matching.equalization import (
    _filter_twice,
    _mean_magnitude,
    equalize_channels,
    mean_spectrum,
)
from fxnorm.normalization.matching.loudness import measure
from fxnorm.normalization.matching.panning import pan_channels, reference_curve


@pytest.mark.parametrize("fault", [math.nan, math.inf])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: normalize_loudness(x, SAMPLE_RATE, -20.0),
        lambda x: match_equalization(x, SAMPLE_RATE, np.ones(BINS)),
        lambda x: match_compression(x, SAMPLE_RATE, "bass", (-20.0, 1.0)),
        lambda x: match_panning(x, SAMPLE_RATE, "bass", np.ones(BINS)),
        lambda x: mean_peak(x, SAMPLE_RATE),
        lambda x: position(x, 2048, 1024),
    ],
)
def test_audio_that_is_not_finite_is_refused(function, fault) -> None:
    audio = noise(0.5, 0)
    audio[100, 1] = fault
    with pytest.raises(FxNormError, match="NaN or infinite"):
        function(audio)


def sine(frequency_hz: float, level_db: float, seconds: float = 3.0) -> np.ndarray:
    phase = 2 * np.pi * frequency_hz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10 ** (level_db / 20) * np.sin(phase)).astype(np.float32)


class TestLoudness:
    def test_a_sine_of_997_hz_in_both_channels(self) -> None:
        """BS.1770: 0 dBFS in one channel reads -3.01 LUFS, in both 0 LUFS."""
        one = sine(997.0, -20.0)
        assert measure(np.stack([one, one], 1), SAMPLE_RATE) == pytest.approx(-20.0, abs=0.05)
        out = normalize_loudness(one, SAMPLE_RATE, -30.0)
        # -0.691 dB and the filter's +0.69 dB at 997 Hz cancel: RMS = peak − 3.01 dB = -30.
        assert peak_db(out) == pytest.approx(-30.0 + 3.01, abs=0.05)

    @settings(max_examples=25, deadline=None)
    @given(
        seconds=st.floats(0.45, 3.0),
        rate=st.sampled_from([22_050, 44_100, 48_000, 96_000]),
        channels=st.integers(0, 2),
        level_db=st.floats(-60, 40),
        seed=st.integers(0, 99),
    )
    def test_the_target_is_met_unless_it_would_clip(
        self, seconds, rate, channels, level_db, seed
    ) -> None:
        shape = (int(seconds * rate),) + ((channels,) if channels else ())
        x = np.random.default_rng(seed).standard_normal(shape) * 10 ** (level_db / 20)
        y = normalize_loudness(x.astype(np.float32), rate, -18.0)
        assert y.dtype == np.float32
        assert y.shape == shape
        assert peak(y) < 1.0
        reached = integrated_loudness(y, rate)
        if peak(y) < 0.999:
            # 1e-5 LU: the added 1e-10 and single precision.
            assert reached == pytest.approx(-18.0, abs=1e-5)
        else:
            assert reached < -18.0

    def test_gain_before_has_no_effect(self) -> None:
        x = noise(2.0, 0)
        np.testing.assert_allclose(
            normalize_loudness(x, SAMPLE_RATE, -25.0),
            normalize_loudness(x * np.float32(0.05), SAMPLE_RATE, -25.0),
            rtol=1e-5,  # the added 1e-10 weighs more on the quieter one
            atol=1e-9,
        )

    @pytest.mark.parametrize("x", [np.zeros((50_000, 2)), np.ones((4000, 2)) * 0.1, np.zeros(0)])
    def test_row_5_without_a_loudness_audio_is_unchanged(self, x) -> None:
        x = x.astype(np.float32)
        np.testing.assert_array_equal(normalize_loudness(x, SAMPLE_RATE, -20.0), x)


class TestEqualization:
    def test_the_spectrum_becomes_the_reference(self) -> None:
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

    def test_the_filter_s_response_is_the_wanted_one_twice(self) -> None:
        taps = scipy.signal.firwin2(1001, [0, 0.2, 0.5, 1], [1.0, 2.0, 0.3, 0.3])
        x = np.zeros(65_536, np.float32)
        x[32_768] = 1.0
        response = np.abs(np.fft.rfft(_filter_twice(x, taps)))
        expected = np.abs(np.fft.rfft(taps, 65_536)) ** 2
        np.testing.assert_allclose(response, expected, atol=1e-6)  # single-precision output

    @settings(max_examples=12, deadline=None)
    @given(st.integers(3100, 60_000), st.integers(0, 2**32 - 1))
    def test_filtering_is_scipy_s_filtfilt(self, samples, seed) -> None:
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(samples).astype(np.float32)
        taps = scipy.signal.firwin2(1001, [0, 0.1, 0.6, 1], rng.uniform(0.1, 3.0, 4))
        expected = scipy.signal.filtfilt(taps, 1.0, x.astype(float))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(_filter_twice(x, taps), expected, atol=2e-7 * scale)

    def test_folded_frames_give_every_32nd_bin(self) -> None:
        x = noise(4.0, 3)[:, 0].copy()
        np.testing.assert_allclose(_mean_magnitude(x), mean_spectrum(x)[::32], rtol=1e-9)

    def test_row_6_boost_is_limited(self) -> None:
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

    def test_row_7_each_channel_is_brought_to_the_level_alone(self) -> None:
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
    def test_any_length_and_channel_count(self, samples, channels, level_db) -> None:
        shape = (samples,) + ((channels,) if channels else ())
        x = np.random.default_rng(samples).uniform(-1, 1, shape)
        x = (x / max(peak(x), 1e-3) * 10 ** (level_db / 20)).astype(np.float32)
        y = match_equalization(x, SAMPLE_RATE, np.ones(BINS), max_boost_db=24.0)
        assert y.shape == shape
        assert np.isfinite(y).all()

    def test_quiet_channels_and_silence_are_left_alone(self) -> None:
        x = np.stack([sine(440.0, -50.1), np.zeros(3 * SAMPLE_RATE, np.float32)], 1)
        np.testing.assert_array_equal(match_equalization(x, SAMPLE_RATE, np.ones(BINS)), x)

    def test_silence_inside_stays_exactly_silent(self) -> None:
        """Rounding noise there would count as signal when positions are measured."""
        x = noise(3.0, 4)[:, 0].copy()
        x[40_000:80_000] = 0.0
        y = match_equalization(x, SAMPLE_RATE, np.ones(BINS))
        assert not y[41_001:78_999].any()

    def test_wrong_use_is_explained(self) -> None:
        with pytest.raises(FxNormError, match="48000 Hz"):
            match_equalization(np.zeros(10), 48_000, np.ones(BINS))
        with pytest.raises(FxNormError, match="32769 bins"):
            match_equalization(np.zeros(10), SAMPLE_RATE, np.ones(1025))


class TestCompression:
    REFERENCE = (-14.0, 1.0)

    def test_the_first_setting_of_the_scan_is_found(self) -> None:
        for seed, stem in enumerate(SETTINGS):
            x = noise(1.5, 100 + seed)
            found = match_compression(x, SAMPLE_RATE, stem, self.REFERENCE)
            scanned = match_compression(x, SAMPLE_RATE, stem, self.REFERENCE, exhaustive=True)
            assert found[1] == scanned[1]
            np.testing.assert_array_equal(found[0], scanned[0])

    def test_the_peaks_come_below_the_upper_bound(self) -> None:
        x = noise(2.0, 5)[:, 0].copy()
        result = compress_channel(x, SAMPLE_RATE, "drums", self.REFERENCE)
        assert result.branch == "compressed"
        measured = mean_peak(result.samples, SAMPLE_RATE)
        assert measured is not None
        assert measured[0] == pytest.approx(result.output_mean_db, abs=1e-9)
        assert measured[0] < sum(self.REFERENCE)

    @pytest.mark.parametrize(
        ("reference", "branch"), [((-11, 3.0), "in_range"), ((-2, 0.5), "too_low")]
    )
    def test_in_range_or_below_is_only_scaled(self, reference, branch) -> None:
        x = noise(2.0, 6)[:, 0].copy()
        result = compress_channel(x, SAMPLE_RATE, "vocals", reference)
        assert result.branch == branch
        np.testing.assert_allclose(result.samples, x * (10**-0.5 / peak(x)), rtol=1e-6, atol=1e-9)

    def test_expansion_lifts_peaks_above_the_lower_bound(self) -> None:
        x = noise(2.0, 7)[:, 0].copy()
        x[30_000] = 4.0  # one click holds the peak: all else lies low
        peaks = mean_peak(x * np.float32(10**-0.5 / 4.0), SAMPLE_RATE)
        assert peaks is not None
        reference = (peaks[0] + 4.0, 0.5)
        plain = compress_channel(x, SAMPLE_RATE, "bass", reference)
        expanded = compress_channel(x, SAMPLE_RATE, "bass", reference, expansion=True)
        scanned = compress_channel(
            x, SAMPLE_RATE, "bass", reference, expansion=True, exhaustive=True
        )
        assert plain.branch == "too_low"
        assert expanded.branch == "expanded"
        assert expanded.ratio is not None
        assert expanded.ratio < 1.0
        assert (expanded.ratio, expanded.threshold_db) == (scanned.ratio, scanned.threshold_db)
        measured = mean_peak(expanded.samples, SAMPLE_RATE)
        assert measured is not None
        assert measured[0] > reference[0] - reference[1]

    def test_row_4_without_onsets_a_channel_is_only_scaled(self) -> None:
        x = np.zeros(30_000, np.float32)
        x[29_990] = 0.5  # in the last, incomplete frame
        result = compress_channel(x, SAMPLE_RATE, "other", self.REFERENCE)
        assert result.branch == "no_onsets"
        assert peak_db(result.samples) == pytest.approx(-10.0, abs=1e-5)

    def test_row_4_a_trial_without_onsets_is_no_success(self, monkeypatch) -> None:
        x = noise(1.5, 100)[:, 0].copy()
        results = iter([compression.detect_onsets(x, SAMPLE_RATE)])
        none = np.zeros(0, np.int64)
        monkeypatch.setattr(compression, "detect_onsets", lambda *_: next(results, none))
        result = compress_channel(x, SAMPLE_RATE, "drums", (-14.0, 1.0), exhaustive=True)
        assert not result.reached
        assert (result.ratio, result.threshold_db) == (20.0, -40.0)
        assert result.output_mean_db is None

    def test_row_8_without_success_the_last_setting_is_taken(self) -> None:
        x = noise(1.0, 8)[:, 0].copy()
        result = compress_channel(x, SAMPLE_RATE, "other", (-80.0, 1.0))
        assert (result.ratio, result.threshold_db) == (20.0, -40.0)
        assert not result.reached
        assert result.trials <= 5 * 17

    def test_row_7_channels_are_matched_alone(self) -> None:
        x = noise(2.0, 9)
        y, chosen = match_compression(
            x * np.float32([1.0, 0.02]), SAMPLE_RATE, "drums", self.REFERENCE
        )
        z, same = match_compression(x, SAMPLE_RATE, "drums", self.REFERENCE)
        assert chosen == same
        np.testing.assert_allclose(y, z, atol=1e-6)

    def test_quiet_channels_are_left_alone(self) -> None:
        x = np.stack([sine(440.0, -50.1), np.zeros(3 * SAMPLE_RATE, np.float32)], 1)
        y, chosen = match_compression(x, SAMPLE_RATE, "vocals", self.REFERENCE)
        np.testing.assert_array_equal(y, x)
        assert chosen == [None, None]

    def test_unknown_stem_types_are_named(self) -> None:
        with pytest.raises(FxNormError, match="'guitar'"):
            match_compression(noise(0.5, 0), SAMPLE_RATE, "guitar", self.REFERENCE)


class TestPanning:
    def panned(self, left: float, right: float, seconds: float = 4.0) -> np.ndarray:
        mono = np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE))
        return (0.1 * mono[:, None] * [left, right]).astype(np.float32)

    @pytest.mark.parametrize("wanted", [0.95, 0.7, 0.3])
    @pytest.mark.parametrize(("left", "right"), [(0.6, 0.4), (0.45, 0.55), (0.9, 0.1)])
    def test_a_known_position_moves_to_the_reference(self, left, right, wanted) -> None:
        y = match_panning(self.panned(left, right), SAMPLE_RATE, "other", np.full(BINS, wanted))
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

    def test_row_1_the_cut_off_is_along_frequency(self) -> None:
        x = self.panned(0.6, 0.4, 25.0)
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

    def test_row_10_a_mono_stem_goes_right(self) -> None:
        x = self.panned(0.5, 0.5)
        _, side = pan_channels(np.ascontiguousarray(x.T), "other", np.full(BINS, 0.9))
        assert side == 1

    def test_row_10_gains_are_limited(self) -> None:
        """A dither-level channel is lifted by 24 dB, in the released code by up to 62 dB."""
        x = self.panned(0.5, 0.0)
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

    def test_mirrored_channels_give_the_mirrored_result(self) -> None:
        x = noise(3.0, 11) * np.float32([1.0, 0.5])
        reference = reference_features().panning["vocals"]
        y = match_panning(x, SAMPLE_RATE, "vocals", reference)
        z = match_panning(x[:, ::-1], SAMPLE_RATE, "vocals", reference)
        # 1e-6 of the peak: single-precision transforms.
        np.testing.assert_allclose(z[:, ::-1], y, atol=1e-6 * peak(y))

    def test_quiet_frames_get_the_offset_only(self) -> None:
        """Below -10 dB in every bin of |L + R| (here: after the offset) nothing is re-panned."""
        x = self.panned(0.6, 0.4) * np.float32(1e-3)
        y = match_panning(x, SAMPLE_RATE, "other", np.full(BINS, 0.3))
        np.testing.assert_allclose(y, x * np.float32([0.7, 0.3]), atol=1e-9)

    @settings(max_examples=15, deadline=None)
    @given(st.integers(1, 9000), st.integers(0, 2), st.booleans())
    def test_any_length_and_channel_count(self, samples, channels, quirks) -> None:
        shape = (samples,) + ((channels,) if channels else ())
        x = np.random.default_rng(samples).uniform(-1, 1, shape).astype(np.float32)
        y = match_panning(x, SAMPLE_RATE, "bass", np.full(BINS, 0.8), released_quirks=quirks)
        assert y.shape == (samples, 2)
        assert np.isfinite(y).all()

    def test_silence_stays_silent_and_has_a_position(self) -> None:
        x = np.zeros((5000, 2), np.float32)
        assert not match_panning(x, SAMPLE_RATE, "bass", np.full(BINS, 0.8)).any()
        sps, phi = position(x, 2048, 1024)
        assert (phi == 1.0).all()
        assert (sps == 0.0).all()

    def test_positions_of_known_signals(self) -> None:
        for left, right in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.8, 0.2), (0.2, 0.8)):
            sps, phi = position(self.panned(left, right, 0.5), 2048, 1024)
            expected = 2 * left * right / (left**2 + right**2)
            np.testing.assert_allclose(phi, expected, atol=1e-3)  # few bins are nearly empty
            np.testing.assert_allclose(sps, (1 - expected) * np.sign(right - left), atol=1e-3)

    def test_the_reference_curve_is_means_of_32_bins(self) -> None:
        phi = np.arange(BINS) / BINS
        curve = reference_curve(phi)
        assert curve.shape == (1025,)
        assert curve[3] == pytest.approx(0.9 * phi[96:128].mean())
        assert curve[-1] == pytest.approx(0.9 * phi[-1])

    def test_wrong_use_is_explained(self) -> None:
        with pytest.raises(FxNormError, match="22050 Hz"):
            match_panning(np.zeros((10, 2)), 22_050, "bass", np.ones(BINS))
        with pytest.raises(FxNormError, match="3 channels"):
            match_panning(np.zeros((10, 3)), SAMPLE_RATE, "bass", np.ones(BINS))


def test_finite_numbers_of_a_quiet_sine() -> None:
    """A single click above -50 dBFS but below the loudness gate is no reason for NaN."""
    x = np.zeros(2 * SAMPLE_RATE, np.float32)
    x[500] = 0.01
    assert measure(x, SAMPLE_RATE) == -math.inf
    y = match_equalization(x, SAMPLE_RATE, np.ones(BINS), max_boost_db=24.0)
    assert np.isfinite(y).all()


def test_no_samples_give_no_samples() -> None:
    nothing = np.zeros((0, 2), np.float32)
    assert normalize_loudness(nothing, SAMPLE_RATE, -20.0).shape == (0, 2)
    assert match_equalization(nothing, SAMPLE_RATE, np.ones(BINS)).shape == (0, 2)
    assert match_compression(nothing, SAMPLE_RATE, "bass", (-14.0, 1.0))[0].shape == (0, 2)
    assert match_panning(nothing, SAMPLE_RATE, "bass", np.ones(BINS)).shape == (0, 2)
    assert mean_peak(nothing, SAMPLE_RATE) is None
