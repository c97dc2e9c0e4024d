"""The chain of effects that takes a stem to the data set's averages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fxnorm import scratch
from fxnorm.audio import (
    checked_rate,
    from_db,
    is_finite,
    offsets,
    peak,
    peak_db,
    resample,
    to_stereo,
    weighted_sum,
    without_offsets,
)
from fxnorm.conventions import GATE_DB, PADDING, SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.effect_table import find_effect
from fxnorm.normalization.impulse_responses import ImpulseResponse
from fxnorm.normalization.matching import loudness
from fxnorm.normalization.matching.effect import Context, Outcome
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.seeds import generator

#: Range around the gate in which a stem fades from untouched to normalised, in dB.
_FADE_DB = 2.0
#: A stem whose peak is lower may hold nothing but noise or what other microphones caught, which is
#: worth a warning if it is lifted by so much.
_NOISE_DB, _LIFT_DB = -40.0, 3.0


@dataclass(frozen=True)
class NormalizedStem:
    """A normalised stem."""

    audio: np.ndarray
    """(samples, 2) float32 at the input's sample rate, as long as the input."""
    report: dict[str, Any]
    """What was done, of plain JSON types: `stem`, `input` (peak_db, loudness_lufs, channels,
    sample_rate), `passed_through`, `effects` (by name, only those applied), `output` (as input) and
    `warnings`. Levels of silence are None."""
    curves: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    """Effect → channel → its gain in dB over frequency, as the effect has it."""


class FxNormalizer:
    """Applies the effects to stems of one data set; holds no state between calls."""

    def __init__(
        self,
        features: DatasetFeatures,
        config: NormalizationConfig | None = None,
        *,
        impulse_responses: Sequence[ImpulseResponse] | None = None,
        pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
    ) -> None:
        """Set up the chain.

        Args:
            features: the averages to normalise to.
            config: which effects to apply, and how; the default is `NormalizationConfig()`.
            impulse_responses: the set for `reverb`; without it that effect is not applied.
            pre_impulse_responses: the set for `prereverb`, likewise.

        Raises:
            FxNormError: an effect to apply whose feature `features` does not have.
        """
        self.config = config or NormalizationConfig()
        self.features = features
        self._responses = {
            "impulse_responses": tuple(impulse_responses or ()),
            "pre_impulse_responses": tuple(pre_impulse_responses or ()),
        }
        for name in self.config.effects:
            if find_effect(name).feature is not None and name not in features.references:
                raise FxNormError(
                    f"the features have no '{name}'; measure them again, or leave that effect out"
                )

    def __call__(
        self, audio: np.ndarray, sample_rate: int, stem: str, seed: int = 0
    ) -> NormalizedStem:
        """Normalise one stem.

        Args:
            audio: (samples, 1 or 2) or (samples,); mono is repeated.
            sample_rate: in Hz; other than 44,100 Hz is resampled there and back.
            stem: stem type.
            seed: of the random draws (reverbs only), distinct per song.

        A DC offset is removed. Between -51 and -49 dBFS of peak the stem fades from untouched to
        normalised; with `released_quirks` neither is done, and the border is at -50.

        Raises:
            FxNormError: a stem type without features, no samples, more than two channels, or
                samples that are not finite.
        """
        if stem not in self.features.stems:
            known = ", ".join(self.features.stems)
            raise FxNormError(f"the features have no stem type '{stem}'; use one of {known}")
        stereo = _checked_stem(audio, sample_rate, stem)
        warnings = []
        offset = offsets(stereo)
        if offset.any() and not self.config.released_quirks:
            warnings.append(f"a DC offset of {offset[np.abs(offset).argmax()]:+.3f} was removed")
            stereo = without_offsets(stereo, offset)
        measured = _reported_levels(stereo, sample_rate)
        if audio.ndim == 1 or audio.shape[1] == 1:
            warnings.append("mono: both channels carry the same signal")
        share = self._normalized_share(measured["peak_db"])
        passed = share == 0.0
        effects: dict[str, Any] = {}
        curves: dict[str, dict[str, np.ndarray]] = {}
        output = stereo
        if passed:
            warnings.append(f"silent or below {GATE_DB:g} dBFS: passed through unchanged")
        else:
            # Within the fade, above the gates of the effects; nothing else depends on the level.
            lifted = stereo if share == 1.0 else weighted_sum((stereo, from_db(_FADE_DB)))
            if sample_rate != SAMPLE_RATE:
                warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
            channels = pad(resample(lifted, sample_rate, SAMPLE_RATE))
            for name in self.config.effects:
                outcome = self.apply(name, channels, stem, seed)
                channels = outcome.channels
                warnings += [f"{name}: {text}" for text in outcome.warnings]
                if outcome.report is not None:
                    effects[name] = outcome.report
                if outcome.curves:
                    curves[name] = dict(outcome.curves)
            output = resample(unpad(channels), SAMPLE_RATE, sample_rate, samples=stereo.shape[0])
            if share < 1.0:
                output = _faded(stereo, output, share)
                warnings.append(
                    f"peaks at {measured['peak_db']:.1f} dBFS, near the gate of {GATE_DB:g}: the"
                    f" effects are faded, to {share:.0%}"
                )
        report = {
            "stem": stem,
            "sample_rate": sample_rate,
            "channels": 1 if audio.ndim == 1 else int(audio.shape[1]),
            "input": measured,
            "passed_through": passed,
            "effects": effects,
            "output": measured if passed else _reported_levels(output, sample_rate),
            "warnings": [*warnings, *_noise_warning(measured["peak_db"], output, passed)],
        }
        return NormalizedStem(output, report, curves)

    def _normalized_share(self, peak_db: float | None) -> float:
        """How much of a stem of this peak is normalised, in dB of the change."""
        if peak_db is None:
            return 0.0
        if self.config.released_quirks:
            return float(peak_db > GATE_DB)
        return min(1.0, max(0.0, (peak_db - GATE_DB + 0.5 * _FADE_DB) / _FADE_DB))

    def apply(self, name: str, channels: np.ndarray, stem: str, seed: int = 0) -> Outcome:
        """Apply one effect of the chain to a stem on its way.

        Args:
            name: of the effect.
            channels: (2, samples) float32 at 44.1 kHz, from `pad`.
            stem: stem type.
            seed: see `__call__`.
        """
        effect = find_effect(name)
        strength = self.config.strengths.get(name, 1.0)
        responses = self._responses.get(effect.impulse_responses or "", ())
        if strength == 0.0 or (effect.impulse_responses is not None and not responses):
            return Outcome(channels, None)
        context = Context(
            self.config.stem_type(stem),
            self.config,
            generator(seed, stem, name),
            self.features.references[name][stem] if effect.feature is not None else np.empty(0),
            strength,
            responses,
        )
        return effect.apply(channels, context)


