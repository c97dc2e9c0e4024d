"""Generating the multitrack data set: compose, perform, mix, write."""

import os
from pathlib import Path

import numpy as np

from fxnorm.audio import from_db, write
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.composition import compose
from fxnorm.data.synthesis.engineer import decide, mix_loudness, process, studio_rooms
from fxnorm.data.synthesis.measurement import measure, ranges
from fxnorm.data.synthesis.mixdown import mix_down
from fxnorm.data.synthesis.performance import perform, raw_stem
from fxnorm.data.synthesis.rooms import Room, impulse_response
from fxnorm.data.synthesis.score import Composition
from fxnorm.data.synthesis.synthesis_config import SynthesisConfig
from fxnorm.effects.processors import build_chain
from fxnorm.progress import progress
from fxnorm.seeds import generator
from fxnorm.workers import OnDisk, in_processes, on_disk

#: Reverberation times in seconds (middle octaves) and level of the two sets of impulse responses.
_RESPONSE_SETS = {"reverb": (2.0, 3.3, -10.0), "prereverb": (0.3, 1.2, -6.0)}

Measurements = dict[str, dict[str, float]]


def synthesize(
    folder: str | os.PathLike[str], config: SynthesisConfig, *, seed: int, jobs: int = -1
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Generate the data set.

    Writes, in 16-bit stereo at 44.1 kHz: `wet/train/<song>/` and `wet/test/<song>/` in MUSDB18-HQ's
    layout, `dry/<song>/` with the raw stems and the mixture of the test songs, and
    `impulse_responses/{reverb,prereverb}/<name>/impulse_response.wav`. The same seed and
    configuration give the same bytes for any number of jobs.

    Args:
        folder: empty or new; use `fxnorm.outputs.atomic_folder` to replace a folder as a whole.
        config: sizes and the engineer's aims.
        seed: the project's seed.
        jobs: worker processes; -1 = one per core.

    Returns:
        {train, test, dry: {stem or mixture: {quantity: {minimum, median, maximum}}}} of the
        quantities of `measure`.

    Raises:
        FxNormError: more songs wanted than different ones exist, an unusable `engineer.extra`, or a
            killed worker.
    """
    root = Path(folder)
    rooms = studio_rooms(seed)
    for steps in config.engineer.extra.values():
        # A mistake in the chains shows before any work is done.
        build_chain(steps, SAMPLE_RATE, rooms)
    _write_impulse_responses(root / "impulse_responses", config.impulse_responses, seed)
    songs = compose(
        {"train": config.training_songs, "test": config.test_songs}, config.duration_s, seed
    )
    tasks = [(partition, song) for partition, group in songs.items() for song in group]
    rows: dict[str, list[Measurements]] = {"train": [], "test": [], "dry": []}
    with on_disk(rooms, root) as shared:
        calls = (
            (song.name, (root, partition, song, config, shared, seed)) for partition, song in tasks
        )
        work = in_processes(_produce, calls, jobs)
        for result in progress(work, len(tasks), "synthesize", "songs"):
            for partition, measurements in result.items():
                rows[partition].append(measurements)
    return {
        partition: {stem: ranges(row[stem] for row in group) for stem in group[0]}
        for partition, group in rows.items()
    }


def _produce(
    root: Path,
    partition: str,
    song: Composition,
    config: SynthesisConfig,
    rooms: OnDisk[dict[str, np.ndarray]],
    seed: int,
) -> dict[str, Measurements]:
    """Make and write one song; returns its measurements by partition (test songs: also dry)."""
    tracks = perform(song, seed)
    processed = process(tracks, decide(song, config.engineer, seed), rooms.value)
    loudness = mix_loudness(song, config.engineer)
    wet, mixture = mix_down(processed, loudness, config.engineer.ceiling_db)
    versions: dict[str, dict[str, np.ndarray]] = {partition: {**wet, "mixture": mixture}}
    folders = {partition: root / "wet" / partition / song.name}
    if partition == "test":
        versions["dry"] = {stem: raw_stem(part) for stem, part in tracks.items()}
        versions["dry"]["mixture"] = mixture
        folders["dry"] = root / "dry" / song.name
    for name, version in versions.items():
        for stem, audio in version.items():
            write(folders[name] / f"{stem}.wav", audio, SAMPLE_RATE)
    return {
        name: {stem: measure(audio) for stem, audio in version.items()}
        for name, version in versions.items()
    }


def _write_impulse_responses(root: Path, count: int, seed: int) -> None:
    for name, (shortest_s, longest_s, level_db) in _RESPONSE_SETS.items():
        for index in range(count):
            random = generator(seed, "impulse response", name, index)
            room = Room(
                # One in each part of the range, so that a small set covers it.
                reverberation_s=shortest_s
                + (longest_s - shortest_s) * (index + random.random()) / count,
                damping=random.uniform(1.8, 3.0),
                warmth=random.uniform(1.0, 1.2),
            )
            response = impulse_response(room, random) * from_db(level_db)
            folder = root / name / f"{index + 1:02d}_{room.reverberation_s:.2f}s"
            write(folder / "impulse_response.wav", response, SAMPLE_RATE)
