"""Dataset features: the file, the importer of the released file, and the measurement."""

import io
import os
import pickle

import numpy as np
import pytest
import scipy.signal
from normalization_fixtures import SAMPLE_RATE, SHARED, make_songs, reference_features

from fxnorm import audio
from fxnorm.audio import from_db, integrated_loudness, peak, peak_db
from fxnorm.conventions import LONG_TERM_BINS as BINS
from fxnorm.conventions import PADDING, STEMS
from fxnorm.data import read_stem
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    NormalizationConfig,
    mean_peak,
    measure_features,
    position,
)
from fxnorm.normalization.matching import equalization, panning
from fxnorm.reporting.features_figure import features_figure, features_table
from fxnorm.stems import DEFAULT_STEMS


def released_contents() -> dict:
    rng = np.random.default_rng(0)
    return {
        "eq": {s: rng.random(BINS).astype(np.float32) for s in STEMS},
        "compression": {s: np.array([-14.0, 1.0]) for s in STEMS},
        "panning": {s: rng.random(BINS).astype(np.float32) for s in STEMS},
        "loudness": {s: np.array([-30.0]) for s in STEMS},
    }


def assert_equal(one: DatasetFeatures, two: DatasetFeatures) -> None:
    assert one.compression == two.compression
    assert one.loudness == two.loudness
    for stem in one.stems:
        np.testing.assert_array_equal(one.eq[stem], two.eq[stem])
        np.testing.assert_array_equal(one.panning[stem], two.panning[stem])


