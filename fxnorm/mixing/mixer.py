"""From anybody's stems to a mix: normalise each stem, then let the network mix them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.mixing.network import apply_network, choose_device
from fxnorm.mixing.songs import sum_stems
from fxnorm.models import LoadedModel, load
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    ImpulseResponse,
    NormalizationConfig,
)
from fxnorm.seeds import derive_seed
from fxnorm.stems import SAMPLE_RATE, STEMS


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
    stems: Mapping[str, np.ndarray],
    sample_rate: int,
    model: "str | os.PathLike[str] | LoadedModel",
    *,
    seed: int = 0,
    device: str = "auto",
    effects: Sequence[str] | None = None,
    strengths: Mapping[str, float] | None = None,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
) -> Mix:
    """Like `mix`, with a report and with a choice of effects.

    Args:
        stems: see `mix`.
        sample_rate: see `mix`.
        model: see `mix`.
        seed: see `mix`.
        device: see `mix`.
        effects: effects of the normalisation; the default is what the network was trained with.
        strengths: fraction of each effect, 0 to 1; 1 where not named.
        impulse_responses: for the effect `reverb`.
        pre_impulse_responses: for the effect `prereverb`.

    Raises:
        FxNormError: see `mix`.
    """
    loaded = model if isinstance(model, LoadedModel) else load(model, choose_device(device))
    config = _adapt(loaded.config.normalization, effects, strengths)
    normalizer = FxNormalizer.from_config(
        loaded.features, config, impulse_responses, pre_impulse_responses
    )
    prepared = _prepare(stems, sample_rate)
    warm_up = round(loaded.config.warm_up_s * SAMPLE_RATE)
    normalized, reports = _normalize(prepared, normalizer, seed, warm_up)
    mixed = apply_network(normalized, loaded)[warm_up:]
    warnings = []
    if "reverb" in config.effects and not impulse_responses:
        warnings.append(
            "the network was trained on reverberated vocals and other; give impulse responses"
        )
    return _finish(mixed, stems, sample_rate, reports, warnings)


def sum_normalized(
    stems: Mapping[str, np.ndarray],
    sample_rate: int,
    features: DatasetFeatures,
    config: NormalizationConfig | None = None,
    *,
    seed: int = 0,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
) -> Mix:
    """The baseline: the plain sum of the normalised stems, with no network.

    Args:
        stems: see `mix`.
        sample_rate: see `mix`.
        features: what to normalise to.
        config: settings of the normalisation.
        seed: see `mix`.
        impulse_responses: for the effect `reverb`.
        pre_impulse_responses: for the effect `prereverb`.

    Raises:
        FxNormError: see `mix`.
    """
    normalizer = FxNormalizer.from_config(
        features, config or NormalizationConfig(), impulse_responses, pre_impulse_responses
    )
    normalized, reports = _normalize(_prepare(stems, sample_rate), normalizer, seed, 0)
    return _finish(sum_stems(normalized), stems, sample_rate, reports, [])


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


def _prepare(stems: Mapping[str, np.ndarray], sample_rate: int) -> dict[str, np.ndarray]:
    """Check the stems and bring them to (samples, 2) at 44.1 kHz, all of one length."""
    unknown = set(stems) - set(STEMS)
    if unknown:
        raise FxNormError(f"unknown stem '{min(unknown)}'; use {', '.join(STEMS)}")
    if not stems:
        raise FxNormError(f"no stems to mix; give at least one of {', '.join(STEMS)}")
    if sample_rate <= 0:
        raise FxNormError(f"sample rate {sample_rate} Hz: must be positive")
    prepared = {}
    for stem, samples in stems.items():
        stereo = np.asarray(audio.to_stereo(np.asarray(samples)), np.float32)
        if stereo.shape[0] == 0 or not np.isfinite(stereo).all():
            raise FxNormError(f"{stem}: the audio is empty or holds NaN or infinite samples")
        prepared[stem] = audio.resample(stereo, sample_rate, SAMPLE_RATE)
    if not any(stereo.any() for stereo in prepared.values()):
        raise FxNormError("all stems are silent; there is nothing to mix")
    longest = max(stereo.shape[0] for stereo in prepared.values())
    return {
        stem: audio.resample(prepared[stem], SAMPLE_RATE, SAMPLE_RATE, samples=longest)
        for stem in STEMS
        if stem in prepared
    }


def _normalize(
    stems: dict[str, np.ndarray], normalizer: FxNormalizer, seed: int, warm_up: int
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    normalized, reports = {}, {}
    for stem in list(stems):
        stereo = stems.pop(stem)
        if warm_up:
            # The stem's own end, repeated as often as needed, lets all effects settle.
            stereo = np.pad(stereo, ((warm_up, 0), (0, 0)), mode="wrap")
        result = normalizer(stereo, SAMPLE_RATE, stem, derive_seed(seed, "mix"))
        normalized[stem], reports[stem] = result.audio, result.report
    return normalized, reports


def _finish(
    mixed: np.ndarray,
    stems: Mapping[str, np.ndarray],
    sample_rate: int,
    reports: dict[str, dict[str, Any]],
    warnings: list[str],
) -> Mix:
    longest = max(np.shape(samples)[0] for samples in stems.values())
    output = audio.resample(mixed, SAMPLE_RATE, sample_rate, samples=longest)
    if not np.isfinite(output).all():
        raise FxNormError("the mix is not finite: the model's weights are damaged; train it again")
    peak = audio.peak(output)
    if peak == 0.0:
        warnings.append("the mix is silent")
    if peak > 1.0:
        output = output / peak
        warnings.append(f"lowered by {audio.db(peak):.1f} dB to stay within full scale")
    for stem, report in reports.items():
        if np.ndim(stems[stem]) == 1 or np.shape(stems[stem])[1] == 1:
            warnings.append(f"{stem}: mono, repeated on both channels")
        warnings += [f"{stem}: {message}" for message in report["warnings"]]
    if sample_rate != SAMPLE_RATE:
        warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
    return Mix(np.asarray(output, np.float32), sample_rate, reports, tuple(warnings))
