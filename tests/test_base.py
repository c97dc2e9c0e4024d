import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fxnorm.compiling import compiled
from fxnorm.configuration import Config
from fxnorm.digests import digest
from fxnorm.errors import FxNormError, printable
from fxnorm.outputs import atomic_file, atomic_folder
from fxnorm.progress import fraction_done, progress
from fxnorm.seeds import derive_seed, generator


class Inner(Config):
    rate: float = 1.0


class Outer(Config):
    inner: Inner
    name: str


def test_faults_of_a_configuration_are_all_named_in_one_line():
    with pytest.raises(FxNormError) as error:
        Outer.parse({"inner": {"rate": "fast", "rat": 2}}, "params.yaml")
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("params.yaml: ")
    assert "unknown key 'inner.rat'" in message
    assert "key 'inner.rate'" in message
    assert "key 'name' is missing" in message


def test_streams_depend_on_seed_and_purpose_and_on_nothing_else():
    code = "from fxnorm.seeds import derive_seed; print(derive_seed(7, 'reverb', 'song', 3))"
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    elsewhere = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert int(elsewhere.stdout) == derive_seed(7, "reverb", "song", 3)
    seeds = {derive_seed(7, "a", "bc"), derive_seed(7, "ab", "c"), derive_seed(8, "a", "bc")}
    assert len(seeds) == 3
    assert generator(1, "x").random() == generator(1, "x").random()


def test_an_interrupted_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with atomic_file(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_folder_replaces_the_old_one(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    with atomic_folder(target) as temporary:
        (temporary / "new").touch()
        assert (target / "old").exists()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_names_of_any_bytes_have_seeds_digests_and_a_line_of_text(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    name = os.fsdecode(b"\xff\x1b[31m\n.wav")
    (folder / name).write_text("1")
    before = digest(folder)
    (folder / name).rename(folder / os.fsdecode(b"\xfe\x1b[31m\n.wav"))
    assert digest(folder) != before
    assert derive_seed(1, name) == derive_seed(1, name) != derive_seed(1, printable(name))
    assert printable(f"{name} é\u202e") == r"\udcff\x1b[31m\n.wav é\u202e"


def test_digest_sees_names_and_bytes(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = digest(folder)
    (folder / "a").write_text("2")
    second = digest(folder)
    (folder / "a").rename(folder / "b")
    assert len({first, second, digest(folder)}) == 3


def test_progress_prints_plain_lines_without_a_terminal(capsys):
    assert list(progress(iter("abc"), 3, "reading", "songs")) == ["a", "b", "c"]
    assert "reading: 3/3 songs" in capsys.readouterr().err


def test_fractions_become_lines_now_and_then(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with fraction_done("mix") as report:
        report(0.1)
        now[0] += 30.0
        report(0.25)
        report(0.3)
    assert capsys.readouterr().err == "mix: 25%, 90 s left\n"


def _without_exchange(monkeypatch):
    """As on systems that can't swap two folders."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)


def test_a_folder_comes_back_when_it_cannot_be_replaced(tmp_path, monkeypatch):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("kept")
    rename = Path.rename

    def refuse_the_new(source, destination):
        if Path(destination) == target and not source.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        return rename(source, destination)

    _without_exchange(monkeypatch)
    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(FxNormError, match="No space left"), atomic_folder(target):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (target / "old").read_text() == "kept"


def test_a_folder_is_replaced_or_recovered_where_folders_cannot_be_swapped(tmp_path, monkeypatch):
    _without_exchange(monkeypatch)
    target, old = tmp_path / "model", tmp_path / ".model.old"
    for text in ("first", "second"):
        with atomic_folder(target) as folder:
            (folder / "text").write_text(text)
    assert (target / "text").read_text() == "second"
    target.rename(old)  # what a kill between the two renames leaves
    with pytest.raises(FxNormError, match="something else"), atomic_folder(target, replaces=()):
        pass
    assert (target / "text").read_text() == "second"
    assert list(tmp_path.iterdir()) == [target]


def test_a_replaced_folder_is_never_absent(tmp_path):
    """The folder is looked for at every rename and swap that the system is asked for."""
    script = (
        "import os, sys\n"
        "from fxnorm.outputs import atomic_folder\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, _: seen.append(os.path.isdir('model'))\n"
        "                 if name in ('os.rename', 'shutil.rmtree', 'ctypes.dlopen') else None)\n"
        "with atomic_folder('model') as folder: pass\n"
        "seen.clear()\n"
        "with atomic_folder('model') as folder: pass\n"
        "print(seen)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "True" in done.stdout
    assert "False" not in done.stdout


def test_a_folder_that_another_process_makes_meanwhile_is_replaced(tmp_path):
    script = (
        "import os, sys\n"
        "from fxnorm.outputs import atomic_folder\n"
        "def make(name, arguments):\n"
        "    if name == 'os.rename' and not os.path.exists('model'):\n"
        "        os.mkdir('model')\n"
        "        open('model/theirs', 'w').close()\n"
        "with atomic_folder('model') as folder:\n"
        "    (folder / 'ours').touch()\n"
        "    sys.addaudithook(make)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["ours"]


def test_messages_name_files_of_a_folder_as_they_are_to_be_called(tmp_path):
    with (
        pytest.raises(FxNormError) as error,
        atomic_folder(tmp_path / "model") as folder,
        atomic_file(folder / "rooms/a.wav"),
    ):
        raise OSError(28, "No space left on device")
    rooms = tmp_path / "model/rooms"
    assert str(error.value) == f"{rooms}/a.wav: can't be written, no room in {rooms}; make some"


def test_a_symbolic_link_to_a_file_is_replaced(tmp_path):
    (tmp_path / "cached").write_text("kept")
    (tmp_path / "link").symlink_to("cached")
    with atomic_file(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "cached").read_text() == "kept"
    assert (tmp_path / "link").read_text() == "new"


def test_a_symbolic_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "disk/model").mkdir(parents=True)
    link = tmp_path / "model"
    link.symlink_to("disk/model")
    with atomic_folder(link) as folder:
        (folder / "new").touch()
    assert link.is_symlink()
    assert (tmp_path / "disk/model/new").exists()


def test_a_full_disk_is_named_whatever_library_writes(tmp_path):
    mount = f"mount -t tmpfs -o size=256k none {tmp_path}"
    disk = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    try:
        subprocess.run([*disk, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small disk can be made here")
    script = f"{mount}; exec {sys.executable} {Path(__file__).with_name('full_disk.py')} {tmp_path}"
    done = subprocess.run([*disk, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 12
    for line in lines:
        assert f": can't be written, no room in {tmp_path}; make some" in line


def test_a_folder_with_something_else_is_kept(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FxNormError, match="thesis"), atomic_folder(tmp_path, replaces=("a",)):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_functions_compile_where_no_code_can_be_kept():
    """A function of no file has no place for its code, as those of a read-only installation."""
    names = {}
    exec("def double(x):\n    return x + x\n", names)
    assert compiled(names["double"])(21.0) == 42.0
