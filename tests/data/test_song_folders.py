import shutil
import unicodedata

import numpy as np
import pytest
import soundfile

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import (
    DatasetConfig,
    find_songs,
    load_partition,
    read_audio,
    read_mixture,
    read_stem,
    write_mixtures,
)
from fxnorm.errors import FxNormError


def test_songs_come_sorted_with_their_files(tmp_path, write_song):
    write_song(name="b")
    write_song(name="a")
    (tmp_path / "notes.txt").write_text("ignored")
    (tmp_path / ".hidden").mkdir()
    songs = find_songs(tmp_path).songs
    assert [song.name for song in songs] == ["a", "b"]
    assert songs[0].stems["bass"] == tmp_path / "a" / "bass.wav"
    assert songs[0].samples == 4410
    assert songs[0].notes == ()


def test_flac_other_rates_mono_and_short_files_are_read_and_reported(tmp_path, write_song):
    folder = write_song()
    rng = np.random.default_rng(0)
    (folder / "bass.wav").unlink()
    mono = rng.uniform(-0.5, 0.5, 4000).astype(np.float32)
    write(folder / "bass.flac", mono, SAMPLE_RATE)
    half = np.sin(np.arange(2000) * 0.1).astype(np.float32)
    write(folder / "other.wav", np.stack([half, -half], axis=1), 22050)
    song = find_songs(tmp_path).songs[0]
    assert song.samples == 4410
    assert set(song.notes) == {
        "bass: mono, repeated on both channels",
        "bass: 0.01 s of silence added at the end",
        "other: resampled from 22050 Hz",
        "other: 0.01 s of silence added at the end",
    }
    bass = read_stem(song, "bass")
    assert bass.shape == (4410, 2)
    np.testing.assert_array_equal(bass[:, 0], bass[:, 1])
    np.testing.assert_allclose(bass[:4000, 0], mono, atol=0.5 / 32768)  # 16-bit rounding
    assert not bass[4000:].any()
    other = read_stem(song, "other")
    # The same sine at twice the samples; soxr's ripple and the 16-bit step are below 1e-3
    # away from the ends.
    expected = np.sin(np.arange(4000) * 0.05)
    np.testing.assert_allclose(other[200:3800, 0], expected[200:3800], atol=1e-3)
    assert read_mixture(song).shape == (4410, 2)


@pytest.mark.parametrize("damage", ["missing", "corrupt", "empty", "surround", "nan", "cut flac"])
def test_a_faulty_song_stops_or_is_skipped_by_choice(tmp_path, write_song, damage):
    write_song(name="good")
    path = write_song(name="bad") / "drums.wav"
    path.unlink()
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, (4410, 3)).astype(np.float32)
    if damage == "surround":
        write(path, noise, SAMPLE_RATE)
    elif damage == "nan":
        # libsndfile's own writer: ours refuses.
        soundfile.write(path, noise[:, :2] * np.float32("nan"), SAMPLE_RATE, subtype="FLOAT")
    elif damage == "cut flac":
        flac = path.with_suffix(".flac")
        write(flac, noise[:, :2], SAMPLE_RATE)
        flac.write_bytes(flac.read_bytes()[:-2000])
    elif damage == "corrupt":
        path.write_bytes(b"RIFF" + bytes(100))
    elif damage == "empty":
        write(path, np.zeros((0, 2), np.float32), SAMPLE_RATE)
        for part in ("vocals", "bass", "other", "mixture"):
            write(path.with_name(f"{part}.wav"), np.zeros((0, 2), np.float32), SAMPLE_RATE)
    if damage != "nan":
        with pytest.raises(
            FxNormError, match=r"bad/.*; mend the song, or leave it out with --skip"
        ):
            find_songs(tmp_path, how_to_skip="--skip")
    found = find_songs(tmp_path, skip_faulty=True)
    assert [song.name for song in found.songs] == ["good"]
    assert "drums" in found.skipped["bad"]


def test_linked_songs_are_songs_and_links_to_nothing_faulty_ones(tmp_path, write_song):
    elsewhere = write_song(tmp_path / "elsewhere", "far")
    songs = tmp_path / "songs"
    (songs / "files").mkdir(parents=True)
    (songs / "folder").symlink_to(elsewhere)
    for file in elsewhere.iterdir():
        (songs / "files" / file.name).symlink_to(file)
    assert [song.name for song in find_songs(songs).songs] == ["files", "folder"]
    for link, target in (("gone", "nowhere"), ("loop", "loop"), ("files/bass.wav", "bass.wav")):
        (songs / link).unlink(missing_ok=True)
        (songs / link).symlink_to(target)
        with pytest.raises(FxNormError, match=f"{link}: (is a link to what is not|no such file)"):
            find_songs(songs)
        assert find_songs(songs, skip_faulty=True).skipped.keys() == {link.partition("/")[0]}
        (songs / link).unlink()


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(FxNormError, match="nowhere: no such data set folder"):
        find_songs(tmp_path / "nowhere")
    with pytest.raises(FxNormError, match="holds no song"):
        find_songs(tmp_path)


