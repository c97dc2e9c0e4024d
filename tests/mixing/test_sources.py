import numpy as np

from fxnorm.audio import write
from fxnorm.mixing.sources import open_stems, shared_notes


def test_a_file_of_two_stems_is_warned_of(tmp_path):
    write(tmp_path / "a.wav", np.zeros((100, 2)), 44_100)
    write(tmp_path / "b.wav", np.zeros((100, 2)), 44_100)
    stems = {"bass": tmp_path / "a.wav", "drums": [tmp_path / "b.wav", tmp_path / "." / "a.wav"]}
    (note,) = shared_notes(open_stems(stems, 44_100, tuple(stems)))
    assert note == f"{tmp_path / 'a.wav'}: is given for bass and drums, and counts in each"


def test_a_source_says_how_its_file_is_read(tmp_path):
    write(tmp_path / "a.wav", np.full((100, 2), 0.1), 44_100)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[40:44] = bytes(4)  # The size of the audio.
    (tmp_path / "a.wav").write_bytes(data)
    (source,) = open_stems({"bass": tmp_path / "a.wav"}, 44_100, ("bass",))
    song, notes = source.read(100)
    assert (song > 0.0).all()
    assert "says less audio than there is" in notes[0]


def test_a_source_read_twice_says_the_same_twice():
    loud_and_mono = np.cos(np.arange(4_000.0))[:, None].astype(np.float32)
    (source,) = open_stems({"bass": loud_and_mono}, 44_100, ("bass",))
    (first, notes), (second, again) = source.read(5_000), source.read(5_000)
    np.testing.assert_array_equal(first, second)
    assert len(notes) == 2
    assert notes == again
