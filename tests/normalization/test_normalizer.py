"""The chain: order, reverbs, rates, strengths, reports, and real audio where it is at hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from normalization_fixtures import (
    SAMPLE_RATE,
    SHARED,
    band_levels_db,
    noise,
    reference_features,
    response,
)

from fxnorm import audio
from fxnorm.audio import db, integrated_loudness, peak
from fxnorm.conventions import PADDING
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    NormalizationConfig,
    load_impulse_responses,
    match_compression,
    match_equalization,
    match_panning,
    normalize_loudness,
)

FEATURES = reference_features()


def test_the_chain_is_the_effects_in_order_on_the_padded_stem() -> None:
    x, stem = noise(2.0, 0), "vocals"
    y = np.pad(x, ((PADDING, PADDING), (0, 0)))
    y = match_equalization(y, SAMPLE_RATE, FEATURES.eq[stem], max_boost_db=24.0)
    y, chosen = match_compression(y, SAMPLE_RATE, stem, FEATURES.compression[stem])
    y = match_panning(y, SAMPLE_RATE, stem, FEATURES.panning[stem])
    # The loudness of a stem this short is that of the stem without its padding.
    y = normalize_loudness(y[PADDING:-PADDING], SAMPLE_RATE, FEATURES.loudness[stem])
    order = ("loudness", "panning", "eq", "compression")  # any order given is the chain's own
    result = FxNormalizer(FEATURES, NormalizationConfig(effects=order))(x, SAMPLE_RATE, stem)
    np.testing.assert_allclose(result.audio, y, atol=1e-7)
    reported = [
        None if r["ratio"] is None else (r["threshold_db"], r["ratio"])
        for r in result.report["effects"]["compression"].values()
    ]
    assert reported == chosen
    assert list(result.report["effects"]) == ["eq", "compression", "panning", "loudness"]


def _levelled(peak_db: float) -> np.ndarray:
    """Both channels of this peak, as each has its own gate in the chain."""
    x = noise(2.0, 0)
    return (x * (audio.from_db(peak_db) / np.abs(x).max(axis=0))).astype(np.float32)


def _require_same_compression(first, second) -> None:
    """The same but for one step of the threshold."""
    for channel in ("left", "right"):
        ours, theirs = (r.report["effects"]["compression"][channel] for r in (first, second))
        assert (ours["branch"], ours["ratio"]) == (theirs["branch"], theirs["ratio"])
        assert ours["threshold_db"] == pytest.approx(theirs["threshold_db"], abs=0.5)


def test_around_the_gate_a_stem_fades_from_untouched_to_normalised() -> None:
    """Half a decibel more of input gives an even step of output, and never the whole lift."""
    normalizer = FxNormalizer(FEATURES)
    levels = np.arange(-51.5, -48.4, 0.5)
    results = [normalizer(_levelled(level), SAMPLE_RATE, "other") for level in levels]
    out = np.array([db(peak(result.audio)) for result in results])
    np.testing.assert_array_equal(results[0].audio, _levelled(-51.5))
    full = normalizer(_levelled(-20.0), SAMPLE_RATE, "other").audio
    np.testing.assert_allclose(results[-1].audio, full, atol=1e-4)
    steps = np.diff(out)
    assert (steps[1:-1] > 0.0).all()
    assert steps.max() < 0.5 * (out[-1] - out[0])
    said = [" ".join(result.report["warnings"]) for result in results]
    assert ["noise or bleed" in text for text in said] == [*(out - levels >= 3.0)]
    assert all("near the gate of -50: the effects are faded" in text for text in said[2:5])
    assert "faded" not in said[0] + said[-1]


def test_what_is_hardly_lifted_is_not_called_noise() -> None:
    hardly = FxNormalizer(FEATURES)(_levelled(-50.99), SAMPLE_RATE, "other").report
    (said,) = hardly["warnings"]
    assert said.endswith("near the gate of -50: the effects are faded, to 1%")


def test_a_dc_offset_is_removed_said_and_changes_nothing_else() -> None:
    x = noise(2.0, 1) * np.float32(0.3)
    plain = FxNormalizer(FEATURES)(x, SAMPLE_RATE, "drums")
    shifted = FxNormalizer(FEATURES)(x + np.float32(0.3), SAMPLE_RATE, "drums")
    assert any("DC offset of +0.300" in text for text in shifted.report["warnings"])
    _require_same_compression(shifted, plain)
    # What is left is the noise's own mean, which is taken for part of the offset.
    np.testing.assert_allclose(shifted.audio, plain.audio, atol=0.01)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0])
def test_a_short_stem_gets_the_references_loudness(seconds: float) -> None:
    x = noise(seconds, 5) * np.float32(0.1)
    wanted = {**FEATURES.references, "loudness": {"other": -30.0}}
    result = FxNormalizer(DatasetFeatures(**wanted))(x, SAMPLE_RATE, "other")
    assert integrated_loudness(result.audio, SAMPLE_RATE) == pytest.approx(-30.0, abs=0.05)


@pytest.mark.parametrize("noise_db", [None, -85.0])
def test_silence_before_and_after_changes_neither_side_nor_spectrum(noise_db) -> None:
    """The stem has its weight on the left; as frames of silence count, it was sent to the right."""
    x = noise(6.0, 7) * np.float32([0.4, 0.2])
    gap = np.zeros((30 * SAMPLE_RATE, 2), np.float32)
    if noise_db is not None:
        gap += noise(30.0, 8) * np.float32(audio.from_db(noise_db)) * np.float32([0.1, 1.0])
    normalizer = FxNormalizer(FEATURES)
    plain = normalizer(x, SAMPLE_RATE, "vocals")
    late = normalizer(np.concatenate([gap, x, gap]), SAMPLE_RATE, "vocals")
    assert late.report["effects"]["panning"] == plain.report["effects"]["panning"]
    _require_same_compression(late, plain)
    ours = band_levels_db(late.audio[len(gap) : len(gap) + len(x)])
    assert np.abs(ours - band_levels_db(plain.audio)).max() < 1.0


def test_mono_leans_to_both_sides() -> None:
    x = noise(2.0, 9)[:, :1]
    results = [FxNormalizer(FEATURES)(x, SAMPLE_RATE, stem) for stem in FEATURES.stems]
    for result in results:
        assert result.report["effects"]["panning"]["side"] == "both"
        left, right = np.square(result.audio.astype(float)).mean(axis=0)
        assert abs(10.0 * np.log10(left / right)) < 1.0
    quirks = NormalizationConfig(released_quirks=True)
    released = FxNormalizer(FEATURES, quirks)(x, SAMPLE_RATE, "bass")
    assert released.report["effects"]["panning"]["side"] == "right"


@pytest.mark.parametrize("given", [None, "bass.wav", 3.0, np.float32(1.0), np.zeros((2, 3, 4))])
def test_what_is_no_audio_is_refused(given) -> None:
    with pytest.raises(FxNormError, match="bass: no audio"):
        FxNormalizer(FEATURES)(given, SAMPLE_RATE, "bass")


@pytest.mark.parametrize("rate", [0, -1, 44_100.5, "44100", None, True, float("nan"), 10**9])
def test_what_is_no_sample_rate_is_refused(rate) -> None:
    with pytest.raises(FxNormError, match="sample rate"):
        FxNormalizer(FEATURES)(noise(0.5, 0), rate, "bass")


def test_report_is_plain_json_and_true() -> None:
    x = noise(2.0, 1)
    result = FxNormalizer(FEATURES)(x, SAMPLE_RATE, "drums")
    report = json.loads(json.dumps(result.report, allow_nan=False))
    assert report["input"]["peak_db"] == pytest.approx(db(peak(x)))
    assert report["input"]["loudness_lufs"] == pytest.approx(
        integrated_loudness(x, SAMPLE_RATE), abs=1e-6
    )
    assert report["output"]["peak_db"] == pytest.approx(db(peak(result.audio)))
    loudness = integrated_loudness(result.audio, SAMPLE_RATE)
    assert report["output"]["loudness_lufs"] == pytest.approx(loudness, abs=1e-6)
    assert not report["passed_through"]
    assert report["warnings"] == []


@pytest.mark.parametrize("level", [0.0, 0.0028])
def test_silent_and_quiet_stems_pass_unchanged(level: float) -> None:
    x = (level * np.sin(np.arange(50_000))).astype(np.float32)
    result = FxNormalizer(FEATURES)(np.stack([x, x], 1), SAMPLE_RATE, "bass")
    np.testing.assert_array_equal(result.audio, np.stack([x, x], 1))
    assert result.report["passed_through"]
    assert "passed through" in result.report["warnings"][0]
    assert (result.report["input"]["peak_db"] is None) == (level == 0.0)


def test_rows_4_5_and_8_what_could_not_be_done_is_said() -> None:
    hit = np.zeros((2, 30_000), np.float32)
    hit[:, 29_990] = 0.5  # In the last, incomplete frame; the chain's padding would complete it.
    outcome = FxNormalizer(FEATURES).apply("compression", hit, "bass")
    assert "the left channel has no onsets; left alone" in outcome.warnings
    click = np.zeros((SAMPLE_RATE, 2), np.float32)
    click[500] = 0.01
    result = FxNormalizer(FEATURES, NormalizationConfig(effects=("loudness",)))(
        click, SAMPLE_RATE, "bass"
    )
    assert "loudness: none measurable; left unchanged" in result.report["warnings"]
    unreachable = DatasetFeatures(**{**FEATURES.references, "compression": {"drums": (-60.0, 0.1)}})
    compress = FxNormalizer(unreachable, NormalizationConfig(effects=("compression",)))
    result = compress(noise(2.0, 0), SAMPLE_RATE, "drums")
    assert any("no setting brings the left channel" in text for text in result.report["warnings"])


def test_gain_before_the_chain_has_no_effect() -> None:
    x = noise(2.0, 2)
    normalizer = FxNormalizer(FEATURES)
    y = normalizer(x, SAMPLE_RATE, "vocals").audio
    z = normalizer(x * np.float32(0.25), SAMPLE_RATE, "vocals").audio
    # The 1e-10 added before measuring weighs four times more.
    np.testing.assert_allclose(z, y, atol=1e-5 * peak(y))


@pytest.mark.parametrize("shape", ["(n,)", "(n, 1)"])
def test_mono_becomes_stereo(shape: str) -> None:
    x = noise(1.5, 3)[:, 0]
    normalizer = FxNormalizer(FEATURES)
    result = normalizer(x if shape == "(n,)" else x[:, None], SAMPLE_RATE, "other")
    both = normalizer(np.stack([x, x], 1), SAMPLE_RATE, "other")
    np.testing.assert_array_equal(result.audio, both.audio)
    assert any("mono" in warning for warning in result.report["warnings"])


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_row_17_other_rates_are_resampled_in_and_out(rate: int) -> None:
    x = noise(1.5, 4, 200.0, 5000.0)
    other = audio.resample(x, SAMPLE_RATE, rate)
    result = FxNormalizer(FEATURES)(other, rate, "vocals")
    assert result.audio.shape == other.shape
    expected = FxNormalizer(FEATURES)(x, SAMPLE_RATE, "vocals").audio
    levels = [np.sqrt((y.astype(float) ** 2).mean(axis=0)) for y in (result.audio, expected)]
    # What lies above 11 kHz is lost at 22.05 kHz and was next to nothing.
    np.testing.assert_allclose(levels[0], levels[1], rtol=0.02)
    assert any("resampled" in warning for warning in result.report["warnings"])


@settings(max_examples=8, deadline=None)
@given(
    samples=st.integers(1, 30_000),
    rate=st.sampled_from([16_000, 44_100, 48_000]),
    channels=st.integers(0, 2),
    level_db=st.floats(-60, 30),
    stem=st.sampled_from(["vocals", "bass", "drums", "other"]),
    quirks=st.booleans(),
)
def test_any_input_gives_finite_stereo_of_its_length(
    samples, rate, channels, level_db, stem, quirks
) -> None:
    shape = (samples,) + ((channels,) if channels else ())
    x = np.random.default_rng(samples).standard_normal(shape) * 10 ** (level_db / 20)
    result = FxNormalizer(FEATURES, NormalizationConfig(released_quirks=quirks))(
        x.astype(np.float32), rate, stem
    )
    assert result.audio.shape == (samples, 2)
    assert result.audio.dtype == np.float32
    assert np.isfinite(result.audio).all()
    json.dumps(result.report, allow_nan=False)


class TestStrengths:
    def test_zero_leaves_an_effect_out(self) -> None:
        x = noise(1.5, 5)
        without = FxNormalizer(FEATURES, NormalizationConfig(effects=("eq", "panning", "loudness")))
        zero = FxNormalizer(FEATURES, NormalizationConfig(strengths={"compression": 0.0}))
        np.testing.assert_array_equal(
            zero(x, SAMPLE_RATE, "drums").audio, without(x, SAMPLE_RATE, "drums").audio
        )

    def test_all_zero_is_the_input(self) -> None:
        x = noise(1.0, 5)
        nothing = FxNormalizer(
            FEATURES,
            NormalizationConfig(
                strengths=dict.fromkeys(("eq", "compression", "panning", "loudness"), 0.0)
            ),
        )
        np.testing.assert_array_equal(nothing(x, SAMPLE_RATE, "drums").audio, x)

    @pytest.mark.parametrize("effect", ["eq", "compression", "panning", "loudness"])
    def test_one_is_the_full_effect(self, effect) -> None:
        x = noise(1.0, 6)
        full = FxNormalizer(FEATURES, NormalizationConfig(effects=(effect,)))
        one = FxNormalizer(
            FEATURES, NormalizationConfig(effects=(effect,), strengths={effect: 1.0})
        )
        np.testing.assert_array_equal(
            one(x, SAMPLE_RATE, "vocals").audio, full(x, SAMPLE_RATE, "vocals").audio
        )

    @pytest.mark.parametrize("effect", ["eq", "compression", "panning", "loudness"])
    def test_half_is_half_the_change_in_decibels(self, effect) -> None:
        x = noise(2.0, 7) * np.float32([1.0, 0.7])
        full, half = (
            FxNormalizer(FEATURES, NormalizationConfig(effects=(effect,), strengths={effect: s}))(
                x, SAMPLE_RATE, "vocals"
            ).audio
            for s in (1.0, 0.5)
        )
        # 1/3-octave levels from 200 Hz to 5 kHz.
        levels_db = [band_levels_db(y)[:, 9:24] for y in (x, half, full)]
        middle = (levels_db[0] + levels_db[2]) / 2
        # Exact for one gain; where gains vary over bins or samples, mean powers are not quite half.
        tolerance = 1e-3 if effect == "loudness" else 0.7
        np.testing.assert_allclose(levels_db[1], middle, atol=tolerance)


class TestImpulseResponses:
    def test_sorted_resampled_and_named(self, tmp_path) -> None:
        for name, rate in (("b", 44_100), ("a", 48_000)):
            audio.write(tmp_path / name / "impulse_response.wav", response().samples, rate, "FLOAT")
        loaded = load_impulse_responses(tmp_path)
        assert [r.name for r in loaded] == ["a", "b"]
        assert loaded[1].samples.shape == response().samples.shape
        assert len(loaded[0].samples) == pytest.approx(len(response().samples) * 441 / 480, abs=2)

    def test_faults_are_explained(self, tmp_path) -> None:
        with pytest.raises(FxNormError, match="no such folder"):
            load_impulse_responses(tmp_path / "none")
        with pytest.raises(FxNormError, match="holds no impulse responses"):
            load_impulse_responses(tmp_path)
        audio.write(tmp_path / "a" / "impulse_response.wav", np.zeros((100, 1)), SAMPLE_RATE)
        with pytest.raises(FxNormError, match="silent"):
            load_impulse_responses(tmp_path)
        audio.write(tmp_path / "a" / "impulse_response.wav", np.ones((100, 3)) * 0.1, SAMPLE_RATE)
        with pytest.raises(FxNormError, match="3 channels"):
            load_impulse_responses(tmp_path)
        (tmp_path / "b").symlink_to("nowhere")
        with pytest.raises(FxNormError, match="b: is a link to what is not there"):
            load_impulse_responses(tmp_path)


class TestConfig:
    def test_a_configuration_sets_up_the_same_chain(self) -> None:
        config = NormalizationConfig.parse(
            {"effects": ["loudness", "eq"], "eq_max_boost_db": 6.0}, "test"
        )
        assert config.effects == ("eq", "loudness")
        x = noise(1.0, 13)
        one = FxNormalizer(FEATURES, config)(x, SAMPLE_RATE, "vocals")
        two = FxNormalizer(
            FEATURES, NormalizationConfig(effects=("eq", "loudness"), eq_max_boost_db=6.0)
        )(x, SAMPLE_RATE, "vocals")
        np.testing.assert_array_equal(one.audio, two.audio)
        assert one.report["effects"]["eq"]["left"]["largest_boost_db"] <= 6.0 + 1e-9

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"effects": ("eq", "chorus")}, "effects.1"),
            ({"strengths": {"eq": 1.5}}, "strengths.eq"),
            ({"strengths": {"delay": 0.5}}, "strengths.delay"),
            (
                {"effects": ("eq", "loudness"), "strengths": {"panning": 0.5}},
                "'panning' is not applied, its strength does nothing; applied are eq, loudness",
            ),
            ({"eq_max_boost_db": -1.0}, "eq_max_boost_db"),
        ],
    )
    def test_wrong_settings_are_named(self, arguments, named) -> None:
        with pytest.raises(FxNormError, match=named):
            NormalizationConfig.parse(arguments, "test")

    def test_wrong_input_is_explained(self) -> None:
        normalizer = FxNormalizer(FEATURES)
        with pytest.raises(FxNormError, match="'guitar'"):
            normalizer(noise(0.5, 0), SAMPLE_RATE, "guitar")
        with pytest.raises(FxNormError, match="empty or holds NaN"):
            normalizer(np.full((10, 2), np.nan), SAMPLE_RATE, "bass")
        with pytest.raises(FxNormError, match="empty"):
            normalizer(np.zeros((0, 2)), SAMPLE_RATE, "bass")
        with pytest.raises(FxNormError, match="3 channels"):
            normalizer(np.zeros((10, 3)), SAMPLE_RATE, "bass")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the reference song is not beside this checkout")
@pytest.mark.parametrize(
    ("stem", "settings_", "lufs"),
    [
        ("vocals", [(-17.0, 4.0), (-15.0, 4.0)], -30.7),
        ("bass", [(-14.5, 5.0), (-14.5, 5.0)], -29.7),
        ("drums", [(-18.0, 6.0), (-18.0, 6.0)], -34.1),
        ("other", [(-21.0, 4.0), (-21.0, 4.0)], -31.1),
    ],
)
def test_a_real_song_gets_the_known_settings(stem, settings_, lufs, record_property) -> None:
    """Known compressor settings and loudness; spectra in the shape of the released result.

    The released result is an mp3 at another gain, and its vocals and other have a reverb that is
    not public. Read the properties with `pytest --junitxml`.
    """
    features = DatasetFeatures.import_released(SHARED / "data" / "features_MUSDB18.npy")
    dry, rate = audio.read(SHARED / "data" / "song008" / f"{stem}_dry.mp3")
    released, _ = audio.read(SHARED / "data" / "song008" / f"{stem}_norm.mp3")
    result = FxNormalizer(features, NormalizationConfig(released_quirks=True))(dry, rate, stem)
    chosen = [
        (r["threshold_db"], r["ratio"]) for r in result.report["effects"]["compression"].values()
    ]
    assert chosen == settings_
    loudness = integrated_loudness(result.audio, rate)
    assert loudness == pytest.approx(lufs, abs=0.05)
    for name, y in (("ours", result.audio), ("released", released)):
        rms = np.sqrt((y.astype(float) ** 2).mean(axis=0))
        record_property(f"{stem} {name} loudness in LUFS", integrated_loudness(y, rate))
        record_property(f"{stem} {name} L−R in dB", float(db(rms[0]) - db(rms[1])))
    ours, theirs = band_levels_db(result.audio), band_levels_db(released)
    difference_db = np.where(theirs > np.nanmax(theirs) - 40.0, ours - theirs, np.nan)
    difference_db -= np.nanmean(difference_db, axis=1, keepdims=True)
    shape_db = float(np.sqrt(np.nanmean(difference_db**2)))
    record_property(f"{stem} 1/3-octave difference in dB", shape_db)
    # Measured: bass 1.5, drums 1.1, other 1.2, vocals 2.8 dB RMS.
    assert shape_db < (3.5 if stem == "vocals" else 2.0)
