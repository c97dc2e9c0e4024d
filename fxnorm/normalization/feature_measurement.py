"""Measuring a data set's average features over its training partition."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from fxnorm.audio import peak_db
from fxnorm.conventions import GATE_DB, PADDING
from fxnorm.data import Song, read_stem
from fxnorm.errors import FxNormError
from fxnorm.normalization.dataset_features import DatasetFeatures, smoothed
from fxnorm.normalization.effect_table import find_effect, measured_features
from fxnorm.normalization.matching.effect import Context
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.normalization.normalizer import pad
from fxnorm.progress import progress
from fxnorm.seeds import generator
from fxnorm.stems import in_order


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
            for stem in in_order(song.stems)
        ]
        cascade = _Cascade(tasks, settings, jobs)
        references: dict[str, dict[str, np.ndarray]] = {}
        for effect in measured_features():
            averages = {effect: cascade.average(effect, references)}
            references |= smoothed(smoothed(averages, settings), settings)
    return DatasetFeatures(**references)


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

    def average(
        self, effect: str, references: dict[str, dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Mean of an effect's feature by stem type.

        Args:
            effect: whose feature is measured.
            references: of the effects before it in the chain, of which the last one is applied.
        """
        total: dict[str, np.ndarray] = {}
        count = dict.fromkeys(in_order(task.stem for task in self._tasks), 0)
        for task, value in zip(self._tasks, self._values(effect, references), strict=True):
            if value is not None:
                total[task.stem] = total.get(task.stem, 0.0) + value
                count[task.stem] += 1
        for stem, songs in count.items():
            if songs == 0:
                raise FxNormError(
                    f"no song has a '{stem}' stem of which the {effect} feature can be measured"
                    f" (all silent, below {GATE_DB:g} dBFS, or without onsets)"
                )
        return {stem: total[stem] / songs for stem, songs in count.items()}

    def _values(
        self, effect: str, references: dict[str, dict[str, np.ndarray]]
    ) -> Iterator[np.ndarray | None]:
        before = next(reversed(references), None)
        # Results come in the order of the tasks, so the sums do not depend on the workers.
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            results = joblib.Parallel(n_jobs=self._jobs, return_as="generator")(
                joblib.delayed(_step)(
                    task,
                    effect,
                    before,
                    np.empty(0) if before is None else references[before][task.stem],
                    self._config,
                )
                for task in self._tasks
            )
            yield from progress(results, len(self._tasks), f"Measuring {effect}", "stem")


def _step(
    task: _Task, effect: str, before: str | None, reference: np.ndarray, config: NormalizationConfig
) -> np.ndarray | None:
    """Apply the effect `before` to one stem, keep the result and measure the feature of `effect`.

    The first effect measures the stem as it is.
    """
    if before is None:
        channels = pad(read_stem(task.song, task.stem))
    else:
        channels = np.load(task.intermediate)
        if _audible(channels):
            draws = generator(0, task.song.name, task.stem, before)
            context = Context(config.stem_type(task.stem), config, draws, reference)
            channels = find_effect(before).apply(channels, context).channels
    np.save(task.intermediate, channels)
    # What the effects spread into the padding is cut, as at the end of the chain.
    channels[:, :PADDING] = 0.0
    channels[:, -PADDING:] = 0.0
    return measured_features()[effect].measure(channels) if _audible(channels) else None


def _audible(channels: np.ndarray) -> bool:
    return peak_db(channels) > GATE_DB
