"""The real command, end to end."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import numpy as np
import pytest
import torch
from fresh_process import run_code

from fxnorm.audio import write
from fxnorm.cli import main
from fxnorm.models import AutomixConfig, AutomixNet


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


@pytest.mark.parametrize("words", [["mix", ""], ["mix", "song", "--stems", ""], ["mix", "--stem="]])
def test_empty_words_are_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "an argument is empty" in capsys.readouterr().err


def test_a_terminated_command_cleans_up_and_says_so(tmp_path):
    code = """
        import os, signal, sys, threading
        from fxnorm.cli import main
        from fxnorm.outputs import atomic_file
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with atomic_file("page.html"):
            sys.exit(main(["listen", "power", "--participants", "900", "--seed", "1"]))
    """
    done = run_code(code, folder=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (130, "fxnorm: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_the_current_folder_is_imported(tmp_path, stems):
    """A folder of songs may come from anybody; worker processes would look there first."""
    command = tmp_path / "bin" / "fxnorm"
    command.parent.mkdir()
    command.write_text("from fxnorm.cli import run\nraise SystemExit(run())\n")
    folder = tmp_path / "folder"
    shutil.copytree(stems, folder / "songs" / "one")
    (folder / "random.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    words = "mix --songs songs -o mixes --jobs 2 --normalized-sum --effects loudness"
    subprocess.run([sys.executable, command, *words.split()], cwd=folder, check=True)
    assert (folder / "mixes" / "one.wav").is_file()
    assert not (tmp_path / "imported").exists()


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
        ["score", "--target", ".", "--mixes", ".", "-o", "s.csv", "--match-loudness", "nan"],
        ["score", "--target", ".", "--mixes", ".", "-o", "s.csv", "--match-loudness", "1000"],
        ["listen", "power", "--differences", "0.1,nan"],
        ["listen", "power", "--participants", "8,x"],
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


def test_a_command_that_ends_early_does_not_wait_for_its_threads():
    script = (
        "import sys, threading\n"
        "from fxnorm.cli import run\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "sys.argv = ['fxnorm', 'features', 'show', 'gone.npz']\n"
        "sys.exit(run())\n"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("fxnorm: gone.npz: no such")


@pytest.mark.parametrize(
    ("numpy", "reason"),
    [("import _cut", "_cut"), ("raise OSError('libcut: out of memory')", "libcut: out of memory")],
)
def test_a_library_that_can_not_be_loaded_is_named(tmp_path, numpy, reason):
    (tmp_path / "numpy.py").write_text(numpy)
    (tmp_path / f"_cut{EXTENSION_SUFFIXES[0]}").write_bytes(b"cut off")
    script = "import sys; from fxnorm.cli import run; sys.exit(run())"
    words = [sys.executable, "-c", script, "features", "show", "gone.npz"]
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        words, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert reason in line
    assert "allow more memory" in line
