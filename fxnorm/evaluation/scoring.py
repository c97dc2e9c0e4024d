"""Scores of mixes on disk, as tidy rows: one number per system, song and metric."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fxnorm.audio import (
    audio_files,
    delay_notes,
    from_db,
    gain_to_loudness,
    info,
    loudness_by_gain,
    mixes_by_system,
    read,
    require_stereo,
    resample,
    to_stereo,
    weighted_sum,
)
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.evaluation.kernels import first_sustained
from fxnorm.evaluation.metrics import compare
from fxnorm.outputs import write_text
from fxnorm.progress import progress
from fxnorm.tabulation import read_csv, to_csv
from fxnorm.workers import in_processes

#: Columns of the tidy scores.
COLUMNS = ("system", "test_set", "song", "group", "metric", "value", "note")
#: Group of the row that says how much of a song was compared, and what was done to it first.
FILE_GROUP = "file"
#: A stem is silent in blocks of this length with an RMS below this level.
_BLOCK_S = 0.1
_SILENT_DB = -60.0
#: A song begins, and ends, where the RMS of the last 20 ms is above 0.1 % for 0.1 s.
_LOUD, _RMS_S, _LOUD_FOR_S = 1e-3, 0.02, 0.1
#: That row's metric: seconds that were compared; 0 for a song without a mix.
COMPARED = "compared_s"

#: A number of the tidy scores, in the order of `COLUMNS`.
Row = tuple[str, str, str, str, str, float, str]
Audio = np.ndarray | str | os.PathLike[str]


@dataclass(frozen=True)
class Pair:
    """A mix and its target, ready to be compared."""

    mix: np.ndarray
    target: np.ndarray
    notes: tuple[str, ...] = ()


def score_mixes(
    target_folder: str | os.PathLike[str],
    mixes_folder: str | os.PathLike[str],
    *,
    match_loudness_lufs: float | None = None,
    jobs: int = -1,
) -> pd.DataFrame:
    """Score `<mixes>/<system>/<song>.*` against `<target>/<song>.*`.

    Songs are paired by file name without suffix. Files of another sample rate are resampled to
    44.1 kHz, the longer file of a pair is cut, and both are said in the song's row of group "file".
    So is what silence of the target is left out at its ends; see `trim_silence`.

    Args:
        target_folder: human mixes; wav, flac, ogg, mp3 or aiff.
        mixes_folder: one folder per system.
        match_loudness_lufs: bring mix and target to this loudness first.
        jobs: how many songs at a time; -1 for one per core.

    Returns:
        Tidy scores (`COLUMNS`), systems and songs sorted. A song that a system lacks has one row,
        with the note "no mix of this song".

    Raises:
        FxNormError: a missing folder, no system, a system without any of the songs, two files of
            one song, or a file that can't be read.
    """
    if not Path(target_folder).is_dir():
        raise FxNormError(f"{target_folder}: no such folder; give the one with the target mixes")
    targets = audio_files(Path(target_folder))
    systems = _systems_to_score(Path(mixes_folder), targets)
    rows: list[Row] = []
    tasks = []
    for system, mixes in systems.items():
        for song in sorted(mixes.keys() | targets.keys()):
            if song in mixes and song in targets:
                task = (system, song, mixes[song], targets[song], match_loudness_lufs)
                tasks.append((f"{system}/{song}", task))
            else:
                note = f"no {'target' if song in mixes else 'mix'} of this song"
                rows.append((system, "", song, FILE_GROUP, COMPARED, 0.0, note))
    for _, (_, _, mix, target, *_) in tasks:
        info(mix), info(target)
    # The compiled metrics, FFTs and decoders all release the interpreter.
    results = in_processes(_score, tasks, jobs, threads=True)
    for scored in progress(results, len(tasks), "score", "mixes"):
        rows.extend(scored)
    return tidy(rows)


def _score(
    system: str, song: str, mix: Path, target: Path, match_loudness_lufs: float | None
) -> list[Row]:
    pair = load_pair(mix, target, match_loudness_lufs=match_loudness_lufs)
    return pair_rows(system, "", song, pair)


def score_stems(
    stems: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], sample_rate: int
) -> pd.DataFrame:
    """Score every stem on its own, where processed stems are known.

    A mix can match its target while its stems' errors cancel; this shows which stem is off. Only
    where the target stem is heard: relative to silence, errors mean nothing.

    Args:
        stems: (samples, channels) by stem.
        targets: the same stems as the engineer processed them.
        sample_rate: in Hz.

    Returns:
        Columns stem, group, metric, value, note. A stem that is missing or silent on one side only
        has NaN and the reason; silent on both sides, or not in `targets`, it is left out.
    """
    rows = []
    for stem, target in targets.items():
        audible = [stem in stems and bool(np.any(stems[stem])), bool(np.any(target))]
        if not any(audible):
            continue
        if not all(audible):
            where = "the mix" if audible[1] else "the target"
            rows.append((stem, FILE_GROUP, COMPARED, np.nan, f"silent in {where} only"))
            continue
        length = min(len(stems[stem]), len(target))
        heard = _heard(target[:length], sample_rate)
        scores = compare(stems[stem][:length][heard], target[:length][heard], sample_rate)
        rows.extend((stem, *row) for row in scores.rows())
    return pd.DataFrame(rows, columns=["stem", "group", "metric", "value", "note"])


def _heard(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Which samples of (samples, channels) lie in blocks that are not silent; bool (samples,)."""
    block = max(1, round(_BLOCK_S * sample_rate))
    missing = -len(audio) % block
    padded = np.pad(np.asarray(audio, np.float64), [(0, missing), (0, 0)])
    energy = (padded.reshape(-1, block * audio.shape[1]) ** 2).mean(axis=1)
    return np.repeat(energy > from_db(2.0 * _SILENT_DB), block)[: len(audio)]


