"""Finding mixes: nothing is left out without a word."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from fxnorm.audio import write
from fxnorm.errors import FxNormError
from fxnorm.listening import find_listening_songs


def write_mix(path: Path) -> None:
    write(path, np.zeros((4410, 2), np.float32), 44_100)


@pytest.fixture
def folders(tmp_path, write_song) -> tuple[Path, Path]:
    for name in ("One", "Two"):
        write_song(tmp_path / "dry", name)
        for system in ("ours", "wun"):
            write_mix(tmp_path / "mixes" / system / f"{name}.wav")
    return tmp_path / "mixes", tmp_path / "dry"


def test_every_system_and_the_human_mix_of_each_song_are_found(folders) -> None:
    mixes, dry = folders
    songs = find_listening_songs(mixes, dry)
    assert [song.name for song in songs] == ["One", "Two"]
    assert {name: Path(path) for name, path in songs[0].mixes.items()} == {
        "human": dry / "One" / "mixture.wav",
        "ours": mixes / "ours" / "One.wav",
        "wun": mixes / "wun" / "One.wav",
    }
    assert {Path(path).stem for path in songs[0].stems} == {"vocals", "bass", "drums", "other"}


def test_the_reference_has_all_stem_types_that_are_named(folders, caplog) -> None:
    mixes, dry = folders
    types = ("vocals", "bass", "drums", "other", "guitar")
    for name in ("One", "Two"):
        write_mix(dry / name / "guitar.wav")
    find_listening_songs(mixes, dry)
    assert "One/guitar.wav: is of no stem type that was named" in caplog.text
    songs = find_listening_songs(mixes, dry, types)
    assert {Path(path).stem for path in songs[0].stems} == set(types)


def test_what_is_left_out_is_told_of(folders, write_song, caplog) -> None:
    mixes, dry = folders
    write_mix(mixes / "ours" / "Three.wav")
    write_mix(mixes / "stray.wav")
    write_song(dry, "Unmixed")
    (mixes / "ours" / "notes.txt").write_text("not audio")
    (mixes / "ours" / "._One.wav").write_text("not audio either")
    assert [song.name for song in find_listening_songs(mixes, dry)] == ["One", "Two"]
    assert "Three.wav: no song 'Three'" in caplog.text
    assert "stray.wav: lies in no system's folder" in caplog.text
    assert "Unmixed: no system has mixed it; left out" in caplog.text
    assert len(caplog.records) == 3


def test_two_mixes_of_a_song_by_one_system_are_refused(folders) -> None:
    mixes, dry = folders
    write_mix(mixes / "ours" / "One.flac")
    with pytest.raises(FxNormError, match=r"One\.wav: there is also One\.flac; remove one"):
        find_listening_songs(mixes, dry)


def test_links_to_nothing_are_refused(folders) -> None:
    mixes, dry = folders
    for link in (mixes / "gone", mixes / "ours" / "Two.wav"):
        link.unlink(missing_ok=True)
        link.symlink_to("nowhere")
        with pytest.raises(FxNormError, match=rf"{link.name}: is a link to what is not there"):
            find_listening_songs(mixes, dry)
        link.unlink()


def test_a_system_does_not_take_the_human_mixs_name(folders) -> None:
    mixes, dry = folders
    write_mix(mixes / "human" / "One.wav")
    with pytest.raises(FxNormError, match="human: 'human' names the songs' own mixtures; rename"):
        find_listening_songs(mixes, dry)


def test_names_match_however_their_accents_are_encoded(folders, write_song) -> None:
    mixes, dry = folders
    name = "Ärger é"
    write_song(dry, unicodedata.normalize("NFD", name))
    write_mix(mixes / unicodedata.normalize("NFD", "baseline é") / f"{name}.wav")
    write_mix(mixes / "ours" / f"{unicodedata.normalize('NFC', name)}.wav")
    songs = {song.name: song for song in find_listening_songs(mixes, dry)}
    composed = unicodedata.normalize("NFC", name)
    assert set(songs[composed].mixes) == {"human", "baseline é", "ours"}


def test_folders_that_hold_nothing_of_use_are_named(folders) -> None:
    mixes, dry = folders
    (mixes / "empty").mkdir()
    with pytest.raises(FxNormError, match="empty: holds no mix of a song in"):
        find_listening_songs(mixes, dry)
    with pytest.raises(FxNormError, match="gone: no such folder"):
        find_listening_songs(mixes.parent / "gone", dry)
