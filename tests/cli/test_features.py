"""`fxnorm features`."""

import json

import numpy as np
import pytest
import soundfile

from fxnorm.audio import integrated_loudness, read
from fxnorm.cli import main
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.normalization import DatasetFeatures


def test_stems_normalised_to_measured_features_have_their_loudness(tmp_path, capsys, write_song):
    for name in ("a", "b"):
        write_song(tmp_path / "songs", name, samples=300_000)
    faulty = write_song(tmp_path / "songs", "c", samples=1000) / "bass.wav"
    soundfile.write(faulty, np.full((1000, 2), np.nan), SAMPLE_RATE, subtype="FLOAT")
    path, picture = tmp_path / "f.npz", tmp_path / "curves.png"
    measured = ["features", "measure", str(tmp_path / "songs"), "-o", str(path), "--jobs", "1"]
    assert main([*measured, "--json", "--skip-faulty"]) == 0
    said = capsys.readouterr()
    assert f"skipped c: {faulty}: holds NaN" in said.err
    wanted = json.loads(said.out)[str(path)]["bass"]["loudness_lufs"]
    options = ["--stem", "bass", "--features", str(path), "--output", str(tmp_path / "n.wav")]
    assert main(["normalize", str(tmp_path / "songs" / "a" / "bass.wav"), *options]) == 0
    # The loudness is set on the padded stem, whose first and last blocks are partly silent: 0.4 s
    # of 6.8 s at either end.
    assert integrated_loudness(*read(tmp_path / "n.wav")) == pytest.approx(wanted, abs=0.4)
    assert main(["features", "show", str(path), str(path), "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "LUFS" in capsys.readouterr().out


def test_features_are_measured_of_the_stem_types_that_are_named(tmp_path, capsys, write_song):
    song = write_song(tmp_path / "songs", "a", samples=50_000)
    (song / "bass.wav").rename(song / "guitar.wav")
    path, measured = tmp_path / "f.npz", ["features", "measure", str(tmp_path / "songs")]
    assert main([*measured, "-o", str(path), "--jobs", "1", "--stem-types", "drums,guitar"]) == 0
    assert DatasetFeatures.load(path).stems == ("drums", "guitar")
    assert main([*measured, "-o", str(path), "--stem-types", "drums,A/b"]) == 2
    assert "fxnorm: --stem-types: stem type 'A/b': give" in capsys.readouterr().err


def test_released_features_are_imported(tmp_path, capsys, shared):
    path = tmp_path / "released.npz"
    source = shared / "data" / "features_MUSDB18.npy"
    assert main(["features", "import", str(source), "-o", str(path)]) == 0
    assert set(DatasetFeatures.load(path).loudness) == set(STEMS)
