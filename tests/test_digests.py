import os

from fxnorm.digests import digest


def test_digest_sees_names_and_bytes(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = digest(folder)
    (folder / "a").write_text("2")
    second = digest(folder)
    (folder / "a").rename(folder / "b")
    assert len({first, second, digest(folder)}) == 3


def test_names_of_any_bytes_have_digests(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    name = os.fsdecode(b"\xff\x1b[31m\n.wav")
    (folder / name).write_text("1")
    before = digest(folder)
    (folder / name).rename(folder / os.fsdecode(b"\xfe\x1b[31m\n.wav"))
    assert digest(folder) != before


def test_linked_folders_count_with_what_is_in_them(tmp_path):
    room = tmp_path / "elsewhere" / "room"
    room.mkdir(parents=True)
    (room / "impulse_response.wav").write_text("1")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "room").symlink_to(room)
    (folder / "back").symlink_to(folder)
    before = digest(folder)
    (room / "impulse_response.wav").write_text("2")
    assert digest(folder) != before
