"""The reference implementation's own numbers, on signals made by `golden_signals`.

Tolerances: where nothing else is said, 1e-6 relative is what storing the values in single
precision leaves; the larger ones come from bands of almost no energy, whose levels are the
rounding noise of single-precision transforms and which the equaliser lifts by up to 70 dB.
"""

from functools import cache

import numpy as np
import pytest
from normalization_fixtures import (
    GOLDEN,
    SAMPLE_RATE,
    SIGNALS,
    SOURCES,
    band_levels_db,
    reference_features,
    signal,
)

from fxnorm.audio import from_db, integrated_loudness, peak
from fxnorm.conventions import GATE_DB
from fxnorm.normalization import (
    FxNormalizer,
    NormalizationConfig,
    match_equalization,
    match_panning,
    mean_peak,
    normalize_loudness,
    position,
)
from fxnorm.normalization.matching.compression import _measure as _measure_compression
from fxnorm.normalization.matching.compression import compress_channel
from fxnorm.normalization.matching.equalization import _measure as _measure_eq
from fxnorm.normalization.matching.loudness import _measure as _measure_loudness
from fxnorm.normalization.matching.panning import _measure as _measure_panning
from fxnorm.normalization.normalizer import pad
from fxnorm.stems import DEFAULT_STEMS

WINDOWED = ["eq", "comp", "pan", "chain"]
CASES = [(name, source) for name in SIGNALS for source in SOURCES]
BRANCHES = {
    "compress": "compressed",
    "in_range": "in_range",
    "too_low_expander_disabled": "too_low",
    "below_min_db": "below_gate",
}
# Left channel of "pad" and all of "bass_like" have bands with nothing but quantisation noise.
NOISY = {"pad", "bass_like"}


@cache
def outputs(name: str, source: str) -> dict[str, np.ndarray]:
    """Our counterpart of each golden stage, and under "report" the chain's report."""
    x, features = signal(name), reference_features()
    compressed = [
        compress_channel(
            np.ascontiguousarray(x[:, c]),
            SAMPLE_RATE,
            DEFAULT_STEMS[source],
            features.compression[source],
        )
        for c in range(2)
    ]
    chain = FxNormalizer(features, NormalizationConfig(released_quirks=True))(
        x, SAMPLE_RATE, source
    )
    return {
        "eq": match_equalization(x, SAMPLE_RATE, features.eq[source]),
        "comp": np.stack([result.samples for result in compressed], axis=1),
        "pan": match_panning(
            x, SAMPLE_RATE, source, features.panning[source], released_quirks=True
        ),
        "chain": chain.audio,
        "compressed": compressed,
        "report": chain.report,
    }


def golden(key: str, name: str, source: str) -> np.ndarray:
    return GOLDEN[key][SIGNALS.index(name), SOURCES.index(source)]


@pytest.mark.parametrize(("name", "source"), CASES)
def test_samples_are_the_reference_s(name: str, source: str) -> None:
    offsets = GOLDEN["win_offsets_long" if name == "long" else "win_offsets_8s"]
    # Relative to the window's peak. Panning and chain: inverse transforms in single precision,
    # whose error is relative to the loudest sample of a frame, not of the window.
    tolerances = {"eq": 2e-6, "comp": 1e-6, "pan": 1e-4, "chain": 1e-4}
    if name in NOISY:
        tolerances |= {"eq": 3e-5, "pan": 3e-4, "chain": 2e-3}
    for index, stage in enumerate(WINDOWED):
        expected = golden("win", name, source)[index]
        ours = np.stack([outputs(name, source)[stage][o : o + 32] for o in offsets])
        for window, reference in zip(ours, expected, strict=True):
            scale = np.abs(reference).max()
            if scale > 1e-6:  # below that a window is -120 dBFS: rounding of neighbours
                error = np.abs(window - reference).max() / scale
                assert error < tolerances[stage], (stage, error)


@pytest.mark.parametrize(("name", "source"), CASES)
def test_levels_are_the_reference_s(name: str, source: str) -> None:
    for stage in WINDOWED:
        x = outputs(name, source)[stage].astype(np.float64)
        stats = golden("stats", name, source)[list(GOLDEN["stages"]).index(stage)]
        # 3e-4 LU: loudness of the noisy bands; others agree to 1e-5.
        loudness = integrated_loudness(x, SAMPLE_RATE)
        assert loudness == pytest.approx(stats[0], abs=3e-4 if name in NOISY else 1e-5)
        peaks, rms = np.abs(x).max(axis=0), np.sqrt((x**2).mean(axis=0))
        np.testing.assert_allclose(peaks, stats[1:3], rtol=1e-3, atol=1e-9)
        np.testing.assert_allclose(rms, stats[3:5], rtol=1e-4, atol=1e-9)
        blocks = [np.sqrt((x[k : k + 22_050] ** 2).mean(axis=0)) for k in range(0, len(x), 22_050)]
        expected = golden("block_rms", name, source)[list(GOLDEN["stages"]).index(stage)]
        expected = expected[: len(blocks)]
        np.testing.assert_allclose(blocks, expected, atol=5e-4 * max(expected.max(), 1e-9))


