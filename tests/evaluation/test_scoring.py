"""Scores of folders: pairing, rates, lengths, trimming, notes."""

import math
import os

import numpy as np
import pandas as pd
import pytest
import soundfile

from fxnorm.audio import integrated_loudness, read, resample, write
from fxnorm.conventions import STEMS
from fxnorm.data import find_songs
from fxnorm.errors import FxNormError
from fxnorm.evaluation import (
    EvaluationConfig,
    SongMix,
    compare,
    evaluate_mixes,
    evaluate_stems,
    read_scores,
    read_stem_scores,
    score_mixes,
    score_stems,
    trim_silence,
    write_scores,
)
from fxnorm.evaluation.scoring import COLUMNS, load_pair
from fxnorm.reporting.tables import stems_table

SR = 44100


def song(seed, seconds=2.0, sample_rate=SR):
    """Band-limited stereo noise with a beat, so that resampling changes little."""
    rng = np.random.default_rng(seed)
    count = int(seconds * 22050)
    audio = resample(rng.uniform(-0.3, 0.3, (count, 2)).astype(np.float32), 22050, sample_rate)
    beat = 0.3 + 0.7 * np.exp(-4 * (np.arange(len(audio)) / sample_rate % 0.5))
    return (audio * beat[:, None]).astype(np.float32)


@pytest.fixture
def folders(tmp_path):
    target, mixes = tmp_path / "target", tmp_path / "mixes"
    for index, name in enumerate(["a", "b. live"]):
        human = song(index)
        write(target / f"{name}.wav", human, SR)
        write(mixes / "good" / f"{name}.flac", 0.9 * human + 0.1 * song(9 + index), SR)
        write(mixes / "bad" / f"{name}.wav", song(20 + index), SR)
    return target, mixes


def values(scores, system, name, group):
    part = scores[(scores.system == system) & (scores.song == name) & (scores.group == group)]
    return dict(zip(part.metric, part.value, strict=True))


def note(scores, system, name):
    part = scores[(scores.system == system) & (scores.song == name) & (scores.group == "file")]
    return part.note.item()


def test_scores_every_system_and_song(folders):
    target, mixes = folders
    scores = score_mixes(target, mixes, jobs=1)
    assert tuple(scores.columns) == COLUMNS
    assert list(scores.groupby(["system", "song"]).groups) == [
        ("bad", "a"), ("bad", "b. live"), ("good", "a"), ("good", "b. live"),
    ]  # fmt: skip
    wanted = compare(read(mixes / "good" / "a.flac")[0], read(target / "a.wav")[0], SR)
    for group, metrics in wanted.values.items():
        assert values(scores, "good", "a", group) == metrics
    means = scores.groupby(["system", "metric"]).value.mean()
    assert means["good", "mr_stft"] < means["bad", "mr_stft"]


def test_workers_and_blocks_do_not_change_scores(folders, treat_as_long):
    write(folders[1] / "bad" / "a.wav", song(20)[:, :1], SR)
    plain = score_mixes(*folders, match_loudness_lufs=-23.0, jobs=1)
    treat_as_long()
    in_blocks = score_mixes(*folders, match_loudness_lufs=-23.0, jobs=3)
    pd.testing.assert_frame_equal(in_blocks, plain, check_exact=True)


def test_other_rates_and_lengths_are_handled_and_said(folders):
    target, mixes = folders
    human = read(target / "a.wav")[0]
    longer = np.concatenate([human, song(3, 0.5)])
    write(mixes / "good" / "a.flac", resample(longer, SR, 48_000), 48_000)
    scores = score_mixes(target, mixes, jobs=1)
    assert "resampled from 48000 Hz" in note(scores, "good", "a")
    assert "the mix is 0.500 s longer" in note(scores, "good", "a")
    # Resampled there and back: only the band above 20 kHz and 16-bit rounding are lost.
    assert values(scores, "good", "a", "further")["l1"] < 1e-3
    assert note(scores, "good", "b. live") == ""


