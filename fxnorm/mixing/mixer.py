"""From anybody's stems to a mix: normalise each, then let the network mix them, or add them."""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import InstanceOf

from fxnorm.audio import weighted_sum
from fxnorm.configuration import Config, explained
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing.finishing import Finishing, Mix, Raw, finish
from fxnorm.mixing.preparation import prepare_song
from fxnorm.mixing.sources import open_stems
from fxnorm.mixing.tracks import Stems
from fxnorm.models import load_rooms, load_settings
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.models.mixer_config import NO_SHARES
from fxnorm.normalization import DatasetFeatures, FxNormalizer, ImpulseResponse, NormalizationConfig
from fxnorm.normalization.effect_table import find_effect
from fxnorm.workers import in_threads

if TYPE_CHECKING:
    from fxnorm.models import LoadedModel

#: How much of the time of a mix goes into normalisation, about.
_NORMALIZATION_SHARE = 0.2

_Responses = tuple[InstanceOf[ImpulseResponse], ...]


def mix(
    stems: Mapping[str, np.ndarray],
    sample_rate: int,
    model: "str | os.PathLike[str] | LoadedModel | None" = None,
    *,
    seed: int = 0,
    device: str = "auto",
) -> np.ndarray:
    """Mix stems with a trained network.

    Args:
        stems: by stem type (those of the model: mostly `vocals`, `bass`, `drums`, `other`; any may
            be missing), each (samples, 1 or 2) or (samples,), full scale = 1.
        sample_rate: of all stems, in Hz.
        model: folder of a model, or what `fxnorm.models.load` gave; None for the model that comes
            with the package.
        seed: of the random draws (none without impulse responses).
        device: "auto" (a GPU where there is one), "cpu", "cuda", ...

    Returns:
        (samples, 2) float32, as long as the longest stem, with a true peak of at most -1 dBTP.

    Raises:
        FxNormError: no stem, an unknown one, unusable audio, or an unusable model.
    """
    return mix_stems(stems, sample_rate, model, seed=seed, device=device, keep_stems=False).audio


def mix_stems(
    stems: Stems,
    sample_rate: int | None,
    model: "str | os.PathLike[str] | LoadedModel | None" = None,
    *,
    seed: int = 0,
    device: str = "auto",
    effects: Sequence[str] | None = None,
    strengths: Mapping[str, float] | None = None,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
    finishing: Finishing | None = None,
    keep_stems: bool = True,
    keep_trace: bool = False,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> Mix:
    """Like `mix`, with the stems of the mix, a report, a choice of effects, and from files as well.

    What is in between lies in temporary files where it is long: the memory needed hardly grows with
    the song.

    Args:
        stems: by stem type, arrays as for `mix`, paths of audio files, `Track`s with gain and pan,
            or lists of these, which are summed.
        sample_rate: of all arrays, and of the mix, in Hz; None for the highest of the files'.
        model: see `mix`.
        seed: see `mix`.
        device: see `mix`.
        effects: effects of the normalisation; the default is what the network was trained with.
        strengths: fraction of each effect that is applied, 0 to 1; 1 where not named. The default
            is what the network was trained with.
        impulse_responses: for the effect `reverb`; the default are the model's rooms.
        pre_impulse_responses: for the effect `prereverb`.
        finishing: balance of the stems, dry and wet, loudness and ceiling of the mix.
        keep_stems: give the stems of the mix, which takes the network longer. A Wave-U-Net has
            none: then there are no stems and a warning.
        keep_trace: give the stems before and after normalisation.
        on_progress: called with the fraction done, 0 to 1.

    Raises:
        FxNormError: see `mix`; a balance where the network has no stems of its mix; or strengths or
            impulse responses of an effect that is not applied.
    """
    given = _MixArguments(
        seed=seed,
        device=device,
        effects=effects,
        strengths=strengths,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
        finishing=finishing,
    )
    model = DEFAULT_MODEL if model is None else model
    if isinstance(model, str | os.PathLike):
        settings, features = load_settings(model)
        rooms = load_rooms(model)
    elif hasattr(model, "config") and hasattr(model, "features"):
        settings, features, rooms = model.config, model.features, model.rooms
    else:
        raise FxNormError(f"model {model!r}: give a model's folder, or a loaded model")
    finishing = given.finishing or Finishing()
    config = settings.normalization.adapted(given.effects, given.strengths)
    impulse_responses = given.impulse_responses or rooms
    _refuse_idle(given, config, has_rooms=bool(impulse_responses))
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=given.pre_impulse_responses,
    )
    sources = open_stems(stems, sample_rate, settings.stems)
    finishing.require([source.stem for source in sources])
    done = count(1)
    # torch takes a second to load: that goes on while stems are normalised.
    with in_threads(1) as pool:
        loading = pool.submit(_loaded, model, given.device)

        def on_stem() -> None:
            if loading.done():
                loading.result()  # What is wrong with the model ends the work at once.
            on_progress(_NORMALIZATION_SHARE * next(done) / len(sources))

        song = prepare_song(
            sources,
            normalizer,
            given.seed,
            warm_up=round(settings.warm_up_s * SAMPLE_RATE),
            keep_given=keep_trace or finishing.wet < 1.0,
            on_stem=on_stem,
        )
        loaded = loading.result()
    raw = _run(
        loaded,
        {stem.type: stem.normalized.audio for stem in song.stems},
        lambda part: on_progress(_NORMALIZATION_SHARE + (1.0 - _NORMALIZATION_SHARE) * part),
        by_stem=bool(finishing.balance_db) or (keep_stems and settings.has_shares),
    )
    if keep_stems and not raw.shares:
        song.notes.append(f"no stems of the mix: {NO_SHARES}")
    if config.needs("impulse_responses") and not impulse_responses:
        song.notes.insert(
            0, "the network was trained on reverberated stems; give impulse responses"
        )
    return finish(raw, song, finishing, keep_stems=keep_stems, keep_trace=keep_trace)


