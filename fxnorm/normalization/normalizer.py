"""The chain of effects that takes a stem to the data set's averages."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from fxnorm.audio import db, from_db, peak_db, resample, to_stereo
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.effects.filters import apply_filter, high_shelf, low_shelf
from fxnorm.effects.reverb import convolve
from fxnorm.errors import FxNormError
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.impulse_responses import ImpulseResponse
from fxnorm.normalization.matching import loudness
from fxnorm.normalization.matching.compression import CompressedChannel, compress_channel
from fxnorm.normalization.matching.equalization import GATE_DB, equalize_channels
from fxnorm.normalization.matching.panning import pan_channels
from fxnorm.normalization.normalization_config import DEFAULT_EFFECTS, Effect, NormalizationConfig
from fxnorm.seeds import generator

#: Zeros put before and after a stem while it is processed, in samples.
PADDING = 65_536
#: Stem types that the reverbs act on.
REVERBERATED = ("vocals", "other")

_PREREVERB_WET = 0.5
_SEND_SHELF_DB = -30.0
_SEND_LOW_HZ = (500.0, 700.0)
_SEND_HIGH_HZ = (7_000.0, 10_000.0)
_CHANNEL_NAMES = ("left", "right")


@dataclass(frozen=True)
class NormalizedStem:
    """A normalised stem.

    Attributes:
        audio: (samples, 2) float32 at the input's sample rate, as long as the input.
        report: what was done, of plain JSON types: `stem`, `input` (peak_db, loudness_lufs,
            channels, sample_rate), `passed_through`, `effects` (by name, only those applied),
            `output` (as input) and `warnings`. Levels of silence are None.
    """

    audio: np.ndarray
    report: dict[str, Any]


class FxNormalizer:
    """Applies the effects to stems of one data set; holds no state between calls."""

    def __init__(
        self,
        features: DatasetFeatures,
        *,
        effects: Iterable[Effect] = DEFAULT_EFFECTS,
        impulse_responses: Sequence[ImpulseResponse] | None = None,
        pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
        released_quirks: bool = False,
        strengths: Mapping[Effect, float] | None = None,
        eq_max_boost_db: float = 24.0,
        panning_max_gain_db: float = 24.0,
        expansion: bool = False,
        exhaustive: bool = False,
    ) -> None:
        """Set up the chain; see `NormalizationConfig` for the settings.

        Args:
            features: the averages to normalise to.
            effects: effects to apply, in the chain's own order whatever the order given.
            impulse_responses: the set for `reverb`; without it that effect is not applied.
            pre_impulse_responses: the set for `prereverb`, likewise.
            released_quirks: reproduce the released code's departures from its method.
            strengths: fraction of each effect's change, 0 (untouched) to 1 (full, the default).
            eq_max_boost_db: limit of the equaliser's gain.
            panning_max_gain_db: limit of re-panning's gain.
            expansion: expand channels upwards whose peaks lie below the reference.
            exhaustive: try compressor settings one by one.

        Raises:
            FxNormError: an unknown effect, or a strength outside 0 to 1.
        """
        settings = {
            "effects": tuple(effects),
            "released_quirks": released_quirks,
            "strengths": dict(strengths or {}),
            "eq_max_boost_db": eq_max_boost_db,
            "panning_max_gain_db": panning_max_gain_db,
            "expansion": expansion,
            "exhaustive": exhaustive,
        }
        self.config = NormalizationConfig.parse(settings, "FxNormalizer")
        self.features = features
        self._responses = tuple(impulse_responses or ())
        self._pre_responses = tuple(pre_impulse_responses or ())

    @classmethod
    def from_config(
        cls,
        features: DatasetFeatures,
        config: NormalizationConfig,
        impulse_responses: Sequence[ImpulseResponse] | None = None,
        pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
    ) -> Self:
        """Set up the chain that a configuration describes."""
        return cls(
            features,
            impulse_responses=impulse_responses,
            pre_impulse_responses=pre_impulse_responses,
            **config.model_dump(),
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

        Raises:
            FxNormError: a stem type without features, no samples, more than two channels, or
                samples that are not finite.
        """
        if stem not in self.features.stems:
            known = ", ".join(self.features.stems)
            raise FxNormError(f"the features have no stem type '{stem}'; use one of {known}")
        stereo = np.asarray(to_stereo(audio), np.float32)
        if stereo.shape[0] == 0 or not np.isfinite(stereo).all():
            raise FxNormError(f"{stem}: the audio is empty or holds NaN or infinite samples")
        measured = _levels(stereo, sample_rate)
        run = _Run(self, stem, seed)
        if audio.ndim == 1 or audio.shape[1] == 1:
            run.warnings.append("mono: both channels carry the same signal")
        if measured["peak_db"] is None or measured["peak_db"] <= GATE_DB:
            run.warnings.append(f"silent or below {GATE_DB:g} dBFS: passed through unchanged")
            output, passed = stereo, True
        else:
            output, passed = self._process(stereo, sample_rate, run), False
        report = {
            "stem": stem,
            "sample_rate": sample_rate,
            "channels": 1 if audio.ndim == 1 else int(audio.shape[1]),
            "input": measured,
            "passed_through": passed,
            "effects": run.report,
            "output": measured if passed else _levels(output, sample_rate),
            "warnings": run.warnings,
        }
        return NormalizedStem(output, report)

    def _process(self, stereo: np.ndarray, sample_rate: int, run: "_Run") -> np.ndarray:
        if sample_rate != SAMPLE_RATE:
            run.warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
        internal = resample(stereo, sample_rate, SAMPLE_RATE)
        channels = pad(internal)
        for effect in self.config.effects:
            channels = run.apply(effect, channels)
        return resample(unpad(channels), SAMPLE_RATE, sample_rate, samples=stereo.shape[0])


