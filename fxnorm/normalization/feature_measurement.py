"""Measuring a data set's average features over its training partition."""

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from fxnorm.audio import from_db, peak, peak_db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, read_stem
from fxnorm.errors import FxNormError
from fxnorm.normalization.dataset_features import DatasetFeatures, smooth_eq, smooth_panning
from fxnorm.normalization.matching import loudness
from fxnorm.normalization.matching.compression import PEAK_DB, PERCENTILE, compress_channel
from fxnorm.normalization.matching.equalization import (
    GATE_DB,
    HOP,
    LEVEL_LUFS,
    N_FFT,
    equalize_channels,
    mean_spectrum,
)
from fxnorm.normalization.matching.onsets import mean_peak
from fxnorm.normalization.matching.panning import mean_phi, pan_channels
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.normalization.normalizer import PADDING, pad
from fxnorm.progress import progress
from fxnorm.stems import STEMS


def measure_features(
    songs: Sequence[Song],
    config: NormalizationConfig | None = None,
    *,
    jobs: int = -1,
    folder: str | os.PathLike[str] | None = None,
) -> DatasetFeatures:
    """Average features of the songs' stems.

    The features are cascaded: each effect's is measured on stems normalised by the effects before
    it, without reverb. The stems in between lie as float32 in a temporary folder (1 MB per 3 s of
    stereo audio, plus 1 MB per stem), which is removed afterwards.

    Args:
        songs: the training partition.
        config: limits and switches of the effects between the measurements; the released
            behaviour with `released_quirks`. Its `effects` and `strengths` play no part.
        jobs: worker processes; -1 for all cores. The result does not depend on it.
        folder: where the temporary folder goes; the system's default place if not given.

    Raises:
        FxNormError: no songs, a file that can't be read, or a stem type of which no song has an
            audible stem.
    """
    if not songs:
        raise FxNormError("no songs to measure features on; check the training partition")
    settings = config or NormalizationConfig()
    with tempfile.TemporaryDirectory(prefix="fxnorm-features-", dir=folder) as name:
        tasks = [
            _Task(song, stem, Path(name) / f"{index}-{stem}.npy")
            for index, song in enumerate(songs)
            for stem in STEMS
        ]
        cascade = _Cascade(tasks, settings, jobs)
        eq = {
            stem: smooth_eq(smooth_eq(curve, stem), stem)
            for stem, curve in cascade.average("eq", None).items()
        }
        compression = cascade.average("compression", eq)
        panning = {
            stem: smooth_panning(smooth_panning(curve))
            for stem, curve in cascade.average("panning", compression).items()
        }
        lufs = cascade.average("loudness", panning)
    return DatasetFeatures(
        eq=eq,
        compression={s: (float(v[0]), float(v[1])) for s, v in compression.items()},
        panning=panning,
        loudness={stem: float(value[0]) for stem, value in lufs.items()},
    )


@dataclass(frozen=True)
class _Task:
    song: Song
    stem: str
    intermediate: Path


class _Cascade:
    """Passes over the data set; each applies the last measured effect and measures the next."""

    def __init__(self, tasks: list[_Task], config: NormalizationConfig, jobs: int) -> None:
        self._tasks = tasks
        self._config = config
        self._jobs = jobs

    def average(self, feature: str, references: dict[str, Any] | None) -> dict[str, np.ndarray]:
        """Mean of a feature by stem type, after the effect whose references are given."""
        total: dict[str, np.ndarray] = {}
        count = dict.fromkeys(STEMS, 0)
        for task, value in zip(self._tasks, self._values(feature, references), strict=True):
            if value is not None:
                total[task.stem] = total.get(task.stem, 0.0) + value
                count[task.stem] += 1
        for stem, songs in count.items():
            if songs == 0:
                raise FxNormError(
                    f"no song has a '{stem}' stem of which the {feature} feature can be measured"
                    f" (all silent, below {GATE_DB:g} dBFS, or without onsets)"
                )
        return {stem: total[stem] / count[stem] for stem in STEMS}

    def _values(
        self, feature: str, references: dict[str, Any] | None
    ) -> Iterator[np.ndarray | None]:
        # Results come in the order of the tasks, so the sums do not depend on the workers.
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            results = joblib.Parallel(n_jobs=self._jobs, return_as="generator")(
                joblib.delayed(_step)(
                    task,
                    feature,
                    None if references is None else references[task.stem],
                    self._config,
                )
                for task in self._tasks
            )
            yield from progress(results, len(self._tasks), f"Measuring {feature}", "stem")