def pad(stereo: np.ndarray) -> np.ndarray:
    """(samples, 2) as the chain works on it: (2, samples + 131,072), zeros at both ends."""
    samples = stereo.shape[0]
    channels = scratch.empty((2, samples + 2 * PADDING))
    channels[:, :PADDING] = 0.0
    channels[:, PADDING + samples :] = 0.0
    for block in scratch.blocks(samples):
        channels[:, PADDING + block.start : PADDING + block.stop] = stereo[block].T
    return channels


def unpad(channels: np.ndarray) -> np.ndarray:
    """Inverse of `pad`."""
    own = channels[:, PADDING:-PADDING]
    stereo = scratch.empty((own.shape[1], 2))
    for block in scratch.blocks(own.shape[1]):
        # Channel by channel: numpy would go from one to the other at every sample.
        for channel in range(2):
            stereo[block, channel] = own[channel, block]
    return stereo


def _checked_stem(audio: Any, sample_rate: Any, stem: str) -> np.ndarray:
    """The audio as (samples, 2) float32."""
    if not isinstance(audio, np.ndarray) or audio.ndim not in (1, 2) or audio.dtype.kind != "f":
        raise FxNormError(
            f"{stem}: no audio; give an array of floating point, (samples, channels) or (samples,)"
        )
    try:
        checked_rate(sample_rate)
        stereo = np.asarray(to_stereo(audio), np.float32)
    except FxNormError as error:
        raise FxNormError(f"{stem}: {error}") from error
    if stereo.shape[0] == 0 or not is_finite(stereo):
        raise FxNormError(f"{stem}: the audio is empty or holds NaN or infinite samples")
    return stereo


def _faded(stereo: np.ndarray, normalized: np.ndarray, share: float) -> np.ndarray:
    """Between a stem and the same normalised; the peak's level goes evenly over."""
    lift_db = peak_db(normalized) - peak_db(stereo)
    weight = share * from_db((share - 1.0) * lift_db)
    return weighted_sum((normalized, weight), (stereo, 1.0 - share))


def _noise_warning(given_db: float | None, output: np.ndarray, passed: bool) -> list[str]:
    if passed or given_db is None or given_db >= _NOISE_DB:
        return []
    lift_db = peak_db(output) - given_db
    if lift_db < _LIFT_DB:
        return []
    return [
        f"peaks at {given_db:.1f} dBFS and is lifted by {lift_db:.0f} dB: check that it"
        " is no noise or bleed"
    ]


def _reported_levels(stereo: np.ndarray, sample_rate: int) -> dict[str, float | None]:
    """Peak and loudness, None for silence, as JSON knows no infinity."""
    lufs = loudness.measure(stereo, sample_rate)
    return {
        "peak_db": None if peak(stereo) == 0.0 else peak_db(stereo),
        "loudness_lufs": lufs if math.isfinite(lufs) else None,
    }
