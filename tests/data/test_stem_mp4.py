import shutil
import subprocess

import numpy as np
import pytest

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import find_songs, read_mixture, read_stem
from fxnorm.errors import FxNormError

STREAMS = ("mixture", "drums", "bass", "other", "vocals")

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def _encode(folder, streams):
    """An AAC stem file in which stream i is a sine of (i + 1) · 500 Hz."""
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    inputs = []
    for index, _ in enumerate(streams):
        wave = 0.3 * np.sin(2 * np.pi * 500 * (index + 1) * time_s).astype(np.float32)
        write(folder / f"{index}.wav", np.stack([wave, wave], axis=1), SAMPLE_RATE)
        inputs += ["-i", str(folder / f"{index}.wav")]
    maps = [word for index in range(len(streams)) for word in ("-map", str(index))]
    song = folder / "songs" / "Name.stem.mp4"
    song.parent.mkdir()
    command = ["ffmpeg", "-v", "error", *inputs, *maps, "-c:a", "aac", str(song)]
    subprocess.run(command, check=True)
    return song


def test_each_part_is_its_stream(tmp_path):
    _encode(tmp_path, STREAMS)
    (song,) = find_songs(tmp_path / "songs").songs
    assert song.name == "Name"
    # AAC frames are 1,024 samples: the encoder may round the length up by one or two.
    assert SAMPLE_RATE <= song.samples <= SAMPLE_RATE + 2048
    for index, part in enumerate(STREAMS):
        audio = read_mixture(song) if part == "mixture" else read_stem(song, part)
        assert audio.shape == (song.samples, 2)
        spectrum = np.abs(np.fft.rfft(audio[:SAMPLE_RATE, 0]))
        assert abs(int(spectrum.argmax()) - 500 * (index + 1)) <= 2


def test_a_song_that_lies_there_in_both_forms_is_refused(tmp_path):
    song = _encode(tmp_path, STREAMS)
    folder = song.parent / "Name"
    folder.mkdir()
    for index, part in enumerate(STREAMS):
        shutil.copyfile(tmp_path / f"{index}.wav", folder / f"{part}.wav")
    with pytest.raises(FxNormError, match=r"Name\.stem\.mp4: a song of this name is also .*Name/"):
        find_songs(song.parent)


def test_wrong_number_of_streams_and_broken_files_are_refused(tmp_path):
    song = _encode(tmp_path, STREAMS[:2])
    with pytest.raises(FxNormError, match="has 2 audio streams instead of 5"):
        find_songs(song.parent)
    song.write_bytes(b"nothing")
    with pytest.raises(FxNormError, match=r"Name\.stem\.mp4: not readable as audio \(ffprobe"):
        find_songs(song.parent)


def test_a_song_whose_streams_are_damaged_is_refused_or_skipped(tmp_path):
    song = _encode(tmp_path, STREAMS)
    data = bytearray(song.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    damaged = song.with_name("Damaged.STEM.MP4")
    damaged.write_bytes(data)
    songs = find_songs(song.parent).songs
    assert [one.name for one in songs] == ["Damaged", "Name"]
    faults = []
    for part in ("drums", "bass", "other", "vocals"):
        try:
            read_stem(songs[0], part)
        except FxNormError as error:
            faults.append(str(error))
    assert faults
    assert all("Damaged.STEM.MP4: not readable as audio (ffmpeg" in fault for fault in faults)
    found = find_songs(song.parent, skip_faulty=True)
    assert ([one.name for one in found.songs], list(found.skipped)) == (["Name"], ["Damaged"])


def test_other_stem_types_are_refused(tmp_path):
    (tmp_path / "song.stem.mp4").touch()
    with pytest.raises(FxNormError, match=r"song\.stem\.mp4: holds no guitar, only vocals, bass"):
        find_songs(tmp_path, ("vocals", "guitar"))
