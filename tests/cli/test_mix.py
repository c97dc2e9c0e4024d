"""`fxnorm mix`: sessions, stems of the mix, control of the result."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from command_fixtures import stem_options
from fresh_process import run_code
from tiny_model import TINY, plain_features

from fxnorm.audio import info, integrated_loudness, read, resample, true_peak_db, write
from fxnorm.cli import main
from fxnorm.conventions import STEMS
from fxnorm.models import AutomixConfig, MixerConfig, WaveUNetConfig, build, save
from fxnorm.normalization import DatasetFeatures, NormalizationConfig
from fxnorm.outputs import alone_in

RATE = 48_000


@pytest.fixture
def wave_u_net(tmp_path, features):
    folder = tmp_path / "wun"
    config = MixerConfig(system="wun", network=WaveUNetConfig(filters=8, levels=2))
    save(folder, build(config.network), DatasetFeatures.load(features), config)
    return folder


def _mixed(capsys, *words):
    """The audio of a mix and its report."""
    assert main(["mix", *map(str, words), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    return read(report["output"])[0], report


def test_stems_of_the_mix_are_files_that_add_up_to_it(tmp_path, capsys, stems, model):
    output, folder = tmp_path / "mix.wav", tmp_path / "stems"
    words = [*stem_options(stems), "--model", model, "-o", output, "--stems", folder]
    audio, report = _mixed(capsys, *words)
    assert set(report["stem_files"]) == set(STEMS)
    parts = [read(folder / f"{stem}.wav")[0] for stem in STEMS]
    assert {part.shape for part in parts} == {audio.shape}
    np.testing.assert_allclose(sum(parts), audio, rtol=0, atol=1e-6)
    # Without its stems the mix is the same, but for the rounding of 24 bits.
    plain, _ = _mixed(capsys, *words[:-4], "-o", tmp_path / "plain.wav")
    np.testing.assert_allclose(plain, audio, rtol=0, atol=1e-6)


def test_a_wave_u_net_refuses_what_needs_stems(tmp_path, capsys, stems, wave_u_net):
    words = [*stem_options(stems), "--model", str(wave_u_net), "-o", str(tmp_path / "m.wav")]
    for option in (["--stems", str(tmp_path / "s")], ["--balance", "bass=1"]):
        assert main(["mix", *words, *option]) == 2
        assert "no sum of what it makes" in capsys.readouterr().err
    assert not (tmp_path / "m.wav").exists()


def test_files_of_one_stem_are_summed_at_their_recorded_balance(tmp_path, capsys, stems, model):
    kick, snare = read(stems / "drums.wav")[0] * 0.5, read(stems / "other.wav")[0] * 0.3
    for name, part in (("kick", kick), ("snare", snare), ("both", kick + snare)):
        write(tmp_path / f"{name}.wav", part, RATE, "FLOAT")
    common = ["--model", model, "-o", tmp_path / "mix.wav", "--bass", stems / "bass.wav"]
    one, _ = _mixed(capsys, "--drums", tmp_path / "both.wav", *common)
    files = [tmp_path / "kick.wav", tmp_path / "snare.wav"]
    for words in (
        ["--drums", *files],
        ["--drums", files[0], "--drums", files[1]],
        ["--drums", files[0], "--stem", f"drums={files[1]}"],
    ):
        several, report = _mixed(capsys, *words, *common)
        np.testing.assert_allclose(several, one, rtol=0, atol=2e-5)
        assert report["files"]["drums"] == [str(file) for file in files]


def test_two_mono_sides_of_one_stem_are_a_stereo_file(tmp_path, capsys, stems):
    drums, _ = read(stems / "drums.wav")
    for name, channels in (("OH.L", drums[:, 0]), ("OH.R", drums[:, 1]), ("both", drums)):
        write(tmp_path / f"{name}.wav", channels, RATE, "FLOAT")
    words = ["--normalized-sum", "--subtype", "FLOAT", "-o", tmp_path / "mix.wav", "--drums"]
    one, _ = _mixed(capsys, *words, tmp_path / "both.wav")
    two, report = _mixed(capsys, *words, tmp_path / "OH.R.wav", tmp_path / "OH.L.wav")
    np.testing.assert_array_equal(two, one)
    assert any("the two sides of a stereo recording" in text for text in report["warnings"])


def test_a_folder_is_mixed_by_the_names_in_it(tmp_path, capsys, stems, model):
    song = tmp_path / "Song"
    names = {"bass": "02 BassDI.WAV", "vocals": "Lead Vox.wav", "other": "Gtr L.wav"}
    for stem, name in names.items():
        song.mkdir(exist_ok=True)
        shutil.copy(stems / f"{stem}.wav", song / name)
    (song / "drums").mkdir()
    shutil.copy(stems / "drums.wav", song / "drums" / "01.wav")
    write(song / "mixture.wav", np.zeros((10, 2)), RATE)
    (song / "notes.txt").write_text("take two")
    (song / "._Lead Vox.wav").write_bytes(b"resource fork")
    by_name, _ = _mixed(
        capsys, *stem_options(stems), "--model", model, "-o", tmp_path / "names.wav"
    )
    by_folder, report = _mixed(capsys, song, "--model", model, "-o", tmp_path / "mix.wav")
    np.testing.assert_array_equal(by_folder, by_name)
    assert any("mixture.wav: left out" in warning for warning in report["warnings"])
    assert main(["mix", str(song), "--model", str(model), "-o", str(tmp_path / "m.wav")]) == 0
    assert f"vocals: {song / 'Lead Vox.wav'}" in capsys.readouterr().out


def test_unclear_names_are_refused_or_sent_to_other(tmp_path, capsys, stems, model):
    song = tmp_path / "song"
    song.mkdir()
    shutil.copy(stems / "bass.wav", song)
    shutil.copy(stems / "other.wav", song / "Audio 07.wav")
    words = ["mix", str(song), "--model", str(model), "-o", str(tmp_path / "m.wav")]
    assert main(words) == 2
    assert "Audio 07.wav" in capsys.readouterr().err
    assert not (tmp_path / "m.wav").exists()
    assert main([*words, "--unknown", "other"]) == 0
    assert "Audio 07.wav: its name says no stem type; taken as other" in capsys.readouterr().err
    (song / "session.yaml").write_text("bass.wav: bass\n")
    assert main([*words, "--unknown", "other"]) == 2
    assert "--unknown is for --songs, or a folder of tracks without a table" in (
        capsys.readouterr().err
    )


def test_a_table_gives_stem_gain_and_pan(tmp_path, capsys, stems, features):
    (tmp_path / "session.yaml").write_text(
        f"{stems}/bass.wav: bass\n"
        f"{stems}/vocals.wav: {{stem: drums, gain: -6.0, pan: 1.0}}\n"
        f"{stems}/drums.wav: {{stem: drums}}\n"
    )
    # Nothing but the sum of the inputs: what the table says of them is heard as it is.
    words = ["--normalized-sum", "--features", features, "--dry-wet", 0, "--subtype", "FLOAT"]
    dry, _ = _mixed(capsys, tmp_path / "session.yaml", *words, "-o", tmp_path / "m.wav")
    bass, drums = (read(stems / f"{stem}.wav")[0] for stem in ("bass", "drums"))
    vocals = read(stems / "vocals.wav")[0] * [[0.0, 10.0 ** (-6.0 / 20.0) * np.sqrt(2.0)]]
    expected = drums + vocals
    expected[: len(bass)] += bass
    expected = resample(resample(expected, RATE, 44_100), 44_100, RATE, samples=len(dry))
    inner = slice(2000, 78_000)  # Resampled before or after summing: the ends differ.
    gain = np.vdot(dry[inner], expected[inner]) / np.vdot(expected[inner], expected[inner])
    np.testing.assert_allclose(dry[inner], gain * expected[inner], atol=1e-3)
    assert 0.3 < gain <= 1.001  # Lowered to the ceiling.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kick.wav: drums\nkick.wav: bass\n", "'kick.wav' is given twice"),
        ("kick.wav: {stem: drums, volume: 3}\n", "unknown key 'volume'"),
        ("kick.wav: {stem: drums, pan: 2}\n", "pan"),
        ("kick.wav: [drums]\n", "give its stem type"),
        ("- kick.wav\n", "not a table"),
        ("kick.wav: kazoo\n", "kick.wav: unknown stem 'kazoo'"),
        ("kick.wav: {stem: drums\n", "not valid YAML"),
        ("gone.wav: drums\n", "gone.wav: no such file"),
    ],
)
def test_a_wrong_table_is_one_line_that_says_what(tmp_path, capsys, model, text, message):
    (tmp_path / "t.yaml").write_text(text)
    words = ["mix", str(tmp_path / "t.yaml"), "--model", str(model)]
    assert main([*words, "-o", str(tmp_path / "m.wav")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_loudness_and_ceiling_are_those_asked_for(tmp_path, capsys, stems, model):
    common = [*stem_options(stems), "--model", model, "-o", tmp_path / "mix.wav"]
    audio, report = _mixed(capsys, *common, "--loudness", -27)
    assert integrated_loudness(audio, RATE) == pytest.approx(-27.0, abs=0.05)
    assert report["loudness_lufs"] == pytest.approx(-27.0, abs=0.05)
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        words = ["--loudness", 0, "--ceiling", -3, "--subtype", subtype]
        audio, report = _mixed(capsys, *common, *words)
        assert -3.05 < true_peak_db(audio) <= -3.0
        assert any("LU below the 0 LUFS asked for" in text for text in report["warnings"])


def test_sixteen_bits_are_dithered(tmp_path, capsys, stems, model):
    """What lies below half a step is kept on average, and the error does not follow the signal."""
    common = [*stem_options(stems), "--model", model, "--loudness", -60]
    fine, _ = _mixed(capsys, *common, "--subtype", "FLOAT", "-o", tmp_path / "fine.wav")
    coarse, _ = _mixed(capsys, *common, "--subtype", "PCM_16", "-o", tmp_path / "coarse.wav")
    error = (coarse - fine) * 2**15
    # Rounding (1/12) and triangular dither (1/6): a variance of a quarter step squared.
    assert error.var() == pytest.approx(0.25, rel=0.02)
    assert abs(np.corrcoef(error.ravel(), fine.ravel())[0, 1]) < 0.01


def test_the_format_completes_or_contradicts_the_name(tmp_path, capsys, stems, model):
    common = ["mix", *stem_options(stems, "bass"), "--model", str(model), "--format", "flac", "-o"]
    assert main([*common, str(tmp_path / "mix")]) == 0
    assert read(tmp_path / "mix.flac")[1] == RATE
    assert main([*common, str(tmp_path / "mix.wav")]) == 2
    assert "its name says wav" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--model", "--output", "--seed", "--loudness", "--subtype"])
def test_an_option_with_one_value_is_refused_twice(capsys, stems, option):
    value = {"--seed": "1", "--loudness": "-20", "--subtype": "PCM_16"}.get(option, "x")
    with pytest.raises(SystemExit) as stopped:
        main(["mix", *stem_options(stems, "bass"), option, value, option, value])
    assert stopped.value.code == 2
    assert "is given twice" in capsys.readouterr().err


def test_repeated_lists_merge(tmp_path, capsys, stems, features):
    common = ["--normalized-sum", "--features", features, "-o", tmp_path / "m.wav"]
    common = [*stem_options(stems, "bass"), *common]
    apart = ["--strength", "eq=0.5", "--strength", "compression=0", "--effects", "eq,compression"]
    joined = ["--strength", "eq=0.5,compression=0", "--effects", "eq", "--effects", "compression"]
    first, second = (_mixed(capsys, *common, *words) for words in (apart, joined))
    np.testing.assert_array_equal(first[0], second[0])
    assert set(first[1]["stems"]["bass"]["effects"]) == {"eq"}
    for words in (["--strength", "eq=1", "--strength", "eq=0"], ["--balance", "a=1,a=2"]):
        with pytest.raises(SystemExit):
            main(["mix", *map(str, common), *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "m", "--features", "f"], "--features is for --normalized-sum"),
        (["--normalized-sum", "--model", "m", "--features", "f"], "give one of them"),
        (["--songs", ".", "--model", "m"], "give no other stems"),
        (["--model", "{model}", "--balance", "vocals=2"], "balance of 'vocals': no such stem"),
        (["--normalized-sum", "--balance", "vocals=2"], "balance of 'vocals': no such stem"),
        (["--model", "{model}", "--stems", "{stems}"], "would be overwritten"),
        (["--model", "{model}", "--format", "wav", "-o", "new/"], "new/: is a folder"),
        (["--effects", "eq,loudness", "--strength", "panning=0"], "applied, eq, loudness are;"),
        (["--effects", "eq", "--impulse-responses", "."], "--impulse-responses: no effect of"),
        (["--normalized-sum", "--strength", "reverb=0.5"], "is not applied"),
        (["--model", "{model}", "--effects", "reverb"], "needs --impulse-responses"),
        (["--normalized-sum", "--unknown", "other"], "--unknown is for --songs, or"),
        (["--normalized-sum", "--jobs", "2"], "--jobs is for --songs"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path, capsys, stems, model, words, message
):
    words = [word.format(model=model, stems=stems) for word in words]
    words += [] if "-o" in words else ["-o", str(tmp_path / "mix.wav")]
    assert main(["mix", *stem_options(stems, "bass"), *words]) == 2
    assert message in capsys.readouterr().err


def test_stems_of_another_mix_are_not_left_beside_those_of_this_one(tmp_path, capsys, stems):
    parts, output = tmp_path / "parts", str(tmp_path / "m.wav")
    words = ["mix", "--normalized-sum", "--stems", str(parts), "-o", output]
    assert main([*words, *stem_options(stems, "bass", "drums")]) == 0
    assert main([*words, *stem_options(stems, "bass", "drums")]) == 0
    capsys.readouterr()
    assert main([*words, *stem_options(stems, "bass")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "drums.wav: is there already, and this mix has no such stem; remove it" in line
    song = tmp_path / "songs" / "a"
    song.mkdir(parents=True)
    shutil.copy(stems / "bass.wav", song)
    parts.rename(tmp_path / "a")
    words = ["mix", "--normalized-sum", "--songs", str(song.parent), "-o", str(tmp_path / "mixes")]
    assert main([*words, "--stems", str(tmp_path), "--jobs", "1"]) == 2
    assert "drums.wav: is there already" in capsys.readouterr().err


def test_stems_of_a_mix_that_lie_among_its_tracks_are_told(tmp_path, capsys, stems, model):
    song = tmp_path / "songs" / "a"
    song.mkdir(parents=True)
    shutil.copy(stems / "bass.wav", song / "BassDI.wav")
    common = ["--model", str(model), "-o"]
    songs = ["mix", "--songs", str(song.parent), *common]
    words = ["mix", str(song), *common, str(song / "new.wav"), "--stems", str(song / "parts")]
    assert main(words) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "the song's folder" in line]
    assert [line.split(": ")[1] for line in told] == [
        str(song / "new.wav"),
        str(song / "parts" / "bass.wav"),
    ]
    shutil.rmtree(song / "parts")
    (song / "new.wav").unlink()
    assert main([*songs, str(tmp_path / "m"), "--stems", str(song.parent), "--jobs", "1"]) == 0
    (warning, *_) = json.loads((tmp_path / "m" / "a.json").read_text())["warnings"]
    assert warning.startswith(f"{song / 'bass.wav'}: lies in the song's folder")
    (song / "bass.wav").unlink()
    words = [*songs, str(song.parent / "mixes"), "--stems", str(song.parent / "parts")]
    for said in ("mixes: 1 mixes", "1 of 1 songs are there already"):
        assert main([*words, "--jobs", "1"]) == 0
        assert said in capsys.readouterr().out


def test_places_among_the_songs_are_no_songs_and_songs_are_no_places(tmp_path, capsys, stems):
    songs = tmp_path / "songs"
    for name in ("a", "b"):
        (songs / name).mkdir(parents=True)
        shutil.copy(stems / "bass.wav", songs / name)
    words = ["mix", "--songs", str(songs), "--normalized-sum", "--effects", "loudness"]
    words += ["--jobs", "1", "-o"]
    for option in ([str(songs / "a")], [str(tmp_path / "m"), "--stems", str(songs / "a")]):
        assert main([*words, *option]) == 2
        assert f"{songs / 'a'}: holds tracks (bass.wav), and mixes" in capsys.readouterr().err
    (songs / "a").rename(songs / "Bass Song")
    for place in (songs, songs / "out"):
        for said in ("2 mixes", "2 of 2 songs are there already"):
            places = [str(place / "mixes"), "--stems", str(place / "parts")]
            assert main([*words, *places]) == 0
            assert said in capsys.readouterr().out
        shutil.rmtree(place / "mixes")
        shutil.rmtree(place / "parts")


def test_the_reverb_of_a_model_with_rooms_may_be_named(tmp_path, capsys, stems):
    words = [*stem_options(stems, "vocals"), "-o", tmp_path / "m.wav"]
    words += ["--effects", "reverb,loudness", "--strength", "reverb=0.5"]
    _, report = _mixed(capsys, *words)
    assert set(report["stems"]["vocals"]["effects"]) == {"reverb", "loudness"}


def test_what_is_written_is_no_input_and_is_written_once(tmp_path, capsys, stems, model):
    songs = tmp_path / "songs"
    for name in ("a", "b"):
        shutil.copytree(stems, songs / name)
    track = songs / "a" / "bass.wav"
    page = tmp_path / "page.html"
    page.symlink_to(track)
    before = {path: path.read_bytes() for path in songs.glob("*/*.wav")}
    common = ["--model", str(model), "-o"]
    all_songs = ["mix", "--songs", str(songs), *common]
    alone = ["mix", "--bass", str(track), *common]
    for words, message in (
        ([*all_songs, str(tmp_path / "mixes"), "--stems", str(songs)], "overwritten"),
        ([*alone, str(tmp_path / "mix.wav"), "--page", str(page)], "overwritten"),
        ([*alone, str(tmp_path / "bass.wav"), "--stems", str(tmp_path)], "written twice"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in songs.glob("*/*.wav")} == before
    assert not list(tmp_path.glob("*.wav"))


def test_linked_folders_are_mixed_and_broken_links_hold_up_no_other_song(
    tmp_path, capsys, stems, model
):
    songs, mixes = tmp_path / "songs", tmp_path / "mixes"
    for name in ("linked", "loop", "torn", "whole"):
        (songs / name).mkdir(parents=True)
        shutil.copy(stems / "bass.wav", songs / name)
    (tmp_path / "takes").mkdir()
    shutil.copy(stems / "drums.wav", tmp_path / "takes" / "01.wav")
    (songs / "linked" / "drums").symlink_to(tmp_path / "takes")
    (songs / "loop" / "drums").symlink_to(songs / "loop")
    (songs / "torn" / "drums.wav").symlink_to("drums.wav")
    (songs / "gone").symlink_to(tmp_path / "nowhere")
    shutil.copy(stems / "drums.wav", songs / "whole")
    words = ["mix", "--songs", str(songs), "-o", str(mixes), "--model", str(model), "--jobs", "1"]
    assert main(words) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if text.startswith("fxnorm:")]
    assert "3 songs could not be mixed: gone: " in line
    assert "gone: is a link to what is not there" in line
    assert "loop/drums: leads to a folder that is there already" in line
    assert "torn/drums.wav: is a link to what is not there" in line
    np.testing.assert_array_equal(read(mixes / "linked.wav")[0], read(mixes / "whole.wav")[0])


@pytest.mark.skipif(os.name != "posix", reason="needs locks of folders")
@pytest.mark.parametrize("busy", ["mixes", "parts"])
def test_a_folder_into_which_another_process_mixes_songs_is_refused(tmp_path, capsys, stems, busy):
    songs = tmp_path / "songs"
    (songs / "a").mkdir(parents=True)
    shutil.copy(stems / "bass.wav", songs / "a")
    words = ["mix", "--songs", str(songs), "-o", str(tmp_path / "mixes"), "--normalized-sum"]
    words += ["--stems", str(tmp_path / "parts"), "--jobs", "1"]
    with alone_in(tmp_path / busy):
        assert main(words) == 2
    assert f"{busy}: another process writes into it; wait" in capsys.readouterr().err
    assert not (tmp_path / "mixes" / "a.wav").exists()
    assert main(words) == 0


def test_songs_of_a_folder_are_mixed_and_kept_until_something_changes(
    tmp_path, capsys, stems, model
):
    songs, mixes = tmp_path / "songs", tmp_path / "mixes"
    for name in ("a", "b"):
        (songs / name).mkdir(parents=True)
        for stem in ("bass", "drums"):
            shutil.copy(stems / f"{stem}.wav", songs / name)
    words = ["mix", "--songs", str(songs), "-o", str(mixes), "--model", str(model), "--jobs", "2"]
    words += ["--stems", str(tmp_path / "parts")]
    assert main(words) == 0
    capsys.readouterr()
    first = {path.name: path.stat().st_mtime_ns for path in mixes.glob("*.wav")}
    assert set(first) == {"a.wav", "b.wav"}
    alone = tmp_path / "alone.wav"
    assert main(["mix", str(songs / "a"), "--model", str(model), "-o", str(alone)]) == 0
    np.testing.assert_allclose(read(mixes / "a.wav")[0], read(alone)[0], atol=1e-6)
    parts = [read(tmp_path / "parts" / "a" / f"{stem}.wav")[0] for stem in ("bass", "drums")]
    np.testing.assert_allclose(sum(parts), read(mixes / "a.wav")[0], atol=1e-6)
    # A mix is gone, or one of its stems; one song has changed, one is new and can't be read.
    for gone in (mixes / "a.wav", tmp_path / "parts" / "a" / "drums.wav"):
        gone.unlink()
        capsys.readouterr()
        assert main(words) == 0
        assert "1 of 2 songs are there already" in capsys.readouterr().out
        assert gone.is_file()
    second = {path.name: path.stat().st_mtime_ns for path in mixes.glob("*.wav")}
    assert second["b.wav"] == first["b.wav"]
    write(songs / "b" / "bass.wav", read(stems / "other.wav")[0], RATE)
    (songs / "c").mkdir()
    (songs / "c" / "vocals.wav").write_bytes(b"broken")
    assert main(words) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if text.startswith("fxnorm:")]
    assert "1 songs could not be mixed: c:" in line
    third = {path.name: path.stat().st_mtime_ns for path in mixes.glob("*.wav")}
    assert third["a.wav"] == second["a.wav"]
    assert third["b.wav"] != second["b.wav"]


def test_a_song_that_fails_is_the_last_that_is_said(tmp_path, stems):
    for name in ("a", "b"):
        (tmp_path / "songs" / name).mkdir(parents=True)
        shutil.copy(stems / "bass.wav", tmp_path / "songs" / name)
    (tmp_path / "songs" / "b" / "vocals.wav").write_bytes(b"broken")
    words = ["mix", "--songs", tmp_path / "songs", "-o", tmp_path / "mixes", "--jobs", "2"]
    words += ["--normalized-sum", "--effects", "loudness"]
    command = [sys.executable, "-m", "fxnorm", *words]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    # Not what the processes left behind.
    assert done.stderr.splitlines()[-1].startswith("fxnorm: 1 songs could not be mixed: b:")


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
    code = """
        import sys
        from fxnorm.cli import main
        code = main(sys.argv[1:])
        raise SystemExit(code or ("torch" in sys.modules))
    """
    words = ["mix", *stem_options(stems), "--normalized-sum", "--subtype", "FLOAT"]
    words += ["--effects", "eq,compression,panning,loudness"]
    run_code(code, *words, "--model", str(broken), "--output", str(output))
    expected = tmp_path / "expected.wav"
    assert main([*words, "--features", str(features), "--output", str(expected)]) == 0
    assert output.read_bytes() == expected.read_bytes()


def test_the_plain_sum_normalises_as_strongly_as_the_model(tmp_path, capsys, stems, features):
    settings = NormalizationConfig(strengths={"eq": 0.0, "panning": 0.0})
    config = MixerConfig(system="weak", network=AutomixConfig(**TINY), normalization=settings)
    save(tmp_path / "m", build(config.network), DatasetFeatures.load(features), config)
    words = [*stem_options(stems, "bass"), "--model", tmp_path / "m", "-o", tmp_path / "m.wav"]
    for sum_option in ([], ["--normalized-sum"]):
        _, report = _mixed(capsys, *words, *sum_option)
        assert set(report["stems"]["bass"]["effects"]) == {"compression", "loudness"}


def test_a_fifth_stem_is_mixed_by_a_model_that_knows_it(tmp_path, capsys, stems):
    types = (*STEMS, "guitar")
    network = AutomixConfig(stems=5, **TINY)
    torch.manual_seed(1)
    config = MixerConfig(system="five", network=network, stems=types)
    save(tmp_path / "five", build(network), plain_features(types), config)
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