def test_missing_songs_are_reported(folders):
    target, mixes = folders
    (mixes / "good" / "a.flac").unlink()
    write(mixes / "good" / "c.wav", song(5), SR)
    scores = score_mixes(target, mixes, jobs=1)
    assert note(scores, "good", "a") == "no mix of this song"
    assert note(scores, "good", "c") == "no target of this song"
    missing = scores[(scores.system == "good") & scores.song.isin(["a", "c"])]
    assert list(missing.value) == [0.0, 0.0]


def test_names_that_are_no_text_are_paired_and_written_escaped(folders, tmp_path):
    target, mixes = folders
    odd = os.fsdecode(b"\xff\n")
    (target / "a.wav").rename(target / f"{odd}.wav")
    (mixes / "bad/a.wav").rename(mixes / f"bad/{odd}.wav")
    (mixes / "bad").rename(mixes / odd)
    (mixes / "good/a.flac").unlink()
    write_scores(score_mixes(target, mixes, jobs=1), tmp_path / "scores.csv")
    scores = read_scores(tmp_path / "scores.csv")
    assert values(scores, r"\udcff\n", r"\udcff\n", "file")["compared_s"] > 0.0


def test_matched_loudness_leaves_the_balance_of_the_mix(folders):
    target, mixes = folders
    write(mixes / "good" / "a.flac", 0.25 * read(target / "a.wav")[0], SR)
    plain = score_mixes(target, mixes, jobs=1)
    matched = score_mixes(target, mixes, match_loudness_lufs=-23.0, jobs=1)
    assert values(plain, "good", "a", "loudness")["d_lufs"] > 0.5
    # What is left is the 16-bit rounding of the quieter file.
    assert values(matched, "good", "a", "loudness")["d_lufs"] < 1e-4
    assert values(matched, "good", "a", "further")["l1"] < 1e-3
    pair = load_pair(song(1), song(2), match_loudness_lufs=-23.0)
    assert integrated_loudness(pair.mix, SR) == pytest.approx(-23.0, abs=1e-3)


def test_what_has_no_loudness_is_not_said_to_be_matched():
    quiet = song(2) * np.float32(1e-5)
    pair = load_pair(song(1), quiet, match_loudness_lufs=-23.0)
    np.testing.assert_array_equal(pair.mix, song(1))
    assert pair.notes == ("too short or too quiet for a loudness; left as they are",)


def test_a_mix_that_coding_has_made_late_is_said_to_be(tmp_path):
    write(tmp_path / "a.wav", song(1), SR)
    soundfile.write(tmp_path / "whole.mp3", song(1), SR)
    whole = (tmp_path / "whole.mp3").read_bytes()
    at = max(whole.find(b"Xing"), whole.find(b"Info"))
    (tmp_path / "a.mp3").write_bytes(whole[whole.find(whole[at - 36 : at - 34], at) :])
    notes = load_pair(tmp_path / "a.mp3", tmp_path / "a.wav").notes
    assert "the mix: may begin about 25 ms late beside the target" in notes[0]
    assert not any("late" in note for note in load_pair(*[tmp_path / "a.mp3"] * 2).notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda target, mixes: write(target / "a.flac", song(0), SR), "there is also"),
        (lambda target, mixes: (mixes / "empty").mkdir(), "none of the songs"),
        (lambda target, mixes: (mixes / "good" / "a.flac").write_bytes(b"no"), "not readable"),
        (lambda target, mixes: [path.unlink() for path in target.iterdir()], "holds no audio"),
        (lambda target, mixes: mixes.rename(mixes.with_name("gone")), "no such folder"),
        (lambda target, mixes: (mixes / "ours").symlink_to("gone"), "ours: is a link to what is"),
    ],
)
def test_wrong_folders_are_named(folders, change, message):
    change(*folders)
    with pytest.raises(FxNormError, match=message):
        score_mixes(*folders, jobs=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trimming_cuts_the_targets_silence(dtype):
    loud = song(1).astype(dtype)
    head, tail = np.zeros((int(0.7 * SR), 2)), np.zeros((int(0.4 * SR), 2))
    head[1000] = 0.9  # a click is no sustained sound
    target = np.concatenate([head, loud, tail]).astype(dtype)
    mix = np.arange(2 * len(target)).reshape(-1, 2).astype(dtype)
    cut_mix, cut, (start, end) = trim_silence(mix, target, SR)
    # The 20-ms RMS passes 0.1 % within a few samples of noise at 30 %.
    assert 0 <= start - len(head) < 10
    assert 0 <= len(head) + len(loud) - end < 10
    assert np.array_equal(cut, target[start:end])
    assert np.array_equal(cut_mix, mix[start:end])


def test_a_target_with_one_short_sound_is_left_whole():
    target = np.zeros((2 * SR, 2), np.float32)
    target[: int(0.087 * SR)] = 0.3
    assert trim_silence(target, target, SR)[2] == (0, len(target))


def test_trimming_leaves_quiet_songs_whole():
    quiet = 1e-4 * song(1)
    assert trim_silence(quiet, quiet, SR)[2] == (0, len(quiet))


def test_scores_survive_the_file(folders, tmp_path):
    scores = score_mixes(*folders, jobs=1)
    scores.loc[3, "value"] = math.nan
    files = {system: tmp_path / f"{system}.csv" for system in sorted(set(scores.system))}
    for system, file in files.items():
        write_scores(scores[scores.system == system], file)
    again = read_scores(*files.values())
    assert list(again.note) == list(scores.note)
    # 7 significant digits are written.
    np.testing.assert_allclose(again.value, scores.value, rtol=1e-6)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FxNormError, match="columns"):
        read_scores(tmp_path / "other.csv")
    with pytest.raises(FxNormError, match="no such file"):
        read_scores(tmp_path / "nothing.csv")


