import os

import numpy as np
import pytest

from fxnorm.audio import write
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.mixing.sessions import at_sides, notes_on_place, read_session
from fxnorm.mixing.sources import open_stems
from fxnorm.mixing.tracks import Track

RATE = 44_100
STEREO = np.random.default_rng(0).uniform(-0.5, 0.5, (3000, 2)).astype(np.float32)


def _files(folder, *names, audio=STEREO[:, 0]):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        write(folder / f"{name}.wav", audio, RATE)
        (folder / f"{name}.wav").rename(folder / name)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("OH.L", "OH.R"),
        ("OH L", "OH R"),
        ("oh_l", "OH_R"),
        ("OH-L", "OH-R"),
        ("OH.left", "OH.right"),
    ],
)
def test_two_sides_of_a_recording_are_the_stereo_file_that_they_came_from(tmp_path, left, right):
    for name, channel in ((left, 0), (right, 1)):
        write(tmp_path / f"{name}.wav", STEREO[:, channel], RATE, "FLOAT")
    write(tmp_path / "stereo.wav", STEREO, RATE, "FLOAT")
    _files(tmp_path, "kick.wav", "snare_l.wav")
    session = read_session(tmp_path, STEMS, unknown_as_other=True)
    assert any("the two sides of a stereo recording" in note for note in session.notes)
    sides = [track for track in session.tracks["drums"] if track.pan]
    assert len(sides) == 2
    given = {"drums": sides, "other": session.tracks["other"]}
    sounds = [source.read(3000)[0] for source in open_stems(given, None, STEMS)]
    np.testing.assert_array_equal(sounds[0], sounds[1])


def test_what_is_no_pair_of_mono_files_stays_as_it_is(tmp_path):
    _files(tmp_path, "OH_L.wav", "OH_R.wav", audio=STEREO)
    _files(tmp_path, "Gtr L.wav", "Gtr2 R.wav")
    session = read_session(tmp_path, STEMS)
    assert all(track.pan == 0.0 for its in session.tracks.values() for track in its)
    files = [Track(tmp_path / "OH_L.wav"), Track(tmp_path / "Gtr L.wav")]
    assert at_sides({"drums": files}).tracks == {"drums": tuple(files)}


@pytest.mark.parametrize("name", ["x.ra", "x.mogg", "Song.stem.mp4", "x.dsf"])
def test_audio_that_is_not_read_is_named(tmp_path, name):
    _files(tmp_path, "bass.wav", name)
    with pytest.raises(FxNormError, match=f"{name} .not read here; convert it"):
        read_session(tmp_path, STEMS)


@pytest.mark.parametrize(
    "suffix", ["wave", "rf64", "bw64", "mp4", "m4b", "tta", "bwf", "aifc", "mp2", "3gp", "amr"]
)
def test_audio_of_rare_suffixes_is_no_other_file(tmp_path, suffix):
    _files(tmp_path, "bass.wav", f"drums.{suffix}")
    assert set(read_session(tmp_path, STEMS).tracks) == {"bass", "drums"}


def test_notes_and_lists_are_no_audio_and_audio_under_other_names_is_told(tmp_path):
    _files(tmp_path, "bass.wav", "drums", "vocals.wav.bak")
    for name, data in (
        ("drums.mid", b"MThd"),
        ("mix.m3u", b"bass.wav"),
        ("clip.mov", bytes(4) + b"ftypqt  "),
        ("readme", b"text"),
    ):
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe")
    session = read_session(tmp_path, STEMS)
    assert session.tracks == {"bass": (Track(tmp_path / "bass.wav"),)}
    left_out = [tmp_path / name for name in ("clip.mov", "drums", "vocals.wav.bak")]
    assert [note.partition(": ")[0] for note in session.notes] == [str(p) for p in left_out]


def test_what_is_written_among_tracks_is_told_unless_it_is_called_a_mix(tmp_path):
    song = tmp_path / "song"
    _files(song, "vox.wav")
    names = ("vocals.wav", "parts/vocals.wav", "final.wav", "drum mix.wav", "drums/mix.wav")
    told = notes_on_place(song, [song / name for name in names], STEMS)
    assert [note.partition(":")[0] for note in told] == [str(song / name) for name in names]
    assert notes_on_place(song, [song / "mix.wav", tmp_path / "song 2" / "vox.wav"], STEMS) == ()
    (song / "session.yaml").write_text("vox.wav: vocals\n")
    assert notes_on_place(song, [song / "vocals.wav"], STEMS) == ()
    assert notes_on_place(song / "session.yaml", [song / "vocals.wav"], STEMS) == ()


def test_two_files_of_one_name_are_not_summed(tmp_path):
    _files(tmp_path, "mixture.wav", "mixture.mp3", "vocals.wav", "vocals.mp3")
    with pytest.raises(FxNormError, match=r"vocals\.wav: there is also vocals\.mp3; remove one"):
        read_session(tmp_path, STEMS, unknown_as_other=True)


def test_two_versions_of_one_take_are_told(tmp_path):
    versions = ["vocals_dry.wav", "vocals_norm.wav", "drums.wav", "Drums (processed).wav"]
    versions += ["raw/BassDI.wav", "wet/bass_di.wav", "Gtr 1 DRY.wav", "gtr1-FX.wav"]
    versions += ["Snare copy.wav", "Snare.wav"]
    others = ["Gtr 2 dry.wav", "snare top.wav", "snare bottom.wav", "OH_L.wav", "OH_R.wav"]
    _files(tmp_path, *versions, *others)
    notes = read_session(tmp_path, STEMS).notes
    told = [note for note in notes if "by its name another version of" in note]
    pairs = [note.split(", and")[0].split(": by its name another version of ") for note in told]
    assert {frozenset((os.path.relpath(one, tmp_path), other)) for one, other in pairs} == {
        frozenset(versions[at : at + 2]) for at in range(0, len(versions), 2)
    }


def test_what_is_taken_as_other_is_told_with_what_its_name_says(tmp_path):
    _files(tmp_path, "Kick Sub.wav", "Audio 1.wav")
    notes = read_session(tmp_path, STEMS, unknown_as_other=True).notes
    assert "Audio 1.wav: its name says no stem type; taken as other" in notes[0]
    assert "Kick Sub.wav: its name says bass or drums; taken as other" in notes[1]


def test_a_folder_with_a_table_is_what_the_table_says(tmp_path):
    _files(tmp_path, "01.wav", "bass.wav")
    (tmp_path / "METADATA.yaml").write_text("artist: nobody\n")
    (note,) = read_session(tmp_path, ("bass", "other"), unknown_as_other=True).notes[:1]
    assert "METADATA.yaml: is not looked at; a folder's own table is called" in note
    (tmp_path / "session.yaml").write_text("01.wav: {stem: drums, gain: -3}\n")
    session = read_session(tmp_path, STEMS)
    assert session.tracks == {"drums": (Track(tmp_path / "01.wav", -3.0),)}
    assert "session.yaml: is the table of the song" in session.notes[0]
