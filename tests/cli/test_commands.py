"""The real command, end to end."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from command_fixtures import TINY, stem_options

from fxnorm.audio import info, integrated_loudness, read, write
from fxnorm.cli import main
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.models import AutomixConfig, AutomixNet, MixerConfig, build, save
from fxnorm.normalization import DatasetFeatures
from fxnorm.stems import STEMS


def test_mix_keeps_rate_and_length_and_reports(tmp_path, capsys, stems, model):
    output = tmp_path / "mix.wav"
    code = main(["mix", *stem_options(stems), "--model", str(model), "--output", str(output)])
    printed = capsys.readouterr()
    assert code == 0
    audio, sample_rate = read(output)
    assert (audio.shape, sample_rate) == ((96_000, 2), 48_000)
    assert 0.0 < np.abs(audio).max() <= 1.0
    assert "bass" in printed.out
    assert "compression" in printed.out
    assert "vocals: mono" in printed.err
    assert "resampled from 48000 Hz" in printed.err


def test_mix_is_repeatable_and_takes_any_subset(tmp_path, stems, model):
    outputs = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for output in outputs:
        options = [*stem_options(stems, "drums"), "--model", str(model), "--output", str(output)]
        assert main(["mix", *options]) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_mix_without_network_is_the_sum_of_normalised_stems(tmp_path, stems, features):
    common = ["--features", str(features), "--subtype", "FLOAT"]
    sum_path, parts = tmp_path / "sum.wav", np.zeros((96_000, 2))
    options = [*stem_options(stems), "--normalized-sum", "--output", str(sum_path)]
    options += ["--ceiling", "0"]
    assert main(["mix", *options, *common]) == 0
    for stem in STEMS:
        path = tmp_path / f"{stem}.wav"
        source = str(stems / f"{stem}.wav")
        assert main(["normalize", source, "--stem", stem, "--output", str(path), *common]) == 0
        part = read(path)[0]
        parts[: len(part)] += part
    # The sum is formed at 44.1 kHz and each stem is resampled on its own here, and in a song a stem
    # is filled up to the longest one, with which its last frame is measured.
    error = (read(sum_path)[0] - parts)[2000:78_000]
    assert np.sqrt((error**2).mean()) < 0.02 * np.sqrt((parts**2).mean())


def test_mix_json_is_one_document(tmp_path, capsys, stems, model):
    options = [*stem_options(stems, "bass"), "--model", str(model), "--json"]
    assert main(["mix", *options, "--output", str(tmp_path / "m.flac")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["stems"]) == {"bass"}
    assert report["stems"]["bass"]["effects"]["loudness"]["target_lufs"] == -25.0


def test_a_mix_too_short_for_a_loudness_is_reported_in_json_all_the_same(
    tmp_path, capsys, stems, model
):
    short, output = tmp_path / "short.wav", tmp_path / "mix.wav"
    write(short, read(stems / "bass.wav")[0][:1000], 48_000)
    arguments = ["--bass", str(short), "--model", str(model), "--output", str(output), "--json"]
    assert main(["mix", *arguments]) == 0

    def refuse(constant):
        raise AssertionError(constant)

    report = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert report["loudness_lufs"] is None


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


def test_closed_and_full_streams_end_without_a_traceback(features):
    command = f"{sys.executable} -m fxnorm features show"
    reader_gone = "| true; exit ${PIPESTATUS[0]}"
    for words, code in {
        f"{features} >&-": 0,
        f"{features} >/dev/full": 2,
        f"{features} {reader_gone}": 141,
        "gone.npz 2>&-": 2,
        "gone.npz 2>/dev/full": 2,
        f"gone.npz 2>&1 {reader_gone}": 2,
    }.items():
        done = subprocess.run(
            ["bash", "-c", f"{command} {words}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, words
        assert len(done.stderr.splitlines()) == (words.endswith("npz >/dev/full")), words


def test_a_terminated_command_cleans_up_and_says_so(tmp_path):
    script = (
        "import os, signal, sys, threading\n"
        "from fxnorm.cli import main\n"
        "from fxnorm.outputs import atomic_file\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "with atomic_file('page.html'):\n"
        "    sys.exit(main(['listen', 'power', '--participants', '900', '--seed', '1']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "fxnorm: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_strength_zero_leaves_a_stem_untouched(tmp_path, features):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (50_000, 2)).astype(np.float32)
    source, output = tmp_path / "in.wav", tmp_path / "out.wav"
    write(source, audio, 44_100)
    strengths = "eq=0,compression=0,panning=0,loudness=0"
    options = ["--stem", "drums", "--features", str(features), "--strength", strengths]
    assert main(["normalize", str(source), *options, "--output", str(output)]) == 0
    np.testing.assert_array_equal(read(output)[0], read(source)[0])


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


def test_released_features_are_imported(tmp_path, capsys, shared):
    path = tmp_path / "released.npz"
    source = shared / "data" / "features_MUSDB18.npy"
    assert main(["features", "import", str(source), "-o", str(path)]) == 0
    assert set(DatasetFeatures.load(path).loudness) == set(STEMS)


def test_released_weights_become_a_model_folder(tmp_path, capsys, features):
    torch.manual_seed(2)
    state = AutomixNet(AutomixConfig()).state_dict()
    torch.save(state, tmp_path / "ours.params")
    options = ["--system", "ours", "--features", str(features), "-o", str(tmp_path / "model")]
    assert main(["weights", "import", str(tmp_path / "ours.params"), *options]) == 0
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["normalization"]["released_quirks"] is True
    assert config["warm_up_s"] == 30.0


def test_score_of_the_target_itself_is_zero(tmp_path, capsys, stems):
    for folder in ("target", "mixes/copy"):
        write(tmp_path / folder / "song.wav", read(stems / "drums.wav")[0], 48_000)
    options = ["--target", str(tmp_path / "target"), "--mixes", str(tmp_path / "mixes")]
    table = tmp_path / "scores.csv"
    assert main(["score", *options, "-o", str(table), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["copy"]
    assert scores["spectral"]["mape_mean"] == 0.0
    assert scores["loudness"]["d_lufs"] == 0.0
    assert table.read_text().startswith("system,test_set,song,group,metric,value,note")


def _wrong(stems, model, features, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF nothing")
    song, out = str(stems / "bass.wav"), str(tmp_path / "out.wav")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    cut = tmp_path / "cut.wav"
    cut.write_bytes((stems / "bass.wav").read_bytes()[:100_000])
    surround, silent = tmp_path / "surround.wav", tmp_path / "silent.wav"
    write(surround, np.ones((9, 6)), 44_100)
    write(silent, np.zeros((9, 2)), 44_100)
    array = tmp_path / "array.npy"
    np.save(array, np.zeros(3))
    thesis = tmp_path / "precious" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("mine")
    released = tmp_path / "pretrained.params"
    torch.save(AutomixNet(AutomixConfig(pretraining=True)).state_dict(), released)
    known = ["--system", "ours-pretrained", "--features", str(features)]
    normalize = ["normalize", "--stem", "bass", "--features", str(features), "--output"]
    mix = ["mix", "--model", str(model), "--output", out]
    weights = ["weights", "import", "-o", str(tmp_path / "w")]
    return {
        "no stems": (mix, "no stems"),
        "missing stem": ([*mix, "--bass", "gone.wav"], "gone.wav: no such file"),
        "endless link": ([*mix, "--bass", str(loop / "a.wav")], "a.wav: no such file"),
        "long name": ([*mix, "--bass", f"{'a' * 300}.wav"], "can't be used (File name too long)"),
        "corrupt stem": ([*mix, "--bass", str(broken)], "broken.wav: not readable"),
        "cut off": ([*mix, "--bass", str(cut)], "cut.wav: ends early"),
        "too many channels": ([*normalize, out, str(surround)], "surround.wav: bass: audio has 6"),
        "silence": ([*mix, "--bass", str(silent)], "silent.wav: all stems are silent"),
        "an input as output": (["mix", "--bass", song, "--output", song], "would be overwritten"),
        "subtype": (["mix", "--bass", song, "--output", "o.flac", "--subtype", "FLOAT"], "o.flac"),
        "wrong model": (
            ["mix", "--bass", song, "--model", str(stems), "--output", out],
            "model.safetensors",
        ),
        "output suffix": (["mix", "--bass", song, "--model", "m", "--output", "o.mp3"], "o.mp3"),
        "reverb without rooms": ([*mix, "--bass", song, "--effects", "reverb"], "--impulse"),
        "no data set": (["features", "measure", "nowhere", "-o", "f.npz"], "nowhere"),
        "features file": (["features", "show", str(broken)], "broken.wav"),
        "an array": (["features", "show", str(array)], "array.npy: not a features file"),
        "no place": (["features", "measure", ".", "-o", f"{song}/f.npz"], "can't be written"),
        "overwriting": ([*normalize, song, song], "would be overwritten"),
        "lossy output": ([*normalize, str(tmp_path / "n.mp3"), song], "n.mp3: can't be written"),
        "gone": ([*normalize, str(tmp_path / "n v1.0"), "gone.wav"], "gone.wav: no such file"),
        "another folder": (
            ["weights", "import", str(released), "-o", str(thesis.parent), *known],
            "holds something else (thesis.txt)",
        ),
        "weights": (
            [*weights, str(broken), "--system", "wun", "--features", str(features)],
            "broken.wav",
        ),
        "targets": (["score", "--target", "gone", "--mixes", "gone", "-o", "s.csv"], "gone"),
        "dry songs": (["listen", "export", "--mixes", ".", "--dry", "gone", "-o", "l"], "gone"),
        "results": (["listen", "analyze", "gone.csv", "--key", "k.csv", "-o", "a"], ".csv"),
    }


def test_wrong_input_is_one_clear_line_and_code_2(capsys, stems, model, features, tmp_path):
    for case, (arguments, message) in _wrong(stems, model, features, tmp_path).items():
        assert main(arguments) == 2, case
        printed = capsys.readouterr()
        errors = [line for line in printed.err.splitlines() if not line.startswith("warning")]
        assert len(errors) == 1, case
        assert message in errors[0], case
        assert not (tmp_path / "out.wav").exists(), case
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["mix", "--effects", "magic"],
        ["normalize"],
        ["features", "measure", ".", "-o", "f.npz", "--jobs", "0"],
    ],
)
def test_wrong_use_exits_with_2(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_the_installed_module_runs_and_every_command_has_help():
    for command in ("", "mix", "normalize", "features", "weights", "score", "listen"):
        words = [sys.executable, "-m", "fxnorm", *command.split(), "--help"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "usage: fxnorm" in done.stdout


def test_real_stems_mix_to_their_length(tmp_path, shared, model):
    song = shared / "data" / "song008"
    options = [w for stem in STEMS for w in (f"--{stem}", str(song / f"{stem}_dry.mp3"))]
    output = tmp_path / "mix.wav"
    assert main(["mix", *options, "--model", str(model), "--output", str(output)]) == 0
    header = info(output)
    assert header.channels == 2
    assert header.samples == max(len(read(song / f"{stem}_dry.mp3")[0]) for stem in STEMS)
    audio, _ = read(output)
    assert np.isfinite(audio).all()
    assert 0.0 < np.abs(audio).max() < 1.0


def test_the_plain_sum_reads_a_models_features_without_torch(tmp_path, stems, model, features):
    """The weights are not looked at: the sum works where they can't even be read."""
    broken, output = tmp_path / "model", tmp_path / "sum.wav"
    shutil.copytree(model, broken)
    (broken / "model.safetensors").write_bytes(b"not read")
    script = (
        "import sys\n"
        "from fxnorm.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "raise SystemExit(code or ('torch' in sys.modules))"
    )
    words = ["mix", *stem_options(stems), "--normalized-sum", "--subtype", "FLOAT"]
    words += ["--effects", "eq,compression,panning,loudness"]
    program = [sys.executable, "-c", script, *words, "--model", str(broken)]
    subprocess.run([*program, "--output", str(output)], check=True, capture_output=True)
    expected = tmp_path / "expected.wav"
    assert main([*words, "--features", str(features), "--output", str(expected)]) == 0
    assert output.read_bytes() == expected.read_bytes()


