"""The audio of a song's stimuli: where they are cut, how loud they get, and their files."""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxnorm.audio import delay_notes, info, integrated_loudness, read, true_peak_db, write
from fxnorm.audio.excerpts import (
    LoudnessMatch,
    busiest_in_files,
    fade,
    match_loudness,
    read_excerpt,
)
from fxnorm.audio.loudness import BLOCK_S
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.listening.answer_key import REFERENCE
from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.seeds import generator

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListeningSong:
    """One page of the test."""

    name: str
    """The song's name, for the key."""
    mixes: Mapping[str, str | os.PathLike[str]]
    """Audio file of each system's mix, the human mix among them."""
    stems: Sequence[str | os.PathLike[str]]
    """The dry stems; their sum is the reference, and the excerpt is where all are active. They must
    be aligned with the mixes."""


@dataclass(frozen=True)
class StimulusExcerpt:
    """Where a song's stimuli are cut."""

    start_s: int
    """Where they begin, whole seconds."""
    seconds: float
    """How long they are."""


def find_excerpt(song: ListeningSong, config: ListeningConfig) -> StimulusExcerpt:
    """The stretch in which all stems are most active, or the whole of a shorter song."""
    files = {str(path): info(path) for path in [*song.mixes.values(), *song.stems]}
    for note in delay_notes({path: file.late_s for path, file in files.items()}):
        _log.warning("%s: %s", song.name, note)
    lengths = {path: file.duration_s for path, file in files.items()}
    shortest = min(lengths.values())
    if shortest < BLOCK_S:
        file = min(lengths, key=lambda file: lengths[file])
        raise FxNormError(f"{file}: lasts {shortest:.2f} s, too short to compare; replace the file")
    if max(lengths.values()) - shortest > 1.0:
        _log.warning(
            "%s: its files differ in length by %.1f s (shortest: %s); are they aligned?",
            song.name,
            max(lengths.values()) - shortest,
            min(lengths, key=lambda path: lengths[path]),
        )
    if shortest <= config.excerpt_s:
        _log.warning(
            "%s: used whole, %.1f s instead of %.1f s", song.name, shortest, config.excerpt_s
        )
        return StimulusExcerpt(0, math.floor(shortest * SAMPLE_RATE) / SAMPLE_RATE)
    start_s, activity_lufs = busiest_in_files(song.stems, shortest, config.excerpt_s)
    _log.info(
        "%s: excerpt from %d s, where its least active stem has %.1f LUFS",
        song.name,
        start_s,
        activity_lufs,
    )
    return StimulusExcerpt(start_s, config.excerpt_s)


def read_versions(
    song: ListeningSong, excerpt: StimulusExcerpt, config: ListeningConfig
) -> dict[str, np.ndarray]:
    """The excerpt of every system's mix and of the dry sum, (samples, 2) float32, faded."""
    samples = round(excerpt.seconds * SAMPLE_RATE)
    versions = {
        system: read_excerpt(path, excerpt.start_s, samples) for system, path in song.mixes.items()
    }
    versions[REFERENCE] = np.sum(
        [read_excerpt(path, excerpt.start_s, samples) for path in song.stems], axis=0
    )
    fade_samples = round(config.fade_ms * SAMPLE_RATE / 1000.0)
    return {system: fade(audio, fade_samples) for system, audio in versions.items()}


def match_versions(
    song: ListeningSong, versions: Mapping[str, np.ndarray], lufs: float, config: ListeningConfig
) -> LoudnessMatch:
    """Gains that bring a song's versions to one loudness."""
    return match_loudness(song.name, versions, target_lufs=lufs, ceiling_dbtp=config.ceiling_dbtp)


def dither(audio: np.ndarray, bits: int, rng: np.random.Generator) -> np.ndarray:
    """Add triangular noise of two steps' width, to be rounded to `bits` afterwards.

    With this density neither mean nor power of the rounding error depends on the signal
    (Lipshitz, Wannamaker & Vanderkooy 1992, JAES 40(5)).
    """
    step = 2.0 ** (1 - bits)
    noise = rng.random(audio.shape) - rng.random(audio.shape)
    return audio + step * noise


def write_stimulus(path: Path, audio: np.ndarray, bits: int, seed: int) -> tuple[float, float]:
    """Write a file, with dither if it has 16 bits.

    Returns:
        Integrated loudness in LUFS and true peak in dBTP of what was written.
    """
    if bits == 16:
        audio = dither(audio, bits, generator(seed, "dither", path.stem))
    write(path, audio, SAMPLE_RATE, subtype=f"PCM_{bits}")
    written, _ = read(path)
    return integrated_loudness(written, SAMPLE_RATE), true_peak_db(written)
