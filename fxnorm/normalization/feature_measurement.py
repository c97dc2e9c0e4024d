"""Measuring a data set's average features over its training partition."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxnorm import scratch
from fxnorm.audio import peak_db
from fxnorm.conventions import GATE_DB, PADDING
from fxnorm.data import Song, read_stem
from fxnorm.errors import FxNormError
from fxnorm.normalization.dataset_features import DatasetFeatures, smoothed
from fxnorm.normalization.effect_table import default_effects, find_effect, measured_features
from fxnorm.normalization.matching.effect import Context
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.normalization.normalizer import pad
from fxnorm.progress import progress
from fxnorm.scratch import room_named, temporary_folder
from fxnorm.seeds import generator
from fxnorm.stems import in_order
from fxnorm.workers import OnDisk, in_processes, on_disk


def measure_features(
    songs: Sequence[Song], config: NormalizationConfig | None = None, *, jobs: int = -1
) -> DatasetFeatures:
    """Average features of the songs' stems.

    The features are cascaded: each effect's is measured on stems normalised by the effects before
    it, without reverb. The stems in between lie as float32 in a temporary folder (1 MB per 3 s of
    stereo audio, plus 1 MB per stem), which is removed afterwards and which all workers see.

    Args:
        songs: the training partition.
        config: limits and switches of the effects between the measurements; the released
            behaviour with `released_quirks`. Effects of the default chain are measured whether or
            not it names them. Its `strengths` play no part.
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
            _Task(song, stem, folder / f"{index}-{stem}")
            for index, song in enumerate(songs)
            for stem in in_order(song.stems)
        ]
        cascade = _Cascade(tasks, settings, jobs, folder)
        references: dict[str, dict[str, np.ndarray]] = {}
        for effect in _features_to_measure(settings):
            averages = {effect: cascade.average(effect, references)}
            references |= smoothed(smoothed(averages, settings), settings)
    return DatasetFeatures(**references)


def _features_to_measure(config: NormalizationConfig) -> list[str]:
    wanted = {*default_effects(), *config.effects}
    return [name for name in measured_features() if name in wanted]


@dataclass(frozen=True)
class _Task:
    """One stem, and the beginning of the names of its files."""

    song: Song
    stem: str
    files: Path

    def audio(self, effect: str) -> Path:
        """The padded stem on which an effect's feature is measured."""
        return self.files.with_name(f"{self.files.name}-{effect}-audio.npy")

    def feature(self, effect: str) -> Path:
        """The effect's feature of it."""
        return self.files.with_name(f"{self.files.name}-{effect}-feature.npy")


@dataclass(frozen=True)
class _Cascade:
    """Passes over the data set; each applies the last measured effect and measures the next."""

    tasks: list[_Task]
    config: NormalizationConfig
    jobs: int
    folder: Path

    def average(
        self, effect: str, references: dict[str, dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Mean of an effect's feature by stem type.

        Args:
            effect: whose feature is measured.
            references: of the effects before it in the chain, of which the last one is applied.
        """
        total: dict[str, np.ndarray] = {}
        count = dict.fromkeys(in_order(task.stem for task in self.tasks), 0)
        for task, value in zip(self.tasks, self._values(effect, references), strict=True):
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
        with on_disk({} if before is None else references[before], self.folder) as reference:
            calls = (
                (task.song.name, (task, effect, before, reference, self.config))
                for task in self.tasks
            )
            # Results come in the order of the tasks, so the sums do not depend on the workers.
            results = in_processes(_measuring_step, calls, self.jobs)
            measured = progress(results, len(self.tasks), f"measure {effect}", "stems")
            for task, has_value in zip(self.tasks, measured, strict=True):
                yield np.load(task.feature(effect)) if has_value else None
                task.feature(effect).unlink(missing_ok=True)
                if before is not None:
                    task.audio(before).unlink()


def _measuring_step(
    task: _Task,
    effect: str,
    before: str | None,
    reference: OnDisk[dict[str, np.ndarray]],
    config: NormalizationConfig,
) -> bool:
    """Apply the effect `before` to one stem, keep the result and the feature of `effect`.

    The first effect measures the stem as it is. What a step reads stays: it can be done again.

    Returns:
        Whether the stem has the feature.
    """
    if before is None:
        channels = pad(read_stem(task.song, task.stem))
    else:
        channels = _load_kept(task.audio(before))
        if _is_audible(channels):
            draws = generator(0, task.song.name, task.stem, before)
            curve = reference.value[task.stem]
            context = Context(config.stem_type(task.stem), config, draws, curve)
            channels = find_effect(before).apply(channels, context).channels
    if effect != _features_to_measure(config)[-1]:
        _keep(task.audio(effect), channels)
    # What the effects spread into the padding is cut, as at the end of the chain.
    channels[:, :PADDING] = 0.0
    channels[:, -PADDING:] = 0.0
    value = measured_features()[effect].measure(channels) if _is_audible(channels) else None
    if value is not None:
        _keep(task.feature(effect), value)
    return value is not None


def _keep(path: Path, values: np.ndarray) -> None:
    """Write an array at once: a worker that was given up may be writing it as well."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        np.save(stream, np.ascontiguousarray(values))
    os.replace(temporary, path)


def _load_kept(path: Path) -> np.ndarray:
    """What `_keep` wrote, float32, into `fxnorm.scratch`."""
    with path.open("rb") as stream:
        np.lib.format.read_magic(stream)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
        values = scratch.empty(shape)
        flat = values.reshape(-1)
        for block in scratch.blocks(flat.size):
            stream.readinto(flat[block].data)
    return values


def _is_audible(channels: np.ndarray) -> bool:
    return peak_db(channels) > GATE_DB
