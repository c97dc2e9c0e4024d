import numpy as np
import pytest
import soundfile

from fxnorm.audio import write
from fxnorm.mixing.sources import coding_notes, open_stems, shared_notes, stamp_notes
from fxnorm.mixing.tracks import Track


def test_a_file_of_two_stems_is_warned_of(tmp_path):
    write(tmp_path / "a.wav", np.zeros((100, 2)), 44_100)
    write(tmp_path / "b.wav", np.ones((100, 2)), 44_100)
    stems = {"bass": tmp_path / "a.wav", "drums": [tmp_path / "b.wav", tmp_path / "." / "a.wav"]}
    (note,) = shared_notes(open_stems(stems, 44_100, tuple(stems)))
    assert note == f"{tmp_path / 'a.wav'}: is given for bass and drums, and counts in each"


def test_a_copy_of_a_file_is_told(tmp_path):
    for name, value in (("a", 0.1), ("b", 0.2), ("copy", 0.1)):
        write(tmp_path / f"{name}.wav", np.full((100, 2), value), 44_100)
    stems = {"bass": [tmp_path / "a.wav", tmp_path / "b.wav"], "other": tmp_path / "copy.wav"}
    (note,) = shared_notes(open_stems(stems, None, tuple(stems)))
    assert note.startswith(f"{tmp_path / 'copy.wav'}: is a copy of {tmp_path / 'a.wav'}, and both")


@pytest.mark.parametrize(
    ("gains", "pan", "said"),
    [
        ((1.0, 0.0), 0.0, ["vocals: the right channel is silent; if that is not meant"]),
        ((5e-4, 1.0), 0.0, ["vocals: the left channel is silent; if that is not meant"]),
        ((5e-3, 1.0), 0.0, []),
        ((1.0, 1.0), 1.0, []),
    ],
)
def test_a_silent_channel_is_told_unless_it_was_asked_for(gains, pan, said):
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 1)).astype(np.float32) * gains
    (source,) = open_stems({"vocals": Track(stereo, pan=pan)}, 44_100, ("vocals",))
    _, notes = source.read(5000)
    assert [note.partition(", give")[0] for note in notes] == said


def test_a_source_says_how_its_file_is_read(tmp_path):
    write(tmp_path / "a.wav", np.full((100, 2), 0.1), 44_100)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[40:44] = bytes(4)  # The size of the audio.
    (tmp_path / "a.wav").write_bytes(data)
    (source,) = open_stems({"bass": tmp_path / "a.wav"}, 44_100, ("bass",))
    song, notes = source.read(100)
    assert (song > 0.0).all()
    assert "says less audio than there is" in notes[0]


def test_time_stamps_that_differ_are_said_with_both(tmp_path):
    write(tmp_path / "none.wav", np.zeros((100, 2)), 44_100)
    whole = (tmp_path / "none.wav").read_bytes()
    for name, samples in (("a", 3600 * 44_100), ("b", 3610 * 44_100), ("c", 3600 * 44_100 + 9)):
        bext = b"bext" + (602).to_bytes(4, "little") + bytes(338)
        bext += samples.to_bytes(8, "little") + bytes(256)
        (tmp_path / f"{name}.wav").write_bytes(whole[:12] + bext + whole[12:])
    files = [tmp_path / f"{name}.wav" for name in ("none", "b", "c", "a")]
    (note,) = stamp_notes(open_stems({"bass": files}, None, ("bass",)))
    assert f"b.wav: begins at 3610.00 s by its time stamp, {files[3]} at 3600.00 s" in note
    assert stamp_notes(open_stems({"bass": files[0]}, None, ("bass",))) == []


def test_what_coding_makes_later_than_the_rest_is_said(tmp_path):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (9000, 2))
    soundfile.write(tmp_path / "tagged.mp3", samples, 44_100)
    whole = (tmp_path / "tagged.mp3").read_bytes()
    at = max(whole.find(b"Xing"), whole.find(b"Info"))
    frame = whole.find(whole[at - 36 : at - 34], at)
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp3").write_bytes(whole[frame:])
    write(tmp_path / "c.wav", samples, 44_100)
    a, b, c, tagged = (tmp_path / name for name in ("a.mp3", "b.mp3", "c.wav", "tagged.mp3"))

    def said(*files):
        return coding_notes(open_stems({"bass": list(files)}, None, ("bass",)))

    # All are late alike, or none is.
    assert said(a, b) == said(c, tagged) == []
    for exact in (c, tagged):
        assert [note.split(": ")[0] for note in said(a, exact, b)] == [str(a), str(b)]
    assert f"a.mp3: may begin about 25 ms late beside {c}: it does not tell" in said(c, a)[0]


def test_a_source_read_twice_says_the_same_twice():
    loud_and_mono = np.cos(np.arange(4_000.0))[:, None].astype(np.float32)
    (source,) = open_stems({"bass": loud_and_mono}, 44_100, ("bass",))
    (first, notes), (second, again) = source.read(5_000), source.read(5_000)
    np.testing.assert_array_equal(first, second)
    assert len(notes) == 2
    assert notes == again
