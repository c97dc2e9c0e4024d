"""From anybody's stems to a mix: normalise each stem, then let the network mix them."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.mixing.inference import apply_network, choose_device
from fxnorm.mixing.sources import Stems, common_rate, open_stems
from fxnorm.mixing.steps import Mix, finish, normalize_sources
from fxnorm.models import LoadedModel, load
from fxnorm.normalization import (
    FxNormalizer,
    ImpulseResponse,
    NormalizationConfig,
)

#: How much of the time of a mix goes into normalisation, about.
_NORMALIZATION_SHARE = 0.2


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
        stems: by stem type (those of the model: mostly `vocals`, `bass`, `drums`, `other`; any may
            be missing), each (samples, 1 or 2) or (samples,), full scale = 1.
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
        impulse_responses: for the effect `reverb`; the default are the model's rooms.
        pre_impulse_responses: for the effect `prereverb`.
        on_progress: called with the fraction done, 0 to 1.

    Raises:
        FxNormError: see `mix`.
    """
    loaded = model if isinstance(model, LoadedModel) else load(model, choose_device(device))
    config = _adapt(loaded.config.normalization, effects, strengths)
    impulse_responses = impulse_responses or loaded.rooms
    normalizer = FxNormalizer(
        loaded.features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
    )
    sample_rate = common_rate(stems, sample_rate)
    sources = open_stems(stems, sample_rate, loaded.config.stems)
    warm_up = round(loaded.config.warm_up_s * SAMPLE_RATE)
    with tempfile.TemporaryDirectory(prefix="fxnorm-") as folder:
        normalized, reports = {}, {}
        notes: list[str] = []
        for stem in normalize_sources(sources, normalizer, seed, warm_up):
            normalized[stem.type] = Path(folder) / f"{stem.type}.wav"
            audio.write(normalized[stem.type], stem.audio, SAMPLE_RATE, "FLOAT")
            reports[stem.type] = stem.report
            notes += stem.notes
            on_progress(_NORMALIZATION_SHARE * len(normalized) / len(sources))
        mixed = apply_network(
            normalized,
            loaded,
            on_progress=lambda done: on_progress(
                _NORMALIZATION_SHARE + (1.0 - _NORMALIZATION_SHARE) * done
            ),
        )[warm_up:]
    if "reverb" in config.effects and not impulse_responses:
        notes.insert(0, "the network was trained on reverberated stems; give impulse responses")
    return finish(mixed, sources, sample_rate, reports, notes)


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
