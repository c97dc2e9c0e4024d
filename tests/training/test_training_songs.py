"""Reading pieces of songs from disk."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.training import TrainingSong, open_songs

GOLDEN = np.load(Path(__file__).with_name("golden") / "training.npz")
LENGTHS = (50, 37, 50, 44)


def counting_song(folder: Path, suffix: str = ".wav", subtype: str = "PCM_16") -> TrainingSong:
    """The song of the golden chunks: stem i counts up from 1 + 1000 i."""
    files = {}
    for index, length in enumerate(LENGTHS):
        values = np.arange(2 * length).reshape(length, 2) + 1 + 1000 * index
        files[str(index)] = folder / f"{index}{suffix}"
        audio.write(files[str(index)], (values / 32768).astype(np.float32), 44_100, subtype)
    return TrainingSong("counting", files, None)


@pytest.mark.parametrize(
    ("suffix", "subtype"), [(".wav", "PCM_16"), (".wav", "FLOAT"), (".flac", "PCM_16")]
)
@pytest.mark.parametrize("samples", [20, 60])
@pytest.mark.parametrize("seed", range(6))
def test_chunks_are_the_released_loaders(tmp_path, seed, samples, suffix, subtype):
    (song,) = open_songs([counting_song(tmp_path, suffix, subtype)])
    # The released loader draws the start from numpy's legacy generator, 611 + seed.
    start = np.random.RandomState(611 + seed).randint(max(50, samples))
    chunk = song.chunk(start, samples)
    assert chunk.target is None
    np.testing.assert_array_equal(
        np.rint(chunk.inputs * 32768), GOLDEN[f"chunk_seed{seed}_n{samples}"]
    )


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(1, 90), draw=st.integers(0, 89))
def test_chunks_against_indexing_of_padded_stems(tmp_path_factory, samples, draw):
    (song,) = open_songs([counting_song(tmp_path_factory.mktemp("songs"))])
    length = max(max(LENGTHS), samples)
    start = draw % length
    for chunk, path in zip(
        song.chunk(start, samples).inputs, song.song.inputs.values(), strict=True
    ):
        whole, _ = audio.read(path)
        if (missing := length - len(whole)) > 0:
            whole = np.pad(whole, [(missing // 2 + 1, missing // 2 + 1), (0, 0)])
        where = (start + np.arange(samples)) % len(whole)
        np.testing.assert_array_equal(chunk, whole[where])


def test_inputs_target_and_wet_stems_start_together(songs):
    (song,) = open_songs(songs[:1])
    piece = song.chunk(7000, 6000, wet=True)
    # The mixture is the sum of the wet stems; here no file is cut at another place.
    np.testing.assert_allclose(piece.wet.sum(axis=0), piece.target, atol=1e-6)
    assert piece.inputs.shape == piece.wet.shape == (4, 6000, 2)


def test_short_wet_stems_are_silent_at_their_end(tmp_path):
    whole, short = tmp_path / "whole.wav", tmp_path / "short.wav"
    values = np.arange(1.0, 101.0, dtype=np.float32).reshape(50, 2) / 128
    audio.write(whole, values, 44_100, "FLOAT")
    audio.write(short, values[:37], 44_100, "FLOAT")
    (song,) = open_songs([TrainingSong("short", {"a": whole}, whole, {"a": short})])
    piece = song.chunk(5, 40, wet=True)
    np.testing.assert_array_equal(piece.wet[0, :32], piece.target[:32])
    assert not piece.wet[0, 32:].any()


def test_beginning_fills_short_stems_with_zeros(tmp_path):
    (song,) = open_songs([counting_song(tmp_path)])
    inputs = song.beginning(45).inputs
    assert (inputs[1, 37:] == 0).all()
    assert (inputs[1, :37] != 0).all()
    assert (inputs[0] != 0).all()


def test_mono_fills_both_channels(tmp_path):
    audio.write(tmp_path / "mono.wav", np.full((40, 1), 0.25, np.float32), 44_100)
    (song,) = open_songs([TrainingSong("mono", {"vocals": tmp_path / "mono.wav"}, None)])
    np.testing.assert_array_equal(song.chunk(10, 20).inputs, np.full((1, 20, 2), 0.25))


@pytest.mark.parametrize(
    ("channels", "sample_rate", "fault"), [(2, 48_000, "48000 Hz"), (3, 44_100, "3 channels")]
)
def test_unsuitable_files_are_named(tmp_path, channels, sample_rate, fault):
    path = tmp_path / "vocals.wav"
    audio.write(path, np.zeros((50, channels), np.float32), sample_rate)
    with pytest.raises(FxNormError, match=rf"vocals.wav: has {fault}"):
        open_songs([TrainingSong("song", {"vocals": path}, None)])


def test_missing_file_different_stems_and_no_songs(tmp_path):
    song = counting_song(tmp_path)
    fewer = TrainingSong("fewer", dict(list(song.inputs.items())[:3]), None)
    with pytest.raises(FxNormError, match="fewer: has the stems 0, 1, 2,"):
        open_songs([song, fewer])
    with pytest.raises(FxNormError, match="no songs"):
        open_songs([])
    absent = TrainingSong("absent", {"0": tmp_path / "nothing.wav"}, None)
    with pytest.raises(FxNormError, match=r"nothing.wav: no such file"):
        open_songs([absent])
