"""From given stems to normalised ones, for a network or the plain sum."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fxnorm import audio, scratch
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing.sources import (
    Source,
    coding_notes,
    length_notes,
    shared_notes,
    stamp_notes,
    start_notes,
)
from fxnorm.normalization import FxNormalizer, NormalizedStem
from fxnorm.seeds import derive_seed
from fxnorm.workers import in_threads

_MOST_AT_ONCE = 4
#: A stem is heard from this level on, in dB relative to its peak.
_AUDIBLE_DB = -60.0


@dataclass(frozen=True)
class PreparedStem:
    """A stem on its way to the mix, at 44.1 kHz."""

    type: str
    """Its stem type."""
    given: np.ndarray | None
    """The sum of its tracks, (warm_up + samples, 2) float32; None where it is not kept."""
    normalized: NormalizedStem
    """The same normalised."""
    notes: tuple[str, ...]
    """What to say of it."""
    start_s: float
    """When it begins to sound; infinite for a silent one."""


@dataclass(frozen=True)
class PreparedSong:
    """All stems on their way to the mix."""

    stems: list[PreparedStem]
    """In the order of the sources."""
    warm_up: int
    """Samples at 44.1 kHz before the song, in each of them."""
    sample_rate: int
    """Of the mix to be, in Hz."""
    samples: int
    """Of the mix to be."""
    notes: list[str]
    """What to say of it."""


def prepare_song(
    sources: Sequence[Source],
    normalizer: FxNormalizer,
    seed: int,
    *,
    warm_up: int = 0,
    keep_given: bool,
    on_stem: Callable[[], None] = lambda: None,
) -> PreparedSong:
    """Read and normalise the stems, as many at a time as there are cores.

    Args:
        sources: the given stems.
        normalizer: the chain.
        seed: of the random draws.
        warm_up: samples put before the song, of each stem's own end.
        keep_given: whether the stems as they were given are kept: a third of the disk of a mix.
        on_stem: called after each stem.

    Raises:
        FxNormError: a stem can't be read, or all are silent.
    """
    samples = max(source.samples for source in sources)

    def prepare(source: Source) -> PreparedStem:
        # Audio before the song lets all effects settle, as in the released recipe.
        given, notes = source.read(samples, warm_up)
        result = normalizer(given, SAMPLE_RATE, source.stem, derive_seed(seed, "mix"))
        notes += tuple(f"{source.stem}: {message}" for message in result.report["warnings"])
        start_s = _first_audible(given[warm_up:]) / SAMPLE_RATE
        return PreparedStem(source.stem, given if keep_given else None, result, notes, start_s)

    stems: list[PreparedStem] = []
    at_once = min(len(sources), os.cpu_count() or 1, _MOST_AT_ONCE)
    with in_threads(at_once) as pool:
        for stem in pool.map(prepare, sources):
            stems.append(stem)
            on_stem()
    starts_s = {stem.type: stem.start_s for stem in stems}
    if not any(math.isfinite(start) for start in starts_s.values()):
        names = [part.name for source in sources for part in source.parts]
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise FxNormError(f"{names[0]}{others}: all stems are silent; there is nothing to mix")
    notes = [
        *shared_notes(sources),
        *length_notes(sources),
        *stamp_notes(sources),
        *coding_notes(sources),
        *start_notes(starts_s, samples / SAMPLE_RATE),
        *(note for stem in stems for note in stem.notes),
    ]
    longest = max(source.samples_given for source in sources)
    return PreparedSong(stems, warm_up, sources[0].sample_rate, longest, notes)


def _first_audible(stereo: np.ndarray) -> float:
    """First sample that is heard; infinite where none is."""
    threshold = audio.peak(stereo) * audio.from_db(_AUDIBLE_DB)
    if threshold == 0.0:
        return math.inf
    for block in scratch.blocks(len(stereo)):
        heard = np.flatnonzero((np.abs(stereo[block]) >= threshold).any(axis=1))
        if heard.size:
            return float(block.start + heard[0])
    return math.inf
