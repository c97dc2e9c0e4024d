"""Files of which libsndfile reads too little, or which are not whole."""

import os
import shutil
import subprocess
import unicodedata

import numpy as np
import pytest
import soundfile

from fxnorm.audio import blocks, info, read, write
from fxnorm.audio.containers import links
from fxnorm.audio.containers.links import Damaged, FileBytes, is_known
from fxnorm.errors import FxNormError

RATE = 44_100
SECONDS = 2


@pytest.fixture(scope="module")
def tone():
    """(samples, 2) float32; its loudness varies, so that mp3 frames of a variable rate do."""
    time_s = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(time_s.size)
    wave = (0.3 * np.sin(2 * np.pi * 440 * time_s) + 0.05 * noise) * np.where(time_s < 1, 0.1, 1)
    return np.stack([wave, 0.5 * wave], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def encoded(tone, tmp_path_factory):
    """The tone's bytes by kind of file, as libsndfile writes them."""

    def encode(suffix, **options):
        path = tmp_path_factory.mktemp("encoded") / f"x{suffix}"
        soundfile.write(path, tone, RATE, **options)
        return path.read_bytes()

    return {
        "wav": encode(".wav", subtype="PCM_16"),
        "flac": encode(".flac"),
        "ogg": encode(".ogg"),
        "mp3": encode(".mp3", compression_level=0.5, bitrate_mode="VARIABLE"),
    }


@pytest.fixture
def save(tmp_path):
    def write_bytes(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_bytes


def _without_count(mp3):
    """The file from its second frame on: the first one holds nothing but the number of frames."""
    at = next(name for name in (mp3.find(b"Xing"), mp3.find(b"Info")) if name > 0)
    start = mp3.rfind(b"\xff", 0, at)
    return mp3[mp3.find(mp3[start : start + 2], start + 4) :]


def _samples(path):
    """Length of what is read, which is the one that `info` says."""
    audio, _ = read(path)
    assert len(audio) == info(path).samples
    return len(audio)


def test_flac_whose_header_allows_huge_frames_is_looked_through_once(save, encoded, tone):
    longest = (2**24 - 1).to_bytes(3, "big")
    flac = encoded["flac"][:15] + longest + encoded["flac"][18:]
    # Each pair could begin a frame; with a checksum of its own for each, this took hours.
    path = save("x.flac", flac + b"\xff\xf8" * 2**18)
    np.testing.assert_allclose(read(path)[0], tone, atol=1e-4)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_whole_files_are_read_whole_and_without_notes(save, encoded, tone, kind):
    path = save(f"x.{kind}", encoded[kind])
    assert _samples(path) == len(tone)
    assert info(path).notes == ()
    part, _ = read(path, 50_000, 1000)
    np.testing.assert_allclose(part, read(path)[0][50_000:51_000], atol=1e-4)


def _lag(found, wanted):
    """How many samples later one signal is, by their correlation."""
    size = len(found) + len(wanted)
    spectra = np.fft.rfft(found, size) * np.fft.rfft(wanted, size).conj()
    return int(np.fft.irfft(spectra, size)[: size // 2].argmax())


def test_mp3_says_how_late_it_is_where_no_tag_tells_what_coding_put_in_front(save, encoded, tone):
    whole = encoded["mp3"]
    at = max(whole.find(b"Xing"), whole.find(b"Info"))
    tag = whole.find(b"LAME", at)
    files = {
        "tag": (whole, 0),
        "count": (whole[:tag] + bytes(36) + whole[tag + 36 :], 576),
        "none": (_without_count(whole), 1105),
        "other": (whole[:at] + b"VBRI" + bytes(96) + whole[at + 100 :], 1105),
    }
    for name, (data, late) in files.items():
        path = save(f"{name}.mp3", data)
        assert info(path).late_s == late / RATE
        assert _lag(read(path)[0][:, 0], tone[:, 0]) == late


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("suffix", ["aac", "m4a", "mp2", "ac3"])
def test_what_ffmpeg_reads_says_how_late_it_is(tmp_path, tone, suffix):
    write(tmp_path / "x.wav", tone, RATE)
    path = tmp_path / f"x.{suffix}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "x.wav", path], check=True)
    assert round(info(path).late_s * RATE) == _lag(read(path)[0][:, 0], tone[:, 0])


@pytest.mark.parametrize("rate", [RATE, 22_050])
def test_mp3_without_a_count_is_read_to_its_end(tmp_path, save, tone, rate):
    options = {"compression_level": 0.5, "bitrate_mode": "VARIABLE"}
    soundfile.write(tmp_path / "whole.mp3", tone, rate, **options)
    path = save("x.mp3", _without_count((tmp_path / "whole.mp3").read_bytes()))
    assert soundfile.info(path).frames < 0.9 * len(tone)  # libsndfile's estimate
    found, expected = read(path)[0][:, 0], read(tmp_path / "whole.mp3")[0][:, 0]
    assert len(found) % 576 == 0
    # The same audio, later by what encoding and decoding add in front.
    late = range(len(found) - len(expected) + 1)
    assert min(np.abs(found[at : at + len(expected)] - expected).max() for at in late) < 1e-4


def test_mp3_of_a_constant_rate_is_what_libsndfile_gives(tmp_path, save, tone):
    options = {"compression_level": 0.5, "bitrate_mode": "CONSTANT"}
    soundfile.write(tmp_path / "x.mp3", tone, RATE, **options)
    path = save("y.mp3", _without_count((tmp_path / "x.mp3").read_bytes()))
    np.testing.assert_array_equal(read(path)[0], soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize(
    ("kind", "tags"), [("flac", b""), ("ogg", b""), ("mp3", b""), ("mp3", b"TAG" + bytes(125))]
)
def test_joined_files_are_read_one_after_the_other(save, encoded, tone, kind, tags):
    path = save(f"x.{kind}", encoded[kind] + tags + encoded[kind])
    once, _ = read(save(f"once.{kind}", encoded[kind]))
    twice, _ = read(path)
    np.testing.assert_array_equal(twice, np.concatenate([once, once]))
    np.testing.assert_allclose(
        read(path, len(tone) - 10, 20)[0], twice[len(tone) - 10 : len(tone) + 10], atol=1e-4
    )
    assert "holds 2 recordings" in info(path).notes[0]


def _saying(flac, samples):
    """The file with another number of samples in its header."""
    number = int.from_bytes(flac[18:26], "big") >> 36 << 36
    return flac[:18] + (number + samples).to_bytes(8, "big") + flac[26:]


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
def test_joined_files_of_different_formats_are_refused(tmp_path, save, encoded, tone, kind):
    soundfile.write(tmp_path / f"mono.{kind}", tone[:, 0], RATE)
    path = save(f"x.{kind}", encoded[kind] + (tmp_path / f"mono.{kind}").read_bytes())
    with pytest.raises(FxNormError, match="holds recordings of different formats"):
        info(path)


@pytest.mark.parametrize(("said", "notes"), [(0, 0), (2**36 - 1, 1), (100, 1)])
def test_flac_with_a_wrong_number_of_samples_is_read_to_its_end(save, encoded, tone, said, notes):
    path = save("x.flac", _saying(encoded["flac"], said))
    assert _samples(path) == len(tone)
    assert len(info(path).notes) == notes


@pytest.mark.parametrize("said", [0, 2**36 - 1])
def test_half_a_flac_of_unknown_length_is_refused(save, encoded, said):
    path = save("x.flac", _saying(encoded["flac"], said)[:-3000])
    with pytest.raises(FxNormError, match=r"x\.flac: (ends early|is damaged or cut off)"):
        read(path)


@pytest.mark.parametrize("said", [0, RATE, 4 * (SECONDS * RATE - 999)])
def test_wav_of_a_crashed_recorder_is_recovered(save, encoded, tone, said):
    data = bytearray(encoded["wav"])
    at = data.index(b"data")
    data[at + 4 : at + 8] = said.to_bytes(4, "little")
    path = save("x.wav", data)
    expected, _ = read(save("y.wav", encoded["wav"]))
    np.testing.assert_array_equal(read(path)[0], expected)
    assert "says less audio than there is" in info(path).notes[0]


@pytest.mark.parametrize("said", [0, RATE])
def test_rf64_of_a_crashed_recorder_is_recovered(tmp_path, save, tone, said):
    soundfile.write(tmp_path / "whole.wav", tone, RATE, format="RF64")
    data = bytearray((tmp_path / "whole.wav").read_bytes())
    data[20:44] = said.to_bytes(8, "little") * 3
    path = save("x.wav", data)
    np.testing.assert_array_equal(read(path)[0], read(tmp_path / "whole.wav")[0])
    assert "says less audio than there is" in info(path).notes[0]


_TEXT = b"LIST" + (2 * 10**5).to_bytes(4, "little") + bytes(2 * 10**5)


@pytest.mark.parametrize("behind", [_TEXT, _TEXT[:999], b"TAG" + bytes(125), bytes(512), b"\1"])
def test_what_is_behind_the_audio_is_no_audio(save, encoded, tone, behind):
    path = save("x.wav", encoded["wav"] + behind)
    assert _samples(path) == len(tone)
    assert info(path).notes == ()


def test_a_wav_without_audio_is_empty(save, encoded):
    chunk = _TEXT
    empty = encoded["wav"][: encoded["wav"].index(b"data") + 4] + bytes(4) + chunk
    assert info(save("empty.wav", empty)).samples == 0


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_half_a_file_is_refused(save, encoded, kind):
    path = save(f"x.{kind}", encoded[kind][: len(encoded[kind]) // 2])
    with pytest.raises(FxNormError, match=rf"x\.{kind}: (ends early|is damaged or cut off)"):
        read(path)


@pytest.mark.parametrize("kind", ["RF64", "W64", "AU", "AIFF", "CAF"])
def test_a_file_that_is_cut_between_two_samples_is_refused(tmp_path, save, tone, kind):
    soundfile.write(tmp_path / "whole", tone, RATE, "FLOAT", format=kind)
    data = (tmp_path / "whole").read_bytes()
    path = save(f"x.{kind.lower()}", data[:-8000])
    with pytest.raises(FxNormError, match=r": (ends early, with|not readable as audio)"):
        info(path)


def test_lengths_that_are_unknown_are_no_lengths():
    assert not any(
        is_known(size) for size in (2**31 - 1, 2**32 - 1, 2**32 - 37, 2**63 - 1, 2**64 - 1)
    )
    assert all(is_known(size) for size in (0, 2**31 - 2**17, 2**31, 3 * 10**9, 5 * 10**9))


def test_an_mp3_with_more_than_its_header_counts_is_read_and_warned_of(save, encoded, tone):
    data = encoded["mp3"] + _without_count(encoded["mp3"])
    path = save("x.mp3", data)
    assert _samples(path) > 1.9 * len(tone)
    assert "holds more than its header says" in info(path).notes[0]


def test_half_an_mp3_that_does_not_say_its_length_is_warned_of(save, encoded):
    data = _without_count(encoded["mp3"])
    assert "last frame is cut off" in info(save("x.mp3", data[: len(data) // 2])).notes[0]


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("damage", ["zeros", "gap"])
def test_damage_in_the_middle_is_refused(save, encoded, kind, damage):
    data, middle = encoded[kind], len(encoded[kind]) // 2
    damaged = data[:middle] + (bytes(1500) if damage == "zeros" else b"") + data[middle + 1500 :]
    with pytest.raises(FxNormError, match=rf"x\.{kind}: .*damaged"):
        read(save(f"x.{kind}", damaged))


def test_an_ogg_page_that_is_missing_is_noticed(save, encoded):
    data = encoded["ogg"]
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    without = data[: pages[-2]] + data[pages[-1] :]
    with pytest.raises(FxNormError, match="is damaged at"):
        info(save("x.ogg", without))
    assert "no mark at its end" in info(save("y.ogg", data[: pages[-1]])).notes[0]


@pytest.mark.parametrize("rate", [0, 1, 10**9])
def test_rates_that_no_audio_has_are_refused(save, encoded, rate):
    data = bytearray(encoded["wav"])
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(FxNormError, match=r"x\.wav"):
        info(save("x.wav", data))


#: As some systems had them: not UTF-8.
_LATIN_1 = b"n\xe9.wav".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "name", ["-x.wav", "a:b.wav", "X.WAV", "é" * 120 + ".wav", _LATIN_1, f"{_LATIN_1}/x.wav"]
)
def test_names_of_all_kinds_are_written_and_read(tmp_path, monkeypatch, tone, name):
    monkeypatch.chdir(tmp_path)
    write(name, tone, RATE)
    np.testing.assert_allclose(read(name)[0], tone, atol=0.5 / 2**15 + 1e-7)


def test_accents_may_be_encoded_either_way(tmp_path, tone):
    write(tmp_path / unicodedata.normalize("NFD", "café.wav"), tone, RATE)
    assert _samples(tmp_path / unicodedata.normalize("NFC", "café.wav")) == len(tone)


@pytest.mark.parametrize("wanted", [b"fLaC", b"\xff"])
def test_bytes_of_a_file_are_those_of_it_at_once(tmp_path, monkeypatch, wanted):
    monkeypatch.setattr(links, "_BLOCK", 16)
    whole = bytes(30) + b"fLaC" + bytes(range(200, 256)) + bytes(11) + b"fLaC"
    (tmp_path / "x").write_bytes(whole)
    with (tmp_path / "x").open("rb") as file:
        data = FileBytes(file)
        assert len(data) == len(whole)
        for start in (0, 29, 30, 31, 70, 89, 104, 105, 200):
            assert data.find(wanted, start) == whole.find(wanted, start)
            assert data[start : start + 40] == whole[start : start + 40]
        assert [data[place] for place in range(len(whole))] == list(whole)
        with pytest.raises(IndexError):
            data[len(whole)]


def test_a_file_that_is_cut_while_it_is_looked_through_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(links, "_BLOCK", 16)
    (tmp_path / "x").write_bytes(bytes(100))
    with (tmp_path / "x").open("rb", buffering=0) as file:
        data = FileBytes(file)
        assert data[0] == 0
        os.truncate(tmp_path / "x", 40)
        with pytest.raises(Damaged, match="changed while it was read"):
            data.find(b"\1", 0)


def test_what_is_no_audio_is_one_line_with_and_without_ffmpeg(tmp_path, monkeypatch):
    (tmp_path / "x.m4a").write_bytes(b"nothing")
    with pytest.raises(FxNormError, match=r"x\.m4a: not readable as audio"):
        info(tmp_path / "x.m4a")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FxNormError, match=r"x\.m4a: not readable as audio .*or install ffmpeg"):
        info(tmp_path / "x.m4a")


ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def _convert(source, target, *options):
    command = ["ffmpeg", "-v", "error", "-i", f"file:{source}", *options, f"file:{target}"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return target


@ffmpeg
@pytest.mark.parametrize(
    ("suffix", "rate"),
    [(".m4a", RATE), (".aac", RATE), (".webm", 48_000), (".wma", RATE), (".caf", RATE)],
)
def test_what_libsndfile_does_not_read_ffmpeg_does(tmp_path, tone, suffix, rate):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / f"-a:b{suffix}")
    audio, sample_rate = read(path)
    assert sample_rate == rate
    assert abs(len(audio) / rate - SECONDS) < 0.1
    second = audio[-rate // 2 : -rate // 4, 0]
    spectrum = np.abs(np.fft.rfft(second * np.hanning(second.size)))
    assert abs(spectrum.argmax() * rate / second.size - 440) < 5
    assert info(path).lossy == (suffix != ".caf")
    np.testing.assert_array_equal(read(path, rate, 500)[0], audio[rate : rate + 500])


@ffmpeg
@pytest.mark.parametrize("suffix", [".m4a", ".webm"])
def test_damage_that_ffmpeg_passes_over_is_refused(tmp_path, tone, suffix):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / f"x{suffix}")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = b"\xff" * 3000
    path.write_bytes(data)
    with pytest.raises(FxNormError, match=rf"x\{suffix}: not readable as audio \(ffmpeg"):
        info(path)


@ffmpeg
@pytest.mark.parametrize(("suffix", "codec"), [(".mka", "flac"), (".ac3", "ac3")])
def test_a_bit_that_only_a_check_sum_finds_is_refused(tmp_path, tone, suffix, codec):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / f"x{suffix}", "-c:a", codec)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FxNormError, match=rf"x\{suffix}: not readable as audio \(ffmpeg"):
        info(path)


@ffmpeg
@pytest.mark.parametrize(
    ("suffix", "options"), [(".m4a", ("-movflags", "+faststart")), (".wma", ()), (".wv", ())]
)
def test_a_file_cut_between_two_packets_is_refused(tmp_path, tone, suffix, options):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / f"x{suffix}", *options)
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=pos", "-of", "csv=p=0"]
    shown = subprocess.run([*command, f"file:{path}"], capture_output=True, check=True).stdout
    borders = [int(line.strip(b",")) for line in shown.split()]
    path.write_bytes(path.read_bytes()[: borders[len(borders) // 2]])
    with pytest.raises(FxNormError, match=rf"x\{suffix}: ends early, with \d.* s; copy it again"):
        info(path)


@ffmpeg
def test_mp3_in_wav_is_called_what_it_is(tmp_path, tone):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / "y.wav", "-c:a", "libmp3lame")
    with pytest.raises(FxNormError, match=r"y\.wav: holds mp3 in a wav file.*convert it to PCM"):
        info(path)


@ffmpeg
@pytest.mark.parametrize("name", ["x", "x.mp3", "x.wav", "x.take 2"])
def test_a_name_that_ends_like_something_else_is_no_matter(tmp_path, tone, name):
    write(tmp_path / "y.wav", tone, RATE)
    whole = _convert(tmp_path / "y.wav", tmp_path / "y.m4a")
    path = tmp_path / name
    path.write_bytes(whole.read_bytes())
    assert info(path).subtype == "aac"
    np.testing.assert_array_equal(read(path)[0], read(whole)[0])


@pytest.mark.parametrize("name", ["x.raw", "x.pcm", "x"])
def test_bare_samples_are_one_line_and_no_noise(save, tone, name):
    path = save(name, tone.tobytes())
    with pytest.raises(FxNormError, match=f"{name}: not readable as audio"):
        info(path)


@ffmpeg
def test_layer_2_is_read_to_its_end_and_no_further(tmp_path, tone):
    write(tmp_path / "x.wav", tone, RATE)
    parts = [
        _convert(tmp_path / "x.wav", tmp_path / f"{rate}.mp2", "-b:a", rate)
        for rate in ("384k", "128k")
    ]
    lengths = [_samples(path) for path in parts]
    assert all(len(tone) <= length < len(tone) + 2 * 1152 for length in lengths)
    (tmp_path / "joined.mp2").write_bytes(b"".join(path.read_bytes() for path in parts))
    assert _samples(tmp_path / "joined.mp2") == sum(lengths)
    parts[0].write_bytes(parts[0].read_bytes()[:-9])
    assert "its last frame is cut off" in info(parts[0]).notes[0]


@ffmpeg
def test_ogg_that_ffmpeg_reads_is_looked_through_too(tmp_path, save, tone):
    write(tmp_path / "x.wav", tone, RATE)
    data = _convert(tmp_path / "x.wav", tmp_path / "x.oga", "-c:a", "flac").read_bytes()
    path = save("chained.oga", data + data)
    assert _samples(path) == 2 * len(tone)
    assert "holds 2 recordings" in info(path).notes[0]
    with pytest.raises(FxNormError, match=r"half\.oga: ends early, within a page"):
        info(save("half.oga", data[: len(data) // 2]))


@ffmpeg
@pytest.mark.parametrize(
    ("name", "codec", "lossy"),
    [
        ("x.wav", "pcm_alaw", True),
        ("x.wav", "adpcm_ms", True),
        ("x.wav", "pcm_s24le", False),
        ("x.mka", "pcm_mulaw", True),
        ("x.mka", "pcm_s16le", False),
        ("x.tta", "tta", False),
        ("x.oga", "flac", False),
        ("x.ogg", "vorbis", True),
    ],
)
def test_lossy_is_what_the_coding_is(tmp_path, tone, name, codec, lossy):
    write(tmp_path / "y.wav", tone, RATE)
    path = _convert(tmp_path / "y.wav", tmp_path / name, "-c:a", codec, "-strict", "-2")
    assert info(path).lossy is lossy


def test_a_caf_that_lacks_a_byte_is_refused(tmp_path, save, tone):
    soundfile.write(tmp_path / "x.caf", tone, RATE, subtype="PCM_24")
    with pytest.raises(FxNormError, match=r"y\.caf: ends early"):
        info(save("y.caf", (tmp_path / "x.caf").read_bytes()[:-1]))


def test_what_is_there_and_no_file_is_called_so(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "pipe.wav"):
        with pytest.raises(FxNormError, match="is a folder or a pipe; give a file"):
            info(path)


@ffmpeg
@pytest.mark.parametrize("kind", ["w64", "au", "caf", "wav"])
def test_what_was_written_to_a_pipe_is_read_whole(tmp_path, save, tone, kind):
    write(tmp_path / "x.wav", tone, RATE)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "x.wav", "-f", kind, "-"]
    written = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    assert _samples(save(f"y.{kind}", written.stdout)) == len(tone)


@ffmpeg
def test_what_was_cut_out_by_an_edit_list_is_not_missed(tmp_path, tone):
    write(tmp_path / "x.wav", tone, RATE)
    whole = _convert(tmp_path / "x.wav", tmp_path / "x.m4a")
    path = tmp_path / "part.m4a"
    command = ["ffmpeg", "-v", "error", "-ss", "0.5", "-i", whole, "-t", "1", "-c", "copy", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert abs(info(path).duration_s - 1.0) < 0.1
    assert info(path).notes == ()


@ffmpeg
def test_a_part_of_a_file_leaves_no_process_behind(tmp_path, tone):
    write(tmp_path / "x.wav", tone, RATE)
    path = _convert(tmp_path / "x.wav", tmp_path / "x.m4a")
    stream = blocks(path)
    next(stream)
    stream.close()
    assert _samples(path) > 0