def _step(
    task: _Task, feature: str, reference: Any, config: NormalizationConfig
) -> np.ndarray | None:
    """Apply the effect before `feature` to one stem, keep the result and measure the feature."""
    if feature == "eq":
        channels = pad(read_stem(task.song, task.stem))
    else:
        channels = np.load(task.intermediate)
        if _audible(channels):
            channels = _APPLY[feature](channels, task.stem, reference, config)
    if feature != "loudness":
        np.save(task.intermediate, channels)
    # What the effects spread into the padding is cut, as at the end of the chain.
    channels[:, :PADDING] = 0.0
    channels[:, -PADDING:] = 0.0
    return _MEASURE[feature](channels) if _audible(channels) else None


def _audible(channels: np.ndarray) -> bool:
    return peak_db(channels) > GATE_DB


def _equalize(
    channels: np.ndarray, stem: str, reference: np.ndarray, config: NormalizationConfig
) -> np.ndarray:
    limit = None if config.released_quirks else config.eq_max_boost_db
    return np.stack([result.samples for result in equalize_channels(channels, reference, limit)])


def _compress(
    channels: np.ndarray, stem: str, reference: np.ndarray, config: NormalizationConfig
) -> np.ndarray:
    bounds = (float(reference[0]), float(reference[1]))
    results = [
        compress_channel(
            channel,
            SAMPLE_RATE,
            stem,
            bounds,
            expansion=config.expansion,
            exhaustive=config.exhaustive,
        )
        for channel in channels
    ]
    return np.stack([result.samples for result in results])


def _pan(
    channels: np.ndarray, stem: str, reference: np.ndarray, config: NormalizationConfig
) -> np.ndarray:
    repanned, _ = pan_channels(
        channels,
        stem,
        reference,
        released_quirks=config.released_quirks,
        max_gain_db=config.panning_max_gain_db,
    )
    return repanned


def _measure_eq(channels: np.ndarray) -> np.ndarray:
    """Mean magnitude spectrum of a stem at -30 LUFS."""
    lufs = loudness.measure(channels.T, SAMPLE_RATE)
    gain = np.float32(loudness.loudness_gain(channels, lufs, LEVEL_LUFS))
    return np.mean([mean_spectrum(channel * gain) for channel in channels], axis=0)


def _measure_compression(channels: np.ndarray) -> np.ndarray | None:
    """Mean and deviation of the strongest peaks of a stem brought to a peak of -10 dBFS."""
    gain = float(from_db(PEAK_DB)) / peak(channels)
    result = mean_peak((channels * gain).astype(np.float32).T, SAMPLE_RATE, PERCENTILE)
    return None if result is None else np.array(result)


def _measure_panning(channels: np.ndarray) -> np.ndarray:
    return mean_phi(channels, N_FFT, HOP)


def _measure_loudness(channels: np.ndarray) -> np.ndarray | None:
    lufs = loudness.measure(channels.T, SAMPLE_RATE)
    return np.array([lufs]) if math.isfinite(lufs) else None


_APPLY: dict[str, Callable[..., np.ndarray]] = {
    "compression": _equalize,
    "panning": _compress,
    "loudness": _pan,
}
_MEASURE: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "eq": _measure_eq,
    "compression": _measure_compression,
    "panning": _measure_panning,
    "loudness": _measure_loudness,
}