def sum_normalized(
    stems: Stems,
    sample_rate: int | None,
    features: DatasetFeatures,
    config: NormalizationConfig | None = None,
    *,
    seed: int = 0,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
    finishing: Finishing | None = None,
    keep_stems: bool = True,
    keep_trace: bool = False,
) -> Mix:
    """The baseline: the plain sum of the normalised stems, with no network.

    Arguments as for `mix_stems`, but with these in the place of a model.

    Args:
        features: what to normalise to.
        config: settings of the normalisation.

    Raises:
        FxNormError: see `mix`.
    """
    given = _MixArguments(
        seed=seed,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
        finishing=finishing,
    )
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=given.impulse_responses,
        pre_impulse_responses=given.pre_impulse_responses,
    )
    sources = open_stems(stems, sample_rate, features.stems)
    finishing = given.finishing or Finishing()
    finishing.require([source.stem for source in sources])
    keep_given = keep_trace or finishing.wet < 1.0
    song = prepare_song(sources, normalizer, given.seed, keep_given=keep_given)
    # What is done to the shares is not done to the trace.
    raw = Raw(shares={stem.type: weighted_sum((stem.normalized.audio, 1.0)) for stem in song.stems})
    return finish(raw, song, finishing, keep_stems=keep_stems, keep_trace=keep_trace)


class _MixArguments(Config):
    """What a caller in Python gives beside the stems, checked."""

    seed: int
    device: str = "auto"
    effects: tuple[str, ...] | None = None
    strengths: dict[str, float] | None = None
    impulse_responses: _Responses | None = None
    pre_impulse_responses: _Responses | None = None
    finishing: Finishing | None = None

    def __init__(self, **arguments: Any) -> None:
        with explained(arguments, "mix"):
            super().__init__(**arguments)


def _loaded(model: "str | os.PathLike[str] | LoadedModel", device: str) -> "LoadedModel":
    if not isinstance(model, str | os.PathLike):
        return model
    from fxnorm.mixing.inference import choose_device
    from fxnorm.models import load

    return load(model, choose_device(device))


def _run(
    model: "LoadedModel",
    normalized: Mapping[str, np.ndarray],
    on_progress: Callable[[float], None],
    *,
    by_stem: bool,
) -> Raw:
    from fxnorm.mixing.inference import apply_network, apply_network_by_stem

    if by_stem:
        return Raw(shares=apply_network_by_stem(normalized, model, on_progress=on_progress))
    return Raw(apply_network(normalized, model, on_progress=on_progress))


def _refuse_idle(given: _MixArguments, config: NormalizationConfig, *, has_rooms: bool) -> None:
    """Refuse strengths and impulse responses that would not be looked at."""
    there = {None, "impulse_responses" if has_rooms else None}
    for name in ("impulse_responses", "pre_impulse_responses"):
        if getattr(given, name):
            there.add(name)
            if not config.needs(name):
                raise FxNormError(
                    f"{name}: no effect that is applied ({', '.join(config.effects)}) uses them;"
                    " name it in effects, or leave them out"
                )
    applied = [name for name in config.effects if find_effect(name).impulse_responses in there]
    NormalizationConfig.parse({"effects": applied, "strengths": given.strengths or {}}, "mix")
