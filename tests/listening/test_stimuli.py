"""The exported listening test: its audio and its key."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from fxnorm.audio import integrated_loudness, read, true_peak_db, write
from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.listening import ListeningConfig, ListeningSong, OwnPageConfig, export_stimuli
from fxnorm.listening.answer_key import opaque_id
from fxnorm.listening.stimulus_audio import dither, find_excerpt

RATE = 44_100
CONFIG = ListeningConfig(excerpt_s=4.0)
SYSTEMS = ("human", "ours", "wun")


def tone(seconds: float, frequency_hz: float, seed: int) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = 0.02 * np.random.default_rng(seed).standard_normal((time.size, 2))
    return (0.2 * np.sin(2 * np.pi * frequency_hz * time)[:, None] + noise).astype(np.float32)


def make_song(folder: Path, name: str, seconds: float = 9.0) -> ListeningSong:
    """A song whose second stem only sounds from 3 s to 7 s, if it is that long."""
    folder = folder / name
    stems = [tone(seconds, 110.0, 0), tone(seconds, 330.0, 1)]
    if seconds >= 7.0:
        stems[1][: 3 * RATE] = 0.0
        stems[1][7 * RATE :] = 0.0
    for number, stem in enumerate(stems):
        write(folder / f"stem{number}.wav", stem, RATE)
    for number, system in enumerate(SYSTEMS):
        write(folder / f"{system}.wav", 0.3 * (number + 1) * sum(stems), RATE)
    mixes = {system: folder / f"{system}.wav" for system in SYSTEMS}
    return ListeningSong(name, mixes, [folder / "stem0.wav", folder / "stem1.wav"])


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[ListeningSong]:
    folder = tmp_path_factory.mktemp("songs")
    peaky = make_song(folder, "Peaky")
    audio, _ = read(peaky.mixes["wun"])
    audio *= 0.02
    audio[round(6.0 * RATE)] = 0.9
    write(peaky.mixes["wun"], audio, RATE, subtype="FLOAT")
    return [make_song(folder, "Plain"), peaky, make_song(folder, "Short", 2.5)]


@pytest.fixture(scope="module")
def exported(songs, tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("out") / "listening"
    return folder, pd.DataFrame(export_stimuli(songs, folder, CONFIG, seed=3))


def wav(folder: Path, identifier: str) -> Path:
    return folder / "hosted" / "stimuli" / f"{identifier}.wav"


def test_there_is_one_file_per_song_and_system_and_one_reference(exported) -> None:
    folder, key = exported
    assert sorted(zip(key["song"], key["system"], strict=True)) == sorted(
        (song, system) for song in ("Plain", "Peaky", "Short") for system in (*SYSTEMS, "reference")
    )
    written = {path.stem for path in (folder / "hosted" / "stimuli").iterdir()}
    assert written == set(key["id"])


def test_files_of_a_song_agree_in_length_rate_and_channels(exported) -> None:
    folder, key = exported
    for song, seconds in (("Plain", 4.0), ("Peaky", 4.0), ("Short", 2.5)):
        headers = [soundfile.info(wav(folder, name)) for name in key.loc[key["song"] == song, "id"]]
        assert {(h.frames, h.samplerate, h.channels, h.subtype) for h in headers} == {
            (round(seconds * RATE), RATE, 2, "PCM_16")
        }
        assert (key.loc[key["song"] == song, "seconds"] == seconds).all()


def test_every_file_is_at_its_pages_loudness_and_below_the_ceiling(exported) -> None:
    folder, key = exported
    for row in key.itertuples():
        audio, _ = read(wav(folder, row.id))
        # The requirement is 0.1 LU; fades are applied before measuring, so much less is left.
        assert integrated_loudness(audio, RATE) == pytest.approx(
            CONFIG.target_lufs - row.lowered_db, abs=0.02
        )
        assert true_peak_db(audio) <= -1.0
        assert row.lufs == pytest.approx(integrated_loudness(audio, RATE), abs=1e-6)
        assert row.true_peak_dbtp == pytest.approx(true_peak_db(audio), abs=1e-6)


def test_only_the_page_that_would_clip_is_lowered_and_as_a_whole(exported) -> None:
    _, key = exported
    lowered = key.groupby("song")["lowered_db"].agg(["min", "max"])
    assert lowered.loc["Plain"].tolist() == [0.0, 0.0]
    assert lowered.loc["Peaky", "min"] == lowered.loc["Peaky", "max"] > 1.0


def test_all_pages_are_lowered_together_if_asked(songs, exported, tmp_path) -> None:
    _, plain = exported
    config = CONFIG.model_copy(update={"common_level": True})
    key = pd.DataFrame(export_stimuli(songs, tmp_path / "out", config, seed=3))
    lowered = plain["lowered_db"].max()
    assert key["lowered_db"].tolist() == pytest.approx([lowered] * len(key), abs=1e-6)
    assert key["lufs"].tolist() == pytest.approx([-23.0 - lowered] * len(key), abs=0.02)
    assert key["true_peak_dbtp"].max() == pytest.approx(-1.0, abs=0.02)


def test_more_songs_per_participant_than_there_are_are_refused(songs, tmp_path) -> None:
    config = ListeningConfig(page=OwnPageConfig(songs_per_participant=4))
    with pytest.raises(FxNormError, match=r"songs_per_participant: 4 of 3 songs"):
        export_stimuli(songs, tmp_path / "out", config, seed=0)


def test_the_excerpt_is_where_all_stems_sound(exported) -> None:
    _, key = exported
    starts = key.groupby("song")["start_s"].unique()
    assert starts["Plain"].tolist() == [3]
    assert starts["Short"].tolist() == [0]


def test_the_written_audio_is_the_excerpt_with_its_gain_fades_and_dither(exported, songs) -> None:
    folder, key = exported
    row = key[(key["song"] == "Plain") & (key["system"] == "human")].iloc[0]
    start = round(row["start_s"] * RATE)
    source, _ = read(songs[0].mixes["human"], start, 4 * RATE)
    written, _ = read(wav(folder, row["id"]))
    faded = round(0.02 * RATE)
    difference = (written - source * 10 ** (row["gain_db"] / 20))[faded:-faded] * 32768
    # TPDF dither of two steps and rounding: at most 1.5 steps, and variance 1/4 step squared.
    assert np.abs(difference).max() <= 1.51
    assert difference.var() == pytest.approx(0.25, rel=0.02)
    assert np.abs(written[[0, -1]]).max() <= 2 / 32768


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_names(
    exported, songs, tmp_path
) -> None:
    folder, key = exported
    export_stimuli(songs, tmp_path / "listening", CONFIG, seed=3)
    assert digest(tmp_path / "listening") == digest(folder)
    other = export_stimuli(songs[:1], tmp_path / "other", CONFIG, seed=4)
    assert not {row.id for row in other} & set(key["id"])


def test_the_hosted_part_tells_nothing(exported) -> None:
    folder, key = exported
    hosted = folder / "hosted"
    assert (folder / "key.csv").is_file()
    assert not list(hosted.rglob("*.csv"))
    for file in (hosted / "webmushra.yaml", hosted / "waet" / "ape.xml"):
        text = file.read_text(encoding="utf-8")
        for secret in (*SYSTEMS, "Plain", "Peaky"):
            assert secret not in text
        # Named in the order of their opaque names, which is the same for no system twice.
        ids = re.findall(r"/?(s[0-9a-f]{12})\.wav", text)
        assert set(ids) == set(key["id"])


def test_the_key_file_reads_back(exported) -> None:
    folder, key = exported
    written = pd.read_csv(folder / "key.csv")
    assert set(written.pop("test_id")) == {"fxnorm"}
    assert set(written.pop("seed")) == {3}
    assert set(written.pop("criteria")) == {
        '{"production-value": "Production Value", "clarity": "Clarity", "excitement": "Excitement"}'
    }
    pd.testing.assert_frame_equal(
        # Three decimals are written.
        written,
        key,
        check_dtype=False,
        atol=6e-4,
    )


def test_opaque_ids_are_xml_ids_and_depend_on_everything() -> None:
    ids = {opaque_id(s, a, b) for s in (0, 1) for a in "xy" for b in ("h", "o")}
    assert len(ids) == 8
    assert all(re.fullmatch(r"s[0-9a-f]{12}", name) for name in ids)


def test_24_bit_files_are_written_without_dither(songs, tmp_path) -> None:
    config = ListeningConfig(excerpt_s=1.0, bits=24, criteria=(CONFIG.criteria[0],))
    key = export_stimuli(songs[:1], tmp_path / "out", config, seed=0)
    row = asdict(next(row for row in key if row.system == "human"))
    assert soundfile.info(wav(tmp_path / "out", row["id"])).subtype == "PCM_24"
    written, _ = read(wav(tmp_path / "out", row["id"]))
    source, _ = read(songs[0].mixes["human"], round(row["start_s"] * RATE), RATE)
    difference = (written - source * 10 ** (row["gain_db"] / 20))[900:-900]
    # Float32 and 24-bit rounding.
    assert np.abs(difference).max() < 2.0**-22


def test_dither_is_triangular_and_keeps_the_mean_of_a_fraction_of_a_step() -> None:
    step = 2.0**-15
    constant = np.full((200_000, 1), 0.3 * step)
    noisy = dither(constant, 16, np.random.default_rng(0)) / step
    assert np.abs(noisy - 0.3).max() <= 1.0
    assert noisy.var() == pytest.approx(1 / 6, rel=0.02)
    # Rounding alone would give 0; five standard errors of the mean.
    assert np.rint(noisy).mean() == pytest.approx(0.3, abs=5 * 0.5 / np.sqrt(200_000))


def test_songs_that_are_too_short_or_unequal_are_reported(songs, tmp_path, caplog) -> None:
    long = make_song(tmp_path, "Long", 6.0)
    uneven = ListeningSong("Uneven", {"human": long.mixes["human"]}, songs[2].stems)
    export_stimuli([uneven], tmp_path / "out", CONFIG, seed=0)
    assert "differ in length by 3.5 s" in caplog.text
    assert "used whole, 2.5 s instead of 4.0 s" in caplog.text


def test_an_earlier_export_is_replaced_but_nothing_else(songs, tmp_path) -> None:
    config = ListeningConfig(excerpt_s=1.0)
    folder = tmp_path / "out"
    export_stimuli(songs[:1], folder, config, seed=0)
    export_stimuli(songs[:1], folder, config, seed=1)
    assert len(list((folder / "hosted" / "stimuli").iterdir())) == 4
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("important")
    with pytest.raises(FxNormError, match="holds files of something else"):
        export_stimuli(songs[:1], tmp_path / "mine", config, seed=0)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "important"


def test_a_mix_that_coding_has_made_late_is_told(tmp_path, caplog) -> None:
    plain = make_song(tmp_path, "Plain")
    soundfile.write(tmp_path / "whole.mp3", read(plain.mixes["ours"])[0], RATE)
    whole = (tmp_path / "whole.mp3").read_bytes()
    at = max(whole.find(b"Xing"), whole.find(b"Info"))
    late = tmp_path / "late.mp3"
    late.write_bytes(whole[whole.find(whole[at - 36 : at - 34], at) :])
    find_excerpt(replace(plain, mixes={**plain.mixes, "wun": late}), CONFIG)
    assert f"Plain: {late}: may begin about 25 ms late beside" in caplog.text


def test_bad_input_is_refused_and_leaves_nothing(songs, tmp_path) -> None:
    plain = songs[0]
    silent = tmp_path / "silent.wav"
    write(silent, np.zeros((9 * RATE, 2)), RATE)
    for faulty, message in (
        ([], "no songs"),
        ([plain, plain], "more than one song"),
        ([ListeningSong("x", {}, plain.stems)], "at least one mix"),
        ([ListeningSong("x", plain.mixes, [])], "at least one mix"),
        ([ListeningSong("x", {"reference": silent}, plain.stems)], "rename that system"),
        ([ListeningSong("x", {"anchor70": silent}, plain.stems)], "rename that system"),
        ([plain, replace(plain, name="y", mixes={"wun": silent})], "y: has no mix of human, ours"),
        ([ListeningSong("x", {"ours": silent}, plain.stems)], "x: ours: no loudness"),
        ([ListeningSong("x", {"ours": tmp_path / "no.wav"}, plain.stems)], "no such file"),
    ):
        with pytest.raises(FxNormError, match=message):
            export_stimuli(faulty, tmp_path / "out", CONFIG, seed=0)
        assert not (tmp_path / "out").exists()
