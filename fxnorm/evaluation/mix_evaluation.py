"""The evaluation of one system: its mixes of the test sets against the human mixes."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, read_stem
from fxnorm.evaluation import scoring
from fxnorm.evaluation.evaluation_config import EvaluationConfig
from fxnorm.progress import progress
from fxnorm.tabulation import read_csv
from fxnorm.workers import in_processes

if TYPE_CHECKING:
    from torch import Tensor

#: Group of the training losses.
LOSS_GROUP = "loss"
#: Columns of the scores of stems.
STEM_COLUMNS = ("song", "stem", "group", "metric", "value", "note")
#: Where a system's scores lie in its folder of reports/evaluation.
SCORES_FILE = "metrics.csv"


@dataclass(frozen=True)
class SongMix:
    """One mix to evaluate; arrays are (samples, channels) at 44.1 kHz, paths may have any rate.

    A cluster's workers take paths only.
    """

    test_set: str
    song: str
    mix: scoring.Audio
    target: scoring.Audio


def evaluate_mixes(
    system: str, mixes: Sequence[SongMix], config: EvaluationConfig | None = None, *, jobs: int = 1
) -> pd.DataFrame:
    """Every metric of `compare` and the training losses for each mix of a system.

    Args:
        system: name for the column `system`.
        mixes: what to score.
        config: trimming and losses.
        jobs: how many songs at a time; -1 for one per core.

    Returns:
        Tidy scores (`COLUMNS`): every metric of the groups of `compare`, group "loss" (`loss_a`,
        `loss_b`) and group "file". The losses are computed in single precision: where a band is
        empty they compare rounding noise, which moves them by up to 0.1 %.

    Raises:
        FxNormError: a file that can't be read.
    """
    config = config or EvaluationConfig()
    tasks = ((mix.song, (system, mix, config)) for mix in mixes)
    results = in_processes(evaluate_mix, tasks, jobs, threads=True)
    rows: list[scoring.Row] = []
    for scored in progress(results, len(mixes), f"evaluate {system}", "songs"):
        rows.extend(scored)
    return scoring.tidy(rows)


def evaluate_mix(system: str, mix: SongMix, config: EvaluationConfig) -> list[scoring.Row]:
    """Rows of one mix; see `evaluate_mixes`."""
    pair = scoring.load_pair(mix.mix, mix.target, trim=config.trim)
    rows = scoring.pair_rows(system, mix.test_set, mix.song, pair)
    for metric, (value, note) in _losses(pair, config).items():
        rows.append((system, mix.test_set, mix.song, LOSS_GROUP, metric, value, note))
    return rows


def evaluate_stems(
    songs: Sequence[Song], processed: Sequence[Song], *, jobs: int = 1
) -> pd.DataFrame:
    """Score every stem on its own, for songs whose processed stems are known.

    Args:
        songs: what to score, such as the normalised test set.
        processed: songs with the engineer's stems, paired by name; others are left out.
        jobs: how many songs at a time; -1 for one per core.

    Returns:
        Columns `STEM_COLUMNS`; see `score_stems`.

    Raises:
        FxNormError: a file that can't be read.
    """
    targets = {song.name: song for song in processed}
    pairs = [(song.name, (song, targets[song.name])) for song in songs if song.name in targets]
    results = in_processes(_score_stems, pairs, jobs, threads=True)
    frames = list(progress(results, len(pairs), "evaluate stems", "songs"))
    return pd.concat(frames, ignore_index=True)[list(STEM_COLUMNS)]


def _score_stems(song: Song, target: Song) -> pd.DataFrame:
    stems, wanted = (
        {stem: read_stem(given, stem) for stem in given.stems} for given in (song, target)
    )
    return scoring.score_stems(stems, wanted, SAMPLE_RATE).assign(song=song.name)


def read_stem_scores(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read scores of stems that `write_scores` wrote.

    Raises:
        FxNormError: no such file, or another table.
    """
    return read_csv(path, STEM_COLUMNS, {"value": float}, "run the evaluation again")


def _losses(pair: scoring.Pair, config: EvaluationConfig) -> dict[str, tuple[float, str]]:
    """Training losses A and B, mean over equal stretches of the song."""
    # torch is loaded only where losses are wanted: scoring folders of mixes does not need it.
    import torch

    from fxnorm.losses import StereoLossA, StereoLossB

    samples = len(pair.target)
    stretches = max(1, math.ceil(samples / (config.loss_segment_s * SAMPLE_RATE)))
    edges = np.linspace(0, samples, stretches + 1).astype(int)
    values: dict[str, tuple[float, str]] = {}
    for metric, kind in (("loss_a", StereoLossA), ("loss_b", StereoLossB)):
        loss = kind(guard_frames=config.loss_guard_frames, precision="single")
        if np.diff(edges).min() < loss.least_samples:
            values[metric] = (math.nan, "too short for the loss")
            continue
        with torch.inference_mode():
            parts = [
                float(loss(_batch(pair.mix[start:end]), _batch(pair.target[start:end])))
                for start, end in pairwise(edges)
            ]
        mono = np.array_equal(pair.target[:, 0], pair.target[:, 1])
        if metric == "loss_a" and mono:
            values[metric] = (math.nan, "the target is mono: loss A divides by its side signal")
        else:
            values[metric] = (float(np.mean(parts)), "")
    return values


def _batch(audio: np.ndarray) -> "Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(audio.T, np.float32))[None]
