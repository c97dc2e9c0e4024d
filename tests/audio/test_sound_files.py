import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxnorm.audio import info, read, to_stereo, write
from fxnorm.errors import FxNormError


@given(seed=st.integers(0, 99), channels=st.sampled_from([1, 2]), samples=st.integers(1, 3000))
def test_pcm_is_read_and_written_without_loss(tmp_path_factory, seed, channels, samples):
    path = tmp_path_factory.mktemp("pcm") / "x.wav"
    steps = np.random.default_rng(seed).integers(-32768, 32768, (samples, channels))
    audio = (steps / 32768).astype(np.float32)
    write(path, audio, 44100)
    back, sample_rate = read(path)
    assert sample_rate == 44100
    np.testing.assert_array_equal(back, audio)


@pytest.mark.parametrize(("name", "subtype"), [("x.wav", "PCM_24"), ("x.flac", "PCM_24")])
def test_24_bit_keeps_half_a_step(tmp_path, name, subtype):
    audio = np.random.default_rng(0).uniform(-1, 1, (500, 2)).astype(np.float32)
    write(tmp_path / name, audio, 48000, subtype)
    back, _ = read(tmp_path / name)
    np.testing.assert_allclose(back, audio, atol=0.5 / 2**23 + 1e-9)
    assert info(tmp_path / name).subtype == subtype


def test_overs_clip_and_float_keeps_them(tmp_path):
    audio = np.array([[1.5], [-1.5]], np.float32)
    write(tmp_path / "pcm.wav", audio, 44100)
    assert read(tmp_path / "pcm.wav")[0].ravel().tolist() == [32767 / 32768, -1.0]
    write(tmp_path / "float.wav", audio, 44100, "FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "float.wav")[0], audio)


def test_parts_of_a_file_are_read_from_their_start(tmp_path):
    audio = (np.arange(100) / 32768).astype(np.float32)[:, None]
    write(tmp_path / "x.wav", audio, 44100)
    np.testing.assert_array_equal(read(tmp_path / "x.wav", 10, 5)[0], audio[10:15])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.wav", None, "no such file"),
        ("text.wav", b"not audio", "not readable as audio"),
        ("empty.wav", np.zeros((0, 2), np.float32), "holds no audio"),
        ("nan.wav", np.full((9, 2), np.nan, np.float32), "NaN or infinite"),
    ],
)
def test_useless_files_are_named(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        import soundfile

        soundfile.write(path, content, 44100, subtype="FLOAT")
    with pytest.raises(FxNormError, match=f"{name}.*{message}"):
        read(path)


@pytest.mark.parametrize(
    ("name", "subtype"), [("x.wav", "PCM_16"), ("x.wav", "FLOAT"), ("x.flac", "PCM_24")]
)
def test_the_same_audio_gives_the_same_bytes_at_any_time(tmp_path, name, subtype):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (300_000, 2)).astype(np.float32)
    for folder in ("a", "b"):
        write(tmp_path / folder / name, audio, 44100, subtype)
        time.sleep(1.1)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "subtype", "message"),
    [
        ("x.mp3", "PCM_16", "can't write '.mp3' files"),
        ("x.wav", "PCM_12", "unknown subtype"),
        ("x.flac", "FLOAT", "can't hold FLOAT"),
    ],
)
def test_unwritable_choices_leave_nothing_behind(tmp_path, name, subtype, message):
    with pytest.raises(FxNormError, match=message):
        write(tmp_path / name, np.zeros((10, 2), np.float32), 44100, subtype)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "x.wav"
    write(path, np.zeros((10, 2), np.float32), 44100)
    before = path.read_bytes()
    with pytest.raises(FxNormError, match="NaN"):
        write(path, np.full((10, 2), np.inf), 44100)
    assert path.read_bytes() == before


def test_to_stereo_repeats_mono_and_refuses_surround():
    mono = np.arange(3, dtype=np.float32)
    np.testing.assert_array_equal(to_stereo(mono), np.stack([mono, mono], axis=1))
    with pytest.raises(FxNormError, match="5 channels"):
        to_stereo(np.zeros((4, 5), np.float32))
