"""`fxnorm normalize`."""

import json

import numpy as np
import pytest

from fxnorm.audio import integrated_loudness, read, write
from fxnorm.cli import main


def test_what_integers_would_clip_is_lowered_and_said(tmp_path, capsys, features):
    loud, output = tmp_path / "loud.wav", tmp_path / "out.wav"
    samples = np.random.default_rng(0).uniform(-4.0, 4.0, (44_100, 2)).astype(np.float32)
    write(loud, samples, 44_100, "FLOAT")
    words = ["normalize", str(loud), "--stem", "bass", "--features", str(features)]
    assert main([*words, "--effects", "", "--output", str(output), "--json"]) == 0
    printed = capsys.readouterr()
    assert "lowered by 12.0 dB" in printed.err
    audio = read(output)[0]
    # 16 bits end one step below full scale.
    np.testing.assert_allclose(audio, samples / np.abs(samples).max(), rtol=0, atol=4e-5)
    (report,) = json.loads(printed.out)
    assert report["output"]["peak_db"] == pytest.approx(0.0, abs=1e-6)
    lufs = integrated_loudness(audio, 44_100)
    assert report["output"]["loudness_lufs"] == pytest.approx(lufs, abs=0.01)


def test_strength_zero_leaves_a_stem_untouched(tmp_path, features):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (50_000, 2)).astype(np.float32)
    source, output = tmp_path / "in.wav", tmp_path / "out.wav"
    write(source, audio, 44_100)
    strengths = "eq=0,compression=0,panning=0,loudness=0"
    options = ["--stem", "drums", "--features", str(features), "--strength", strengths]
    assert main(["normalize", str(source), *options, "--output", str(output)]) == 0
    np.testing.assert_array_equal(read(output)[0], read(source)[0])