class TestFile:
    def test_round_trip_to_the_byte(self, tmp_path) -> None:
        features = reference_features()
        features.save(tmp_path / "one.npz")
        loaded = DatasetFeatures.load(tmp_path / "one.npz")
        assert_equal(loaded, features)
        loaded.save(tmp_path / "two.npz")
        assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()

    def test_other_suffixes_are_refused(self, tmp_path) -> None:
        with pytest.raises(FxNormError, match=r"\.npz"):
            reference_features().save(tmp_path / "features.npy")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda a: a.pop("eq/vocals"), "'eq' has stems"),
            (lambda a: a.pop("version"), "version"),
            (lambda a: a.update(version=np.int64(99)), "version"),
            (lambda a: a.update({"eq/vocals": np.ones(5)}), "shape"),
            (lambda a: a.update({"eq/vocals": np.full(BINS, np.nan)}), "not finite"),
            (lambda a: a.update({"loudness/bass": np.array(["loud"])}), "expected"),
            (lambda a: a.update({"phase/vocals": np.ones(3)}), "holds features"),
            (lambda a: a.update({"eq/bass": np.array([object()])}), "not a features file"),
        ],
    )
    def test_damaged_files_are_explained(self, tmp_path, change, message) -> None:
        path = tmp_path / "features.npz"
        reference_features().save(path)
        with np.load(path) as archive:
            arrays = dict(archive)
        change(arrays)
        np.savez(path, **arrays)
        with pytest.raises(FxNormError, match=message) as caught:
            DatasetFeatures.load(path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("contents", [None, b"", b"PK\x03\x04 broken", b"not at all"])
    def test_missing_and_foreign_files_are_explained(self, tmp_path, contents) -> None:
        path = tmp_path / "features.npz"
        if contents is not None:
            path.write_bytes(contents)
        with pytest.raises(FxNormError, match=r"features\.npz"):
            DatasetFeatures.load(path)


class _Attack:
    """Unpickling this would run a command."""

    def __reduce__(self):
        return os.system, ("touch was-run",)


class TestReleased:
    def write(self, path, contents) -> None:
        np.save(path, np.array(contents, dtype=object), allow_pickle=True)

    def test_curves_are_smoothed_once_more(self, tmp_path) -> None:
        contents = released_contents()
        self.write(tmp_path / "released.npy", contents)
        features = DatasetFeatures.import_released(tmp_path / "released.npy")
        assert features.compression["vocals"] == (-14.0, 1.0)
        assert features.loudness["drums"] == -30.0
        for stem in STEMS:
            expected = equalization.smooth(contents["eq"][stem], DEFAULT_STEMS[stem])
            np.testing.assert_array_equal(features.eq[stem], expected)
            expected = panning.smooth(contents["panning"][stem], DEFAULT_STEMS[stem])
            np.testing.assert_array_equal(features.panning[stem], expected)
        # Order 1: inside the curve a moving average; wider for vocals and other.
        curve = contents["eq"]["bass"].astype(float)
        assert features.eq["bass"][500] == pytest.approx(curve[425:576].mean())
        curve = contents["eq"]["other"].astype(float)
        assert features.eq["other"][500] == pytest.approx(curve[300:701].mean())

    def test_a_malicious_pickle_is_refused_and_not_run(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        for contents in (_Attack(), {"eq": _Attack()}, {"eq": {"vocals": _Attack()}}):
            self.write(tmp_path / "released.npy", contents)
            with pytest.raises(FxNormError, match="nothing in it was run"):
                DatasetFeatures.import_released(tmp_path / "released.npy")
        assert not (tmp_path / "was-run").exists()
        # The same file does run its command for whoever trusts it.
        np.load(tmp_path / "released.npy", allow_pickle=True)
        assert (tmp_path / "was-run").exists()

    @pytest.mark.parametrize("name", ["numpy.core.multiarray scalar", "builtins eval", "os system"])
    def test_no_other_callable_is_found(self, tmp_path, name) -> None:
        module, attribute = name.split()
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "|O", "fortran_order": False, "shape": ()}
        )
        body = f"c{module}\n{attribute}\n.".encode()
        (tmp_path / "released.npy").write_bytes(stream.getvalue() + body)
        with pytest.raises(FxNormError, match=f"{module}.{attribute}"):
            DatasetFeatures.import_released(tmp_path / "released.npy")

    @pytest.mark.parametrize(
        "contents",
        [
            [1, 2, 3],
            {"eq": [1.0]},
            {"eq": {"vocals": [1.0]}},
            {"eq": {"vocals": np.array([object()])}},
            {"eq": {3: np.ones(3)}},
            {},
        ],
    )
    def test_other_contents_are_refused(self, tmp_path, contents) -> None:
        self.write(tmp_path / "released.npy", contents)
        with pytest.raises(FxNormError, match=r"released\.npy"):
            DatasetFeatures.import_released(tmp_path / "released.npy")

    def test_damaged_files_are_refused(self, tmp_path) -> None:
        path = tmp_path / "released.npy"
        self.write(path, released_contents())
        whole = path.read_bytes()
        for contents in (b"", whole[:40], whole[:5000], pickle.dumps({"a": 1}), b"\x93NUMPY\x09"):
            path.write_bytes(contents)
            with pytest.raises(FxNormError, match=r"released\.npy"):
                DatasetFeatures.import_released(path)
        with pytest.raises(FxNormError, match="no such"):
            DatasetFeatures.import_released(tmp_path / "none.npy")

    @pytest.mark.skipif(not SHARED.is_dir(), reason="the released file is not beside this checkout")
    def test_the_released_file_itself(self) -> None:
        features = DatasetFeatures.import_released(SHARED / "data" / "features_MUSDB18.npy")
        assert features.stems == STEMS
        assert features.loudness["vocals"] == pytest.approx(-30.72881739)
        assert features.compression["bass"] == pytest.approx((-13.13132974, 0.89784274))