def load_pair(
    mix: Audio, target: Audio, *, trim: bool = True, match_loudness_lufs: float | None = None
) -> Pair:
    """Bring a mix and its target to one sample rate, length and, if wanted, loudness.

    Args:
        mix: a file, or (samples, channels) at 44.1 kHz.
        target: likewise.
        trim: cut the target's silence at both ends.
        match_loudness_lufs: bring both to this loudness.

    Raises:
        FxNormError: a file that can't be read or has more than two channels.
    """
    notes: list[str] = []
    x, y = (_load_stereo(audio, name, notes) for name, audio in (("mix", mix), ("target", target)))
    if not isinstance(mix, np.ndarray) and not isinstance(target, np.ndarray):
        notes += delay_notes({"the mix": info(mix).late_s, "the target": info(target).late_s})
    if len(x) != len(y):
        longer = "mix" if len(x) > len(y) else "target"
        excess = abs(len(x) - len(y)) / SAMPLE_RATE
        notes.append(f"the {longer} is {excess:.3f} s longer: its end is left out")
        length = min(len(x), len(y))
        x, y = x[:length], y[:length]
    if trim:
        samples = len(y)
        x, y, kept = trim_silence(x, y, SAMPLE_RATE)
        if kept != (0, samples):
            notes.append(
                "trimmed to {:.3f}–{:.3f} s".format(*(edge / SAMPLE_RATE for edge in kept))
            )
    if match_loudness_lufs is not None:
        loudness = [loudness_by_gain(signal, SAMPLE_RATE) for signal in (x, y)]
        gains = [from_db(gain_to_loudness(its, match_loudness_lufs)) for its in loudness]
        if np.isnan(gains).any():
            notes.append("too short or too quiet for a loudness; left as they are")
        else:
            x, y = (weighted_sum(pair) for pair in zip((x, y), gains, strict=True))
            notes.append(f"both brought to {match_loudness_lufs:g} LUFS")
    return Pair(x, y, tuple(notes))


def trim_silence(
    mix: np.ndarray, target: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Cut silence at both ends of the target, and the same samples of the mix.

    A song starts with the first 0.1 s in which the RMS of the last 20 ms, in any channel, stays
    above 0.1 % of full scale (SoX's `silence`, as the released evaluation calls it), and ends
    likewise, seen from its end. A target that never gets that loud is left whole.

    Args:
        mix: (samples, channels).
        target: (samples, channels), as long as `mix`.
        sample_rate: in Hz.

    Returns:
        Mix, target and the range of samples kept (views, not copies).
    """
    window = round(_RMS_S * sample_rate)
    run = round(_LOUD_FOR_S * sample_rate)
    samples = len(target)
    start = first_sustained(target, window, _LOUD, run)
    end = samples - first_sustained(target[::-1], window, _LOUD, run)
    if start >= end:
        return mix, target, (0, samples)
    return mix[start:end], target[start:end], (start, end)


def pair_rows(system: str, test_set: str, song: str, pair: Pair) -> list[Row]:
    """Every metric of one song, after the row that says what was compared."""
    seconds = len(pair.target) / SAMPLE_RATE
    compared: Row = (system, test_set, song, FILE_GROUP, COMPARED, seconds, "; ".join(pair.notes))
    scores = compare(pair.mix, pair.target, SAMPLE_RATE)
    return [compared, *((system, test_set, song, *row) for row in scores.rows())]


def tidy(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a frame with `COLUMNS`, sorted by system, test set and song."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return frame.sort_values(["system", "test_set", "song"], kind="stable", ignore_index=True)


def write_scores(scores: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write scores of mixes or stems as CSV, 7 significant digits."""
    write_text(path, to_csv(scores, digits=7))


def read_scores(*paths: str | os.PathLike[str]) -> pd.DataFrame:
    """Read and join tidy scores.

    Raises:
        FxNormError: a file that is missing or has other columns.
    """
    frames = [
        read_csv(path, COLUMNS, {"value": float}, "run the evaluation again") for path in paths
    ]
    return pd.concat(frames, ignore_index=True)


def _systems_to_score(folder: Path, targets: dict[str, Path]) -> dict[str, dict[str, Path]]:
    if not targets:
        raise FxNormError(
            "the target folder holds no audio; give <song>.wav, flac, ogg, mp3 or aiff"
        )
    systems = mixes_by_system(folder)
    if not systems:
        raise FxNormError(
            f"{folder}: holds no folders; put mixes into {folder}/<system>/<song>.wav"
        )
    for system, mixes in systems.items():
        if mixes.keys().isdisjoint(targets):
            raise FxNormError(
                f"{folder / system}: has none of the songs; name its files as the targets', "
                f"like '{next(iter(targets))}'"
            )
    return systems


def _load_stereo(audio: Audio, name: str, notes: list[str]) -> np.ndarray:
    if isinstance(audio, np.ndarray):
        samples, rate = audio, SAMPLE_RATE
    else:
        samples, rate = read(audio)
        notes += info(audio).notes
    if samples.ndim == 1 or samples.shape[1] == 1:
        notes.append(f"the {name} is mono: its channel is repeated")
    else:
        require_stereo(name if isinstance(audio, np.ndarray) else audio, samples.shape[1])
    if rate != SAMPLE_RATE:
        notes.append(f"the {name} is resampled from {rate} Hz")
    return resample(to_stereo(samples), rate, SAMPLE_RATE)
