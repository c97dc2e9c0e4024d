"""Measuring a data set's average features over its training partition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
from fxnorm.scratch import room_named, temporary_folder
from fxnorm.seeds import generator
from fxnorm.stems import in_order
from fxnorm.workers import in_processes


def measure_features(
    songs: Sequence[Song],
    config: NormalizationConfig | None = None,
    *,
    jobs: int = -1,
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

    Raises:
        FxNormError: no songs, a file that can't be read, or a stem type of which no song has an
            audible stem.
    """
    if not songs:
        raise FxNormError("no songs to measure features on; check the training partition")
    settings = config or NormalizationConfig()
    with temporary_folder() as folder, room_named(folder):
        tasks = [
            _Task(song, stem, folder / f"{index}-{stem}.npy")
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
        reference = {} if before is None else references[before]
        curves = (reference.get(task.stem, np.empty(0)) for task in self._tasks)
        calls = (
            (task.song.name, (task, effect, before, curve, self._config))
            for task, curve in zip(self._tasks, curves, strict=True)
        )
        # Results come in the order of the tasks, so the sums do not depend on the workers.
        results = in_processes(_step, calls, self._jobs)
        return progress(results, len(self._tasks), f"Measuring {effect}", "stem")


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