def test_a_fifth_stem_is_mixed_by_a_model_that_knows_it(tmp_path, capsys, stems):
    types = (*STEMS, "guitar")
    spectrum = 1.0 / (1.0 + np.arange(32_769) / 200.0)
    features = DatasetFeatures(
        eq=dict.fromkeys(types, spectrum),
        compression=dict.fromkeys(types, (-20.0, 3.0)),
        panning=dict.fromkeys(types, np.full(32_769, 0.9)),
        loudness=dict.fromkeys(types, -25.0),
    )
    network = AutomixConfig(stems=5, **TINY)
    torch.manual_seed(1)
    config = MixerConfig(system="five", network=network, stems=types)
    save(tmp_path / "five", build(network), features, config)
    guitar = ["--stem", f"guitar={stems / 'other.wav'}"]
    common = ["--model", str(tmp_path / "five"), "--output"]
    outputs = [tmp_path / "with.wav", tmp_path / "without.wav"]
    assert main(["mix", *stem_options(stems), *guitar, *common, str(outputs[0])]) == 0
    assert "guitar: " in capsys.readouterr().out
    assert main(["mix", *stem_options(stems), *common, str(outputs[1])]) == 0
    assert np.abs(read(outputs[0])[0] - read(outputs[1])[0]).max() > 1e-4
    kazoo = ["--stem", f"kazoo={stems / 'other.wav'}"]
    assert main(["mix", *kazoo, *common, str(tmp_path / "none.wav")]) == 2
    assert "unknown stem 'kazoo'; use vocals, bass, drums, other, guitar" in capsys.readouterr().err
