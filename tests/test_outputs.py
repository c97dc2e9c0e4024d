import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_process import run_code

from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_file, atomic_folder


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
    code = """
        import os, sys
        from fxnorm.outputs import atomic_folder
        seen = []
        sys.addaudithook(lambda name, _: seen.append(os.path.isdir("model"))
                         if name in ("os.rename", "shutil.rmtree", "ctypes.dlopen") else None)
        with atomic_folder("model") as folder: pass
        seen.clear()
        with atomic_folder("model") as folder: pass
        print(seen)
    """
    seen = run_code(code, folder=tmp_path).stdout
    assert "True" in seen
    assert "False" not in seen


def test_a_folder_that_another_process_makes_meanwhile_is_replaced(tmp_path):
    code = """
        import os, sys
        from fxnorm.outputs import atomic_folder
        def make(name, arguments):
            if name == "os.rename" and not os.path.exists("model"):
                os.mkdir("model")
                open("model/theirs", "w").close()
        with atomic_folder("model") as folder:
            (folder / "ours").touch()
            sys.addaudithook(make)
    """
    run_code(code, folder=tmp_path)
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