class TestMeasurement:
    @pytest.mark.parametrize("quirks", [False, True])
    def test_agrees_with_the_definition(self, tmp_path, quirks) -> None:
        """Each feature on the stems that the chain so far gives, by the public functions."""
        songs = make_songs(tmp_path / "data")
        # Without treble the limit of the equaliser's boost matters, which the quirks lift.
        drums = songs[0].stems["drums"]
        low_pass = scipy.signal.butter(10, 6000.0, fs=SAMPLE_RATE, output="sos")
        narrow = scipy.signal.sosfiltfilt(low_pass, audio.read(drums)[0], axis=0)
        audio.write(drums, narrow.astype(np.float32), SAMPLE_RATE, "FLOAT")
        measured = measure_features(songs, NormalizationConfig(released_quirks=quirks), jobs=1)
        so_far: list[str] = []
        for feature in ("eq", "compression", "panning", "loudness"):
            for stem in STEMS:
                normalizer = FxNormalizer(
                    measured, NormalizationConfig(effects=tuple(so_far), released_quirks=quirks)
                )
                values = []
                for song in songs:
                    y = normalizer(read_stem(song, stem), SAMPLE_RATE, stem).audio
                    values.append(definition(feature, np.pad(y, ((PADDING, PADDING), (0, 0)))))
                expected = np.mean(values, axis=0)
                if feature == "eq":
                    for _ in range(2):
                        expected = equalization.smooth(expected, DEFAULT_STEMS[stem])
                if feature == "panning":
                    for _ in range(2):
                        expected = panning.smooth(expected, DEFAULT_STEMS[stem])
                ours = np.ravel(getattr(measured, feature)[stem])
                # Single-precision gains and spectra.
                np.testing.assert_allclose(ours, np.ravel(expected), rtol=1e-5, atol=1e-6)
            so_far.append(feature)

    def test_does_not_depend_on_workers_and_length(self, tmp_path, treat_as_long) -> None:
        songs = make_songs(tmp_path / "data", seconds=1.0)
        plain = measure_features(songs, jobs=2)
        treat_as_long()
        assert_equal(measure_features(songs, jobs=1), plain)

    def test_silent_stems_are_left_out(self, tmp_path) -> None:
        songs = make_songs(tmp_path / "data", seconds=1.0)
        alone = measure_features(songs[:1], jobs=1)
        silence = np.zeros((SAMPLE_RATE, 2), np.float32)
        for stem in STEMS:
            audio.write(songs[1].stems[stem], silence, SAMPLE_RATE)
        assert_equal(measure_features(songs, jobs=1), alone)
        with pytest.raises(FxNormError, match="'vocals' stem"):
            measure_features(songs[1:], jobs=1)

    def test_a_click_counts_nowhere_it_has_no_value(self, tmp_path) -> None:
        """Peak above -50 dBFS, loudness below the gate: left out of the loudness average."""
        songs = make_songs(tmp_path / "data", seconds=1.0)
        click = np.zeros((SAMPLE_RATE, 2), np.float32)
        click[30_000] = 0.01
        audio.write(songs[1].stems["bass"], click, SAMPLE_RATE)
        features = measure_features(songs, jobs=1)
        assert np.isfinite(features.loudness["bass"])

    def test_a_file_that_vanished_since_it_was_found_is_named(self, tmp_path) -> None:
        songs = make_songs(tmp_path / "data", seconds=1.0)
        songs[0].stems["bass"].unlink()
        with pytest.raises(FxNormError, match=r"bass\.wav: no such file"):
            measure_features(songs, jobs=1)

    def test_no_songs_is_an_error(self) -> None:
        with pytest.raises(FxNormError, match="no songs"):
            measure_features([])


def definition(feature: str, y: np.ndarray) -> np.ndarray:
    if feature == "eq":
        scaled = (y * from_db(-30.0 - integrated_loudness(y, SAMPLE_RATE))).astype(np.float32)
        window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(65_536) / 65_536))
        frames = np.lib.stride_tricks.sliding_window_view(scaled, 65_536, axis=0)[::16_384]
        return np.abs(np.fft.rfft(frames * window, axis=-1)).mean(axis=(0, 1))
    if feature == "compression":
        result = mean_peak((y * (10**-0.5 / peak(y))).astype(np.float32), SAMPLE_RATE)
        return np.array(result)
    if feature == "panning":
        return position(y, 65_536, 16_384)[1].mean(axis=0)
    assert peak_db(y) > -50.0
    return np.array([integrated_loudness(y, SAMPLE_RATE)])


def test_figure_and_table_show_every_stem(tmp_path) -> None:
    features = reference_features()
    table = features_table(features)
    assert set(table["stem"]) == set(STEMS)
    assert list(table.columns) == ["frequency_hz", "stem", "eq_db", "phi"]
    assert table.groupby("stem").size().between(150, 400).all()
    row = table[(table["stem"] == "drums")].iloc[100]
    index = round(row["frequency_hz"] / SAMPLE_RATE * 65_536)
    assert row["phi"] == features.panning["drums"][index]
    assert row["eq_db"] == pytest.approx(20 * np.log10(features.eq["drums"][index]))
    figure = features_figure(features, other=features)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == list(STEMS)
    assert len(figure.axes) == 4
    figure.savefig(tmp_path / "figure.png", dpi=40)
    assert (tmp_path / "figure.png").stat().st_size > 5000