@pytest.mark.parametrize(("name", "source"), CASES)
def test_third_octaves_are_the_reference_s(name: str, source: str) -> None:
    for stage in WINDOWED:
        expected = golden("third_oct_db", name, source)[list(GOLDEN["stages"]).index(stage)]
        ours = band_levels_db(outputs(name, source)[stage])
        heard = np.isfinite(expected) & (expected > np.nanmax(expected) - 60.0)
        if np.nanmax(expected) < -200.0:  # silence
            continue
        # Tolerances: 0.01 dB within 60 dB of the loudest band, 0.5 dB overall, where
        # bands down to -150 dBFS hold rounding noise.
        np.testing.assert_allclose(ours[heard], expected[heard], atol=0.01)
        audible = np.isfinite(expected) & (expected > -90.0)
        np.testing.assert_allclose(ours[audible], expected[audible], atol=0.5)


@pytest.mark.parametrize(("name", "source"), CASES)
def test_compressor_choices_are_the_reference_s(name: str, source: str) -> None:
    report = outputs(name, source)["report"]["effects"].get("compression")
    for channel, side in enumerate(("left", "right")):
        alone = outputs(name, source)["compressed"][channel]
        ours = [(alone.branch, alone.ratio, alone.threshold_db)]
        if report is not None:
            entry = report[side]
            ours.append((entry["branch"], entry["ratio"], entry["threshold_db"]))
        for place, (branch, ratio, threshold_db) in enumerate(ours):
            expected = str(golden("comp_branch", name, source)[place, channel])
            assert branch == BRANCHES[expected]
            if branch == "compressed":
                assert ratio == golden("comp_ratio", name, source)[place, channel]
                assert threshold_db == golden("comp_th", name, source)[place, channel]
        if alone.branch == "compressed":
            # 1e-5 dB: what one unit in the last place of a single-precision peak is worth, tenfold.
            level = golden("comp_out_peak", name, source)[0, channel]
            assert alone.output_mean_db == pytest.approx(level, abs=1e-5)
            assert alone.input_peaks is not None
            level = golden("comp_in_peak", name, source)[0, channel]
            assert alone.input_peaks[0] == pytest.approx(level, abs=1e-5)


@pytest.mark.parametrize(("name", "source"), CASES)
def test_loudness_normalisation_is_the_reference_s(name: str, source: str) -> None:
    measured, output, peak_out, gain = golden("lufsnorm", name, source)
    x = signal(name)
    ours = normalize_loudness(x, SAMPLE_RATE, reference_features().loudness[source])
    if name == "silence":  # the released code gives NaN
        np.testing.assert_array_equal(ours, x)
        return
    assert integrated_loudness(x, SAMPLE_RATE) == pytest.approx(measured, abs=1e-6)
    assert integrated_loudness(ours, SAMPLE_RATE) == pytest.approx(output, abs=1e-6)
    assert peak(ours) == pytest.approx(peak_out, rel=1e-6)
    rms = [np.sqrt((y.astype(np.float64) ** 2).mean()) for y in (ours, x)]
    assert rms[0] / rms[1] == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize("name", SIGNALS)
def test_mean_peak_is_the_reference_s(name: str) -> None:
    expected = GOLDEN["mean_peak"][SIGNALS.index(name)]
    x = signal(name)
    scaled = x if name == "silence" else x * np.float32(from_db(-10.0) / peak(x))
    for y, value in zip((x, scaled), expected, strict=True):
        ours = mean_peak(y, SAMPLE_RATE)
        if np.isnan(value).any():
            assert ours is None
        else:
            np.testing.assert_allclose(ours, value, atol=1e-6)


@pytest.mark.parametrize("name", SIGNALS)
def test_features_are_the_reference_s(name: str) -> None:
    index = SIGNALS.index(name)
    channels = pad(signal(name))
    if 20 * np.log10(peak(channels) + 1e-30) <= GATE_DB:
        assert GOLDEN["feat_none"][index].all()
        return
    lufs = _measure_loudness(channels)
    assert lufs is not None
    assert lufs[0] == pytest.approx(GOLDEN["feat_loudness"][index], abs=1e-6)
    # 1e-6 of the largest bin: the golden values are stored in single precision.
    spectrum = _measure_eq(channels)
    scale = max(GOLDEN[key][index].max() for key in ("feat_eq", "feat_eq_low"))
    np.testing.assert_allclose(spectrum[::64], GOLDEN["feat_eq"][index], atol=1e-6 * scale)
    np.testing.assert_allclose(spectrum[:128], GOLDEN["feat_eq_low"][index], atol=1e-6 * scale)
    # φ of frames with next to no signal is sensitive to the transform's rounding.
    np.testing.assert_allclose(
        _measure_panning(channels)[::64], GOLDEN["feat_phi"][index], atol=2e-5
    )
    dynamics = _measure_compression(channels)
    if GOLDEN["feat_none"][index][3]:
        assert dynamics is None
    else:
        np.testing.assert_allclose(dynamics, GOLDEN["feat_comp"][index], atol=1e-5)


@pytest.mark.parametrize("name", SIGNALS)
def test_positions_are_the_reference_s(name: str) -> None:
    index = SIGNALS.index(name)
    for n_fft, step in ((65_536, 64), (2048, 1)):
        sps, phi = position(signal(name), n_fft, n_fft // 4 if n_fft > 2048 else 1024)
        # 2e-5: the reference adds 1e-20 to squares of single precision, which shows in silence.
        np.testing.assert_allclose(
            phi.mean(axis=0)[::step], GOLDEN[f"phi{n_fft}_mean"][index], atol=2e-5
        )
        np.testing.assert_allclose(
            sps.mean(axis=0)[::step], GOLDEN[f"sps{n_fft}_mean"][index], atol=2e-5
        )
