"""Normalising a partition on disk."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from normalization_fixtures import SAMPLE_RATE, make_songs, noise, reference_features

from fxnorm import audio
from fxnorm.conventions import STEMS
from fxnorm.data import read_stem
from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    ImpulseResponse,
    NormalizationConfig,
    dataset_normalization,
    measure_features,
    normalize_dataset,
    tabulate_reports,
)
from fxnorm.reporting.features_figure import features_figure
from fxnorm.stems import StemType


def normalizer() -> FxNormalizer:
    rng = np.random.default_rng(0)
    rooms = [ImpulseResponse(f"room {k}", rng.standard_normal((500, 2)) * 0.05) for k in range(4)]
    return FxNormalizer(reference_features(), impulse_responses=rooms)


def test_files_and_reports_do_not_depend_on_the_workers(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", seconds=1.0)
    reports = [
        normalize_dataset(songs, tmp_path / str(jobs) / "out", normalizer(), seed=3, jobs=jobs)
        for jobs in (1, 2)
    ]
    assert reports[0] == reports[1]
    assert digest(tmp_path / "1" / "out") == digest(tmp_path / "2" / "out")
    assert [(r["song"], r["stem"]) for r in reports[0]] == [
        (song.name, stem) for song in songs for stem in STEMS
    ]
    for song in songs:
        for stem in STEMS:
            path = tmp_path / "1" / "out" / song.name / f"{stem}.wav"
            assert audio.info(path).subtype == "PCM_16"
            assert audio.info(path).samples == song.samples


def test_any_stem_type_is_measured_and_normalised(tmp_path) -> None:
    """A data set of five stems: features, their file, their figure and the normalised stems."""
    songs = []
    for song in make_songs(tmp_path / "data", seconds=1.0):
        guitar = tmp_path / "data" / song.name / "guitar.wav"
        audio.write(guitar, 0.3 * noise(1.0, len(songs) + 50, 80.0, 5000.0), SAMPLE_RATE)
        songs.append(replace(song, stems={"guitar": guitar, **song.stems}))
    config = NormalizationConfig(stems={"guitar": StemType(eq_smoothing_bins=51)})
    features = measure_features(songs, config, jobs=1)
    assert features.stems == (*STEMS, "guitar")
    features.save(tmp_path / "features.npz")
    loaded = DatasetFeatures.load(tmp_path / "features.npz")
    assert loaded.stems == (*STEMS, "guitar")
    assert loaded.numbers() == features.numbers()
    # The smoothing is the stem type's: 51 bins leave more of the curve than the default's 401.
    default = measure_features(songs, jobs=1)
    np.testing.assert_array_equal(default.eq["vocals"], features.eq["vocals"])
    roughness = [np.abs(np.diff(f.eq["guitar"])).sum() for f in (features, default)]
    assert roughness[0] > 1.5 * roughness[1]
    legend = features_figure(loaded).axes[0].get_legend().get_texts()
    assert [text.get_text() for text in legend] == [*STEMS, "guitar"]
    chain = FxNormalizer(loaded, config)
    reports = normalize_dataset(songs, tmp_path / "out", chain, seed=0, jobs=1)
    assert [r["stem"] for r in reports] == 2 * [*STEMS, "guitar"]
    assert audio.info(tmp_path / "out" / songs[0].name / "guitar.wav").samples == SAMPLE_RATE


def test_each_song_has_draws_of_its_own(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", count=5, seconds=0.5)
    reports = normalize_dataset(songs, tmp_path / "out", normalizer(), seed=0, jobs=1)
    drawn = [r["effects"]["reverb"]["impulse_response"] for r in reports if r["stem"] == "vocals"]
    assert len(set(drawn)) > 1
    again = normalize_dataset(songs[2:], tmp_path / "out2", normalizer(), seed=0, jobs=1)
    assert again == reports[2 * len(STEMS) :]
    other = normalize_dataset(songs, tmp_path / "out3", normalizer(), seed=1, jobs=1)
    assert any(one != two for one, two in zip(reports, other, strict=True))


def test_float_output_is_the_normalizer_s(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", count=1, seconds=1.0)
    chain = FxNormalizer(reference_features())
    normalize_dataset(songs, tmp_path / "out", chain, seed=0, subtype="FLOAT", jobs=1)
    written, _ = audio.read(tmp_path / "out" / songs[0].name / "drums.wav")
    expected = chain(read_stem(songs[0], "drums"), SAMPLE_RATE, "drums").audio
    np.testing.assert_array_equal(written, expected)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch) -> None:
    songs = make_songs(tmp_path / "data", seconds=0.6)
    chain, process = FxNormalizer(reference_features()), dataset_normalization._process
    expected = normalize_dataset(songs, tmp_path / "whole" / "out", chain, seed=0, jobs=1)
    done: list[tuple[str, str]] = []

    def fails_at_the_fourth(song, stem, *rest):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((song.name, stem))
        return process(song, stem, *rest)

    arguments = {"seed": 0, "jobs": 1, "cache": tmp_path / "cache"}
    out = tmp_path / "resumed" / "out"
    monkeypatch.setattr(dataset_normalization, "_process", fails_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        normalize_dataset(songs, out, chain, **arguments)
    # A stem whose report was not yet written is done again.
    first = tmp_path / "cache" / songs[0].name
    (first / "bass.json").unlink()
    (first / "bass.wav").write_bytes(b"half a file")

    def counts(song, stem, *rest):
        done.append((song.name, stem))
        return process(song, stem, *rest)

    done.clear()
    monkeypatch.setattr(dataset_normalization, "_process", counts)
    reports = normalize_dataset(songs, out, chain, **arguments)
    assert reports == expected
    assert len(done) == 2 * len(STEMS) - 2
    assert digest(out) == digest(tmp_path / "whole" / "out")
    assert not (tmp_path / "cache").exists()


def test_reports_become_a_table(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", count=1, seconds=1.0)
    silence = np.zeros((SAMPLE_RATE, 2), np.float32)
    audio.write(songs[0].stems["other"], silence, SAMPLE_RATE)
    reports = normalize_dataset(songs, tmp_path / "out", normalizer(), seed=0, jobs=1)
    json.dumps(reports, allow_nan=False)
    rows = tabulate_reports(reports)
    assert len({tuple(row) for row in rows}) == 1
    with (tmp_path / "reports.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert rows[0]["compression_left_threshold_db"] is not None
    assert rows[0]["reverb_impulse_response"].startswith("room")
    assert rows[3]["passed_through"] is True
    assert rows[3]["loudness_gain_db"] is None
    assert "passed through" in rows[3]["warnings"]


def test_faults_are_explained(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", count=1, seconds=0.5)
    chain = FxNormalizer(reference_features())
    with pytest.raises(FxNormError, match="no songs"):
        normalize_dataset([], tmp_path / "out", chain, seed=0)
    with pytest.raises(FxNormError, match="same name: song 0"):
        normalize_dataset(songs * 2, tmp_path / "out", chain, seed=0)
    songs[0].stems["bass"].write_bytes(b"no audio")
    with pytest.raises(FxNormError, match=r"bass\.wav"):
        normalize_dataset(songs, tmp_path / "out", chain, seed=0, jobs=1)