def test_stems_are_scored_one_by_one():
    drums, bass = song(1), song(2)
    silence = np.zeros_like(drums)
    targets = {"drums": drums, "bass": bass, "vocals": silence, "other": silence}
    scores = score_stems({"drums": drums, "bass": silence, "other": drums}, targets, SR)
    drum_scores = scores[scores.stem == "drums"]
    assert (drum_scores.value == 0.0).all()
    assert set(scores.stem) == {"drums", "bass", "other"}
    assert scores[scores.stem == "bass"].note.item() == "silent in the mix only"
    assert scores[scores.stem == "other"].note.item() == "silent in the target only"


def test_stems_are_compared_where_the_target_is_heard():
    target, stem = song(1), song(2)
    gap = np.zeros((SR, 2), np.float32)
    noise = np.random.default_rng(3).uniform(-1e-4, 1e-4, gap.shape).astype(np.float32)
    whole = score_stems({"bass": stem}, {"bass": target}, SR)
    with_gap = [np.concatenate(parts) for parts in ([stem, noise, stem], [target, gap, target])]
    twice = [np.concatenate([signal, signal]) for signal in (stem, target)]
    gapped = score_stems({"bass": with_gap[0]}, {"bass": with_gap[1]}, SR)
    joined = score_stems({"bass": twice[0]}, {"bass": twice[1]}, SR)
    np.testing.assert_array_equal(gapped.value, joined.value)
    assert len(whole) == len(gapped)


def test_stems_of_songs_are_paired_by_name_and_tabulated_by_type(tmp_path):
    for folder, gain in (("normalized", 0.5), ("wet", 1.0)):
        for name, seed in (("a", 1), ("b", 2)):
            for offset, part in enumerate((*STEMS, "mixture")):
                samples = gain * song(seed + 10 * offset)
                write(tmp_path / folder / name / f"{part}.wav", samples, SR, "FLOAT")
    wet = find_songs(tmp_path / "wet").songs
    scores = evaluate_stems(find_songs(tmp_path / "normalized").songs, wet[:1], jobs=2)
    assert set(scores.song) == {"a"}
    write_scores(scores, tmp_path / "stems.csv")
    again = read_stem_scores(tmp_path / "stems.csv")
    np.testing.assert_allclose(again.value, scores.value, rtol=1e-6)
    loudness = scores[scores.metric == "d_lufs"].set_index("stem").value
    levels = {s: integrated_loudness(read(wet[0].stems[s])[0], SR) for s in STEMS}
    for stem in STEMS:
        # The metric is the relative error of the loudness, which halving lowers by 6.02 LU.
        assert loudness[stem] == pytest.approx(6.0206 / abs(levels[stem]), rel=1e-3)
    table = stems_table(scores, EvaluationConfig(resamples=100))
    assert [name for name, _ in table.rows] == sorted(STEMS)
    assert not any(cell.best for _, cells in table.rows for cell in cells)
    with pytest.raises(FxNormError, match="no such file"):
        read_stem_scores(tmp_path / "gone.csv")


