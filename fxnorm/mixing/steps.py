"""What mixing with a network and the plain sum share: normalising the stems, finishing the mix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing.sources import Source
from fxnorm.normalization import FxNormalizer
from fxnorm.seeds import derive_seed


@dataclass(frozen=True)
class Mix:
    """A mix and how it came about.

    Attributes:
        audio: (samples, 2) float32 within [-1, 1], as long as the longest stem.
        sample_rate: of the stems, in Hz.
        stems: report of each given stem's normalisation (see `NormalizedStem`).
        warnings: what a user should know about the result.
    """

    audio: np.ndarray
    sample_rate: int
    stems: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class NormalizedSource:
    """A stem on its way to the mix: (warm_up + samples, 2) float32, and what to say of it."""

    type: str
    audio: np.ndarray
    report: dict[str, Any]
    notes: tuple[str, ...]


def normalize_sources(
    sources: Sequence[Source], normalizer: FxNormalizer, seed: int, warm_up: int
) -> Iterator[NormalizedSource]:
    """The normalised stems, one after the other.

    Args:
        sources: the given stems.
        normalizer: the chain.
        seed: of the random draws.
        warm_up: samples put before the song, of each stem's own end.

    Raises:
        FxNormError: a stem can't be read, or all are silent.
    """
    samples = max(source.samples for source in sources)
    audible = False
    for source in sources:
        # Audio before the song lets all effects settle, as in the released recipe.
        stereo, notes = source.read(samples, warm_up)
        audible = audible or bool(stereo.any())
        if not audible and source is sources[-1]:
            raise FxNormError("all stems are silent; there is nothing to mix")
        result = normalizer(stereo, SAMPLE_RATE, source.stem, derive_seed(seed, "mix"))
        notes += tuple(f"{source.stem}: {message}" for message in result.report["warnings"])
        yield NormalizedSource(source.stem, result.audio, result.report, notes)


def finish(
    mixed: np.ndarray,
    sources: Sequence[Source],
    sample_rate: int,
    reports: dict[str, dict[str, Any]],
    notes: Sequence[str],
) -> Mix:
    """Bring a mix at 44.1 kHz to the stems' rate and length and keep it within full scale.

    Args:
        mixed: (samples, 2).
        sources: the given stems.
        sample_rate: of the mix to be, in Hz.
        reports: of the stems' normalisation.
        notes: warnings so far.

    Raises:
        FxNormError: the mix is not finite.
    """
    longest = max(source.samples_given for source in sources)
    output = audio.resample(mixed, SAMPLE_RATE, sample_rate, samples=longest)
    if not np.isfinite(output).all():
        raise FxNormError("the mix is not finite: the model's weights are damaged; train it again")
    peak, warnings = audio.peak(output), list(notes)
    if peak == 0.0:
        warnings.append("the mix is silent")
    if peak > 1.0:
        output = output / peak
        warnings.append(f"lowered by {audio.db(peak):.1f} dB to stay within full scale")
    if sample_rate != SAMPLE_RATE:
        warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
    return Mix(np.asarray(output, np.float32), sample_rate, reports, tuple(warnings))