def test_more_than_two_channels_are_refused(tmp_path, write_song):
    folder = write_song()
    write(folder / "bass.wav", np.zeros((4410, 3), np.float32), SAMPLE_RATE)
    with pytest.raises(FxNormError, match=r"bass\.wav: has 3 channels"):
        find_songs(tmp_path)
    with pytest.raises(FxNormError, match=r"bass\.wav: has 3 channels"):
        read_audio(folder / "bass.wav")


def test_suffixes_in_capitals_are_found(tmp_path, write_song):
    folder = write_song()
    for path in list(folder.iterdir()):
        path.rename(path.with_suffix(".WAV"))
    (song,) = find_songs(tmp_path).songs
    assert song.stems["bass"] == folder / "bass.WAV"


@pytest.fixture
def config(tmp_path, write_song):
    for name in "abcdef":
        write_song(tmp_path / "wet" / "train", name)
    write_song(tmp_path / "wet" / "test", "t")
    write_song(tmp_path / "dry", "t")

    def make(**options):
        roots = {
            "root": str(tmp_path / "wet"),
            "dry_root": str(tmp_path / "dry"),
            "impulse_responses": "unused",
            "pre_impulse_responses": "unused",
        }
        return DatasetConfig.parse(roots | options, "test")

    return make


def _names(config, partition):
    return [song.name for song in load_partition(config, partition).songs]


def test_a_fraction_takes_the_last_songs_for_validation(config):
    chosen = config(validation=0.34)
    assert _names(chosen, "valid") == ["e", "f"]
    assert _names(chosen, "train") == ["a", "b", "c", "d"]
    assert _names(chosen, "test") == ["t"]
    assert _names(chosen, "dry") == ["t"]


def test_the_advice_is_the_key_where_params_are_read(config, tmp_path):
    (tmp_path / "dry" / "t" / "bass.wav").unlink()
    with pytest.raises(FxNormError, match=r"or leave it out with dataset\.skip_faulty: true"):
        load_partition(config(), "dry")


def test_accents_of_names_may_be_encoded_either_way(tmp_path, write_song, config):
    write_song(tmp_path / "wet" / "train", unicodedata.normalize("NFD", "café"))
    chosen = config(validation=[unicodedata.normalize("NFC", "café")])
    assert _names(chosen, "valid") == [unicodedata.normalize("NFD", "café")]


def test_a_list_of_names_is_the_validation_partition(config):
    chosen = config(validation=["b", "d"])
    assert _names(chosen, "valid") == ["b", "d"]
    assert _names(chosen, "train") == ["a", "c", "e", "f"]


def test_musdb18_names_are_its_fourteen_songs(tmp_path, config, write_song):
    write_song(tmp_path / "wet" / "train", "Meaxic - Take A Step")
    assert _names(config(validation="musdb18"), "valid") == ["Meaxic - Take A Step"]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (["nobody"], "no song is called 'nobody'"),
        ("musdb18", "picks no song"),
        (list("abcdef"), "leaves no song for training"),
        (1.5, "between 0 and 1"),
    ],
)
def test_useless_validation_choices_are_refused(config, validation, message):
    with pytest.raises(FxNormError, match=message):
        load_partition(config(validation=validation), "train")


def test_extra_roots_add_training_songs_only(tmp_path, config, write_song):
    write_song(tmp_path / "private" / "train", "g")
    chosen = config(validation=["a"], extra_roots=[str(tmp_path / "private")])
    assert _names(chosen, "train") == ["b", "c", "d", "e", "f", "g"]
    assert _names(chosen, "valid") == ["a"]
    # Neither one that trains already, nor one that validates.
    for name in "ba":
        shutil.rmtree(tmp_path / "private")
        write_song(tmp_path / "private" / "train", name)
        with pytest.raises(FxNormError, match=f"{name}/mixture.wav: a song of this name is also"):
            load_partition(chosen, "train")


def test_unknown_keys_are_named():
    with pytest.raises(FxNormError, match=r"params: .*unknown key 'rot'"):
        DatasetConfig.parse({"root": "a", "dry_root": "b", "rot": "c"}, "params")


def test_mixtures_are_written_padded_to_the_song(tmp_path, write_song):
    write_song(samples=1000, bass=1500)
    songs = find_songs(tmp_path).songs
    write_mixtures(songs, tmp_path / "out", "PCM_16")
    (written,) = (tmp_path / "out").rglob("*.wav")
    assert written == tmp_path / "out" / "song" / "mixture.wav"
    np.testing.assert_array_equal(read_audio(written), read_mixture(songs[0]))


def test_other_stem_types_make_other_file_names(tmp_path, write_song, config):
    stems = ("vocals", "guitar")
    folder = write_song(name="band")
    with pytest.raises(FxNormError, match=r"band/guitar\.wav: no such file"):
        find_songs(tmp_path, stems)
    (folder / "other.wav").rename(folder / "guitar.wav")
    (song,) = find_songs(tmp_path, stems).songs
    assert list(song.stems) == list(stems)
    assert np.abs(read_stem(song, "guitar")).max() > 0
    with pytest.raises(FxNormError, match=r"t/guitar\.wav: no such file"):
        load_partition(config(), "test", stems)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FxNormError, match=r"<song>/\{mixture,vocals,guitar\}\.wav"):
        find_songs(tmp_path / "empty", stems)