def test_evaluation_adds_the_training_losses(folders):
    torch = pytest.importorskip("torch")
    from fxnorm.losses import StereoLossA, StereoLossB

    target, mixes = folders
    # White noise: in an empty band the loss compares logarithms of rounding noise.
    human, mix = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 2 * SR, 2)).astype(np.float32)
    items = [
        SongMix("wet", "a", mix, human),
        SongMix("dry", "a", mixes / "good" / "a.flac", target / "a.wav"),
    ]
    config = EvaluationConfig(trim=False)
    scores = evaluate_mixes("ours", items, config, jobs=2)
    wet, dry = (scores[scores.test_set == name] for name in ("wet", "dry"))
    got = values(wet, "ours", "a", "loss")
    batches = [torch.from_numpy(audio.T.copy())[None] for audio in (mix, human)]
    for metric, kind in (("loss_a", StereoLossA), ("loss_b", StereoLossB)):
        # The evaluation filters and transforms in single precision.
        assert got[metric] == pytest.approx(float(kind(guard_frames=0)(*batches)), rel=1e-3)
    assert values(dry, "ours", "a", "loss")["loss_b"] > 0.0
    assert values(wet, "ours", "a", "further")["l1"] == pytest.approx(np.abs(mix - human).mean())


def test_silence_around_the_target_is_left_out_by_default(folders):
    target, mixes = folders
    human, other = song(0), song(9)
    quiet, noise = np.zeros((SR, 2), np.float32), song(5, 1.0)
    long_human, long_mix = np.concatenate([quiet, human]), np.concatenate([noise, other])
    kept_mix, kept_human, _ = trim_silence(long_mix, long_human, SR)
    wanted = compare(kept_mix, kept_human, SR).values
    found = evaluate_mixes("x", [SongMix("", "s", long_mix, long_human)], EvaluationConfig())
    for group in ("spectral", "dynamics"):
        assert values(found, "x", "s", group) == pytest.approx(wanted[group], rel=1e-6)
    write(target / "a.wav", long_human, SR, "FLOAT")
    write(mixes / "bad" / "a.wav", long_mix, SR, "FLOAT")
    scores = score_mixes(target, mixes)
    assert values(scores, "bad", "a", "spectral") == pytest.approx(wanted["spectral"], rel=1e-2)
    whole = compare(long_mix, long_human, SR).values
    assert whole["spectral"] != pytest.approx(wanted["spectral"], rel=1e-2)


def test_long_songs_average_the_losses_over_equal_stretches():
    pytest.importorskip("torch")
    first, second, human = song(1), song(2), song(3)

    def losses(mix, target, **settings):
        config = EvaluationConfig(trim=False, **settings)
        return values(
            evaluate_mixes("x", [SongMix("", "s", mix, target)], config), "x", "s", "loss"
        )

    whole = losses(
        np.concatenate([first, second]), np.concatenate([human, human]), loss_segment_s=2.0
    )
    parts = [losses(mix, human) for mix in (first, second)]
    for metric, value in whole.items():
        assert value == pytest.approx(np.mean([part[metric] for part in parts]), rel=1e-6)
    short = losses(first, human, loss_guard_frames=60)
    assert all(math.isnan(value) for value in short.values())


@pytest.mark.parametrize("guard_frames", [0, 3])
def test_losses_need_no_more_samples_than_the_loss_itself(guard_frames):
    pytest.importorskip("torch")
    from fxnorm.losses import StereoLossB

    least = StereoLossB(guard_frames=guard_frames).least_samples
    human, mix = np.random.default_rng(0).uniform(-0.3, 0.3, (2, least, 2)).astype(np.float32)
    config = EvaluationConfig(trim=False, loss_guard_frames=guard_frames)

    def losses(samples):
        pair = [SongMix("", "s", mix[:samples], human[:samples])]
        return values(evaluate_mixes("x", pair, config), "x", "s", "loss").values()

    assert all(math.isfinite(value) for value in losses(least))
    assert all(math.isnan(value) for value in losses(least - 1))