def pad(stereo: np.ndarray) -> np.ndarray:
    """(samples, 2) as the chain works on it: (2, samples + 131,072), zeros at both ends."""
    channels = np.zeros((2, stereo.shape[0] + 2 * PADDING), np.float32)
    channels[:, PADDING:-PADDING] = stereo.T
    return channels


def unpad(channels: np.ndarray) -> np.ndarray:
    """Inverse of `pad`."""
    return np.ascontiguousarray(channels[:, PADDING:-PADDING].T)


class _Run:
    """One stem on its way through the chain: the effects, and notes of what they did."""

    def __init__(self, normalizer: FxNormalizer, stem: str, seed: int) -> None:
        self._normalizer = normalizer
        self._config = normalizer.config
        self._features = normalizer.features
        self._stem = stem
        self._seed = seed
        self.report: dict[str, Any] = {}
        self.warnings: list[str] = []

    def apply(self, effect: Effect, channels: np.ndarray) -> np.ndarray:
        """Apply one effect to (2, samples) float32."""
        strength = self._config.strengths.get(effect, 1.0)
        if strength == 0.0:
            return channels
        functions: dict[Effect, Callable[[np.ndarray, float], np.ndarray]] = {
            "prereverb": self._prereverb,
            "reverb": self._reverb,
            "eq": self._equalize,
            "compression": self._compress,
            "panning": self._pan,
            "loudness": self._level,
        }
        return functions[effect](channels, strength)

    def _prereverb(self, channels: np.ndarray, strength: float) -> np.ndarray:
        responses = self._normalizer._pre_responses
        if self._stem not in REVERBERATED or not responses:
            return channels
        draws = generator(self._seed, self._stem, "prereverb")
        response = responses[int(draws.integers(len(responses)))]
        if self._config.released_quirks:
            # The released chain's probabilities are exchanged: always the shelves, never the room.
            filtered = self._shelves(channels, draws)
            self.report["prereverb"] = {"impulse_response": None, "shelves_in_series": True}
            return (1.0 - strength) * channels + strength * filtered
        self.report["prereverb"] = {"impulse_response": response.name}
        wet = np.float32(_PREREVERB_WET * strength)
        room = convolve(channels.T, response.samples, draws).T
        return np.ascontiguousarray((1 - wet) * channels + wet * room)

    def _reverb(self, channels: np.ndarray, strength: float) -> np.ndarray:
        responses = self._normalizer._responses
        if self._stem not in REVERBERATED or not responses:
            return channels
        draws = generator(self._seed, self._stem, "reverb")
        response = responses[int(draws.integers(len(responses)))]
        self.report["reverb"] = {"impulse_response": response.name}
        room = convolve(self._shelves(channels, draws).T, response.samples, draws).T
        return np.ascontiguousarray(channels + np.float32(strength) * room)

    def _shelves(self, channels: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        low_hz, high_hz = draws.uniform(*_SEND_LOW_HZ), draws.uniform(*_SEND_HIGH_HZ)
        sections = np.concatenate(
            [
                low_shelf(low_hz, _SEND_SHELF_DB, SAMPLE_RATE),
                high_shelf(high_hz, _SEND_SHELF_DB, SAMPLE_RATE),
            ]
        )
        return apply_filter(sections, channels.T).T

    def _equalize(self, channels: np.ndarray, strength: float) -> np.ndarray:
        limit = None if self._config.released_quirks else self._config.eq_max_boost_db
        results = equalize_channels(channels, self._features.eq[self._stem], limit, strength)
        self.report["eq"] = {
            name: {"level_gain_db": r.level_gain_db, "largest_boost_db": r.largest_boost_db}
            for name, r in zip(_CHANNEL_NAMES, results, strict=True)
        }
        return np.stack([r.samples for r in results])

    def _compress(self, channels: np.ndarray, strength: float) -> np.ndarray:
        results = [
            compress_channel(
                channel,
                SAMPLE_RATE,
                self._stem,
                self._features.compression[self._stem],
                expansion=self._config.expansion,
                exhaustive=self._config.exhaustive,
                strength=strength,
            )
            for channel in channels
        ]
        self.report["compression"] = {
            name: self._compression_report(name, r)
            for name, r in zip(_CHANNEL_NAMES, results, strict=True)
        }
        return np.stack([r.samples for r in results])

    def _compression_report(self, name: str, result: CompressedChannel) -> dict[str, Any]:
        if result.branch == "no_onsets":
            self.warnings.append(f"compression: the {name} channel has no onsets; left alone")
        if not result.reached:
            self.warnings.append(
                f"compression: no setting brings the {name} channel to the reference; took"
                f" ratio {result.ratio:g}, threshold {result.threshold_db:g} dB"
            )
        return {
            "branch": result.branch,
            "threshold_db": result.threshold_db,
            "ratio": result.ratio,
            "trials": result.trials,
            "input_peaks_db": None if result.input_peaks is None else result.input_peaks[0],
            "output_peaks_db": result.output_mean_db,
        }

    def _pan(self, channels: np.ndarray, strength: float) -> np.ndarray:
        repanned, side = pan_channels(
            channels,
            self._stem,
            self._features.panning[self._stem],
            released_quirks=self._config.released_quirks,
            max_gain_db=self._config.panning_max_gain_db,
            strength=strength,
        )
        self.report["panning"] = {"side": {1: "right", -1: "left", 0: "none"}[side]}
        return repanned

    def _level(self, channels: np.ndarray, strength: float) -> np.ndarray:
        target_lufs = self._features.loudness[self._stem]
        measured_lufs = loudness.measure(channels.T, SAMPLE_RATE)
        if not math.isfinite(measured_lufs):
            self.warnings.append("loudness: none measurable; left unchanged")
            return channels
        gain = loudness.loudness_gain(channels, measured_lufs, target_lufs)
        if gain < 0.999 * from_db(target_lufs - measured_lufs):
            self.warnings.append("loudness: below the reference, to stay under full scale")
        gain **= strength
        self.report["loudness"] = {
            "target_lufs": target_lufs,
            "measured_lufs": measured_lufs,
            "gain_db": float(db(gain)),
        }
        return channels * np.float32(gain)


def _levels(stereo: np.ndarray, sample_rate: int) -> dict[str, float | None]:
    """Peak and loudness, None for silence, as JSON knows no infinity."""
    lufs = loudness.measure(stereo, sample_rate)
    return {
        "peak_db": peak_db(stereo) if stereo.any() else None,
        "loudness_lufs": lufs if math.isfinite(lufs) else None,
    }
