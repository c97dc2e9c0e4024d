"""From anybody's stems to a mix: normalise each stem, then let the network mix them."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing.inference import apply_network, choose_device
from fxnorm.mixing.sources import Source, Stems, common_rate, open_stems
from fxnorm.models import LoadedModel, load
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    ImpulseResponse,
    NormalizationConfig,
)
from fxnorm.seeds import derive_seed

#: How much of the time of a mix goes into normalisation, about.
_NORMALIZATION_SHARE = 0.2


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


def mix(
    stems: Mapping[str, np.ndarray],
    sample_rate: int,
    model: "str | os.PathLike[str] | LoadedModel",
    *,
    seed: int = 0,
    device: str = "auto",
) -> np.ndarray:
    """Mix stems with a trained network.

    Args:
        stems: by stem type (`vocals`, `bass`, `drums`, `other`; any may be missing), each
            (samples, 1 or 2) or (samples,), full scale = 1.
        sample_rate: of all stems, in Hz.
        model: folder of a model, or what `fxnorm.models.load` gave.
        seed: of the random draws (none without impulse responses).
        device: "auto" (a GPU where there is one), "cpu", "cuda", ...

    Returns:
        (samples, 2) float32 within [-1, 1], as long as the longest stem.

    Raises:
        FxNormError: no stem, an unknown one, unusable audio, or an unusable model.
    """
    return mix_stems(stems, sample_rate, model, seed=seed, device=device).audio


def mix_stems(
    stems: Stems,
    sample_rate: int | None,
    model: "str | os.PathLike[str] | LoadedModel",
    *,
    seed: int = 0,
    device: str = "auto",
    effects: Sequence[str] | None = None,
    strengths: Mapping[str, float] | None = None,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> Mix:
    """Like `mix`, with a report, a choice of effects, and from files as well as from arrays.

    Stems are read and normalised one after the other, and wait for the network on disk: the memory
    needed is that of one stem's normalisation, whatever their number.

    Args:
        stems: by stem type, arrays as for `mix` or paths of audio files.
        sample_rate: of all arrays, and of the mix, in Hz; None for the highest of the files'.
        model: see `mix`.
        seed: see `mix`.
        device: see `mix`.
        effects: effects of the normalisation; the default is what the network was trained with.
        strengths: fraction of each effect, 0 to 1; 1 where not named.
        impulse_responses: for the effect `reverb`.
        pre_impulse_responses: for the effect `prereverb`.
        on_progress: called with the fraction done, 0 to 1.

    Raises:
        FxNormError: see `mix`.
    """
    loaded = model if isinstance(model, LoadedModel) else load(model, choose_device(device))
    config = _adapt(loaded.config.normalization, effects, strengths)
    normalizer = FxNormalizer(
        loaded.features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
    )
    sample_rate = common_rate(stems, sample_rate)
    sources = open_stems(stems, sample_rate)
    warm_up = round(loaded.config.warm_up_s * SAMPLE_RATE)
    with tempfile.TemporaryDirectory(prefix="fxnorm-") as folder:
        normalized, reports = {}, {}
        for stem, samples, report in _normalize(sources, normalizer, seed, warm_up):
            normalized[stem] = Path(folder) / f"{stem}.wav"
            audio.write(normalized[stem], samples, SAMPLE_RATE, "FLOAT")
            reports[stem] = report
            on_progress(_NORMALIZATION_SHARE * len(normalized) / len(sources))
        mixed = apply_network(
            normalized,
            loaded,
            on_progress=lambda done: on_progress(
                _NORMALIZATION_SHARE + (1.0 - _NORMALIZATION_SHARE) * done
            ),
        )[warm_up:]
    warnings = []
    if "reverb" in config.effects and not impulse_responses:
        warnings.append(
            "the network was trained on reverberated vocals and other; give impulse responses"
        )
    return _finish(mixed, sources, sample_rate, reports, warnings)


def sum_normalized(
    stems: Stems,
    sample_rate: int | None,
    features: DatasetFeatures,
    config: NormalizationConfig | None = None,
    *,
    seed: int = 0,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
) -> Mix:
    """The baseline: the plain sum of the normalised stems, with no network.

    Args:
        stems: see `mix_stems`.
        sample_rate: see `mix_stems`.
        features: what to normalise to.
        config: settings of the normalisation.
        seed: see `mix`.
        impulse_responses: for the effect `reverb`.
        pre_impulse_responses: for the effect `prereverb`.

    Raises:
        FxNormError: see `mix`.
    """
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
    )
    sample_rate = common_rate(stems, sample_rate)
    sources = open_stems(stems, sample_rate)
    mixed = np.zeros((max(source.samples for source in sources), 2), np.float32)
    reports = {}
    for stem, samples, report in _normalize(sources, normalizer, seed, warm_up=0):
        mixed += samples
        reports[stem] = report
    return _finish(mixed, sources, sample_rate, reports, [])


def _adapt(
    config: NormalizationConfig,
    effects: Sequence[str] | None,
    strengths: Mapping[str, float] | None,
) -> NormalizationConfig:
    changes: dict[str, Any] = {}
    if effects is not None:
        changes["effects"] = tuple(effects)
    if strengths:
        changes["strengths"] = dict(strengths)
    return NormalizationConfig.parse(config.model_dump() | changes, "normalisation")


def _normalize(
    sources: Sequence[Source], normalizer: FxNormalizer, seed: int, warm_up: int
) -> Iterator[tuple[str, np.ndarray, dict[str, Any]]]:
    """Stem type, normalised audio (warm_up + samples, 2) and report, one after the other."""
    samples = max(source.samples for source in sources)
    audible = False
    for source in sources:
        # Audio before the song lets all effects settle, as in the released recipe.
        stereo = source.read(samples, warm_up)
        audible = audible or bool(stereo.any())
        if not audible and source is sources[-1]:
            raise FxNormError("all stems are silent; there is nothing to mix")
        result = normalizer(stereo, SAMPLE_RATE, source.stem, derive_seed(seed, "mix"))
        yield source.stem, result.audio, result.report


def _finish(
    mixed: np.ndarray,
    sources: Sequence[Source],
    sample_rate: int,
    reports: dict[str, dict[str, Any]],
    warnings: list[str],
) -> Mix:
    longest = max(source.samples_given for source in sources)
    output = audio.resample(mixed, SAMPLE_RATE, sample_rate, samples=longest)
    if not np.isfinite(output).all():
        raise FxNormError("the mix is not finite: the model's weights are damaged; train it again")
    peak = audio.peak(output)
    if peak == 0.0:
        warnings.append("the mix is silent")
    if peak > 1.0:
        output = output / peak
        warnings.append(f"lowered by {audio.db(peak):.1f} dB to stay within full scale")
    for source in sources:
        warnings += source.notes
        warnings += [f"{source.stem}: {message}" for message in reports[source.stem]["warnings"]]
    if sample_rate != SAMPLE_RATE:
        warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
    return Mix(np.asarray(output, np.float32), sample_rate, reports, tuple(warnings))
