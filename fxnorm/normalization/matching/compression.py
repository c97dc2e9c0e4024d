"""Matching the level of a stem's strongest peaks to the data set's by compression."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fxnorm import scratch
from fxnorm.audio import db, from_db, peak
from fxnorm.compiling import compiled
from fxnorm.conventions import GATE_DB, SAMPLE_RATE
from fxnorm.effects.compressor import compress_levels, level_db, slope, smoothing
from fxnorm.normalization.matching.checks import require_finite
from fxnorm.normalization.matching.effect import CHANNEL_NAMES, Context, Effect, Feature, Outcome
from fxnorm.normalization.matching.onsets import (
    PERCENTILE,
    detect_onsets,
    mean_peak,
    peak_statistics,
    segment_peaks_db,
)
from fxnorm.normalization.matching.rows import stacked, times
from fxnorm.normalization.matching.search import first_success
from fxnorm.stems import LARGEST_RATIO, StemType, default_stem_type

#: Peak level to which a channel is brought before its peaks are compared.
PEAK_DB = -10.0

_FORECAST_STEP = 8
_COMPRESSION_THRESHOLDS_DB = np.arange(-10.0, -40.5, -0.5)
_EXPANSION_THRESHOLDS_DB = np.arange(-40.0, -0.5, 0.5)


@dataclass(frozen=True)
class CompressedChannel:
    """A channel after compression matching and what was done to it."""

    samples: np.ndarray
    """(samples,) float32."""
    branch: str
    """below_gate, no_onsets, in_range, too_low, compressed or expanded."""
    input_peaks: tuple[float, float] | None = None
    """(mean, standard deviation) in dB of the strongest peaks at -10 dBFS peak."""
    output_mean_db: float | None = None
    """Mean of the strongest peaks of the result; None where it has no onsets."""
    threshold_db: float | None = None
    """The compressor's threshold, where one was used."""
    ratio: float | None = None
    """The compressor's ratio; below 1 for upward expansion."""
    trials: int = 0
    """Compressor settings tried."""
    reached: bool = True
    """False when no setting met the reference and the last one was taken."""


def match_compression(
    audio: np.ndarray,
    sample_rate: int,
    stem: str,
    reference: tuple[float, float],
    *,
    expansion: bool = False,
    exhaustive: bool = False,
) -> tuple[np.ndarray, list[tuple[float, float] | None]]:
    """Compress each channel until the mean of its strongest peaks is within the reference.

    Each channel is brought to a peak of -10 dBFS on its own. Of the ratios from the stem type's
    start to 20 and, for each, thresholds from -10 to -40 dB in steps of 0.5 dB, the first setting
    is taken with which the mean falls below the reference's mean + standard deviation.

    Args:
        audio: (samples, channels) or (samples,).
        sample_rate: in Hz.
        stem: stem type, whose compressor settings (`fxnorm.stems`) are taken.
        reference: the data set's (mean, standard deviation) of `mean_peak` in dB.
        expansion: expand channels upwards whose peaks lie below mean − standard deviation.
        exhaustive: try the settings one by one instead of searching; slow, the definition.

    Returns:
        float32 audio shaped like `audio`, and per channel the (threshold_db, ratio) used or None.

    Raises:
        FxNormError: audio that is not finite.
    """
    require_finite(audio)
    signal = audio[:, None] if audio.ndim == 1 else audio
    results = [
        compress_channel(
            np.ascontiguousarray(signal[:, c], np.float32),
            sample_rate,
            default_stem_type(stem),
            reference,
            expansion=expansion,
            exhaustive=exhaustive,
        )
        for c in range(signal.shape[1])
    ]
    chosen = [
        None if r.threshold_db is None or r.ratio is None else (r.threshold_db, r.ratio)
        for r in results
    ]
    return np.stack([r.samples for r in results], axis=1).reshape(audio.shape), chosen


def compress_channel(
    samples: np.ndarray,
    sample_rate: int,
    stem_type: StemType,
    reference: tuple[float, float],
    *,
    expansion: bool = False,
    exhaustive: bool = False,
    strength: float = 1.0,
) -> CompressedChannel:
    """`match_compression` of one contiguous float32 channel.

    `strength` is the fraction of the level change and of the gain reduction (in dB) to apply.
    """
    highest = peak(samples)
    if db(highest) <= GATE_DB:
        return CompressedChannel(samples, "below_gate")
    gain = float(from_db(PEAK_DB)) / highest
    scaled = times(samples, gain)
    partly = scaled if strength == 1.0 else times(samples, gain**strength)
    onsets = detect_onsets(scaled, sample_rate)
    if onsets.size == 0:
        return CompressedChannel(partly, "no_onsets")
    statistics = peak_statistics(segment_peaks_db(scaled, onsets), PERCENTILE)
    mean, deviation = reference
    if statistics[0] < mean + deviation and (statistics[0] > mean - deviation or not expansion):
        branch = "in_range" if statistics[0] > mean - deviation else "too_low"
        return CompressedChannel(partly, branch, statistics, statistics[0])

    expand = statistics[0] <= mean - deviation
    ratios: list[float] = [float(r) for r in range(stem_type.compressor_ratio, LARGEST_RATIO + 1)]
    thresholds_db = _COMPRESSION_THRESHOLDS_DB
    target_db, sign = mean + deviation, 1.0
    if expand:
        ratios = [1.0 / r for r in ratios]
        thresholds_db = _EXPANSION_THRESHOLDS_DB
        target_db, sign = mean - deviation, -1.0
    trials = _Trials(scaled, sample_rate, stem_type, onsets, target_db, sign)
    found = first_success(
        trials.excess_db,
        lambda ratio: trials.forecast_db(ratio, thresholds_db),
        ratios,
        thresholds_db,
        exhaustive=exhaustive,
    )
    ratio, threshold_db = found.ratio, found.threshold
    return CompressedChannel(
        trials.apply(partly, ratio, threshold_db, strength),
        "expanded" if expand else "compressed",
        statistics,
        None if math.isnan(found.excess) else found.excess * sign + target_db,
        threshold_db,
        ratio,
        found.trials,
        found.reached,
    )


class _Trials:
    """Compressor trials on one channel; what is the same for all of them is computed once."""

    def __init__(
        self,
        samples: np.ndarray,
        sample_rate: int,
        stem_type: StemType,
        onsets: np.ndarray,
        target_db: float,
        sign: float,
    ) -> None:
        self._samples = samples
        self._sample_rate = sample_rate
        self._levels_db = level_db(samples)
        self._attack = smoothing(stem_type.attack_ms, sample_rate)
        self._release = smoothing(stem_type.release_ms, sample_rate)
        self._onsets = onsets
        self._target_db = target_db
        self._sign = sign
        # Two arrays for the outputs of all trials: getting memory anew costs as much as a filter.
        # The last trial that met the target is of the setting found, so its output is kept.
        self._output, self._kept = (scratch.empty(samples.shape) for _ in range(2))
        self._kept_setting: tuple[float, float] | None = None

    def excess_db(self, ratio: float, threshold_db: float) -> float:
        """How far the mean of the strongest peaks misses the target; NaN without onsets."""
        self._compress(self._samples, ratio, threshold_db, 1.0, self._output)
        onsets = detect_onsets(self._output, self._sample_rate)
        if onsets.size == 0:
            return float("nan")
        mean_db = peak_statistics(segment_peaks_db(self._output, onsets), PERCENTILE)[0]
        excess_db = self._sign * (mean_db - self._target_db)
        if excess_db < 0.0:
            self._output, self._kept = self._kept, self._output
            self._kept_setting = ratio, threshold_db
        return excess_db

    def forecast_db(self, ratio: float, thresholds_db: np.ndarray) -> np.ndarray:
        """Nearly what `excess_db` gives for each threshold, at less than the cost of one trial.

        The detector runs on every eighth level and the onsets are those before compression.
        """
        peaks_db = np.full((self._onsets.shape[0], thresholds_db.shape[0]), -np.inf, np.float32)
        _forecast_peaks(
            self._levels_db,
            self._onsets,
            thresholds_db.astype(np.float32),
            np.float32(slope(ratio)),
            ratio > 1.0,
            np.float32(self._attack**_FORECAST_STEP),
            np.float32(self._release**_FORECAST_STEP),
            np.zeros(thresholds_db.shape[0], np.float32),
            peaks_db,
        )
        strong = peaks_db > np.percentile(peaks_db, PERCENTILE, axis=0)
        strong |= ~strong.any(axis=0)
        means_db: np.ndarray = np.mean(peaks_db, axis=0, where=strong)
        return self._sign * (means_db - self._target_db)

    def apply(
        self, samples: np.ndarray, ratio: float, threshold_db: float, strength: float
    ) -> np.ndarray:
        """`samples` with (a fraction of) the gain reduction of the trial's samples."""
        if strength == 1.0 and self._kept_setting == (ratio, threshold_db):
            return self._kept
        output = scratch.empty(samples.shape)
        self._compress(samples, ratio, threshold_db, strength, output)
        return output

    def _compress(
        self,
        samples: np.ndarray,
        ratio: float,
        threshold_db: float,
        strength: float,
        output: np.ndarray,
    ) -> None:
        compress_levels(
            samples,
            self._levels_db,
            threshold_db,
            ratio,
            self._attack,
            self._release,
            strength=strength,
            output=output,
        )
        # Only upward expansion can exceed full scale.
        if ratio < 1.0:
            np.clip(output, -1.0, 1.0, out=output)


@compiled
def _forecast_peaks(
    levels: np.ndarray,
    onsets: np.ndarray,
    thresholds: np.ndarray,
    slope: np.float32,
    downward: bool,
    attack: np.float32,
    release: np.float32,
    reduction: np.ndarray,
    peaks: np.ndarray,
) -> None:
    """Peak level after each onset for all thresholds side by side, (onsets, thresholds).

    `reduction`, (thresholds,), is zero: to make it here would take long to compile.
    """
    zero, one = np.float32(0.0), np.float32(1.0)
    segment = 0
    for start in range(0, levels.shape[0] - _FORECAST_STEP + 1, _FORECAST_STEP):
        if start < onsets[0]:
            continue
        while segment + 1 < onsets.shape[0] and onsets[segment + 1] <= start:
            segment += 1
        loudest = levels[start]
        for n in range(start + 1, start + _FORECAST_STEP):
            loudest = max(loudest, levels[n])
        loudest = np.float32(loudest)
        level = np.float32(levels[start])
        largest = peaks[segment]
        for i in range(thresholds.shape[0]):
            over = level - thresholds[i]
            wanted = slope * (max(over, zero) if downward else min(over, zero))
            attacked = attack * reduction[i] + (one - attack) * wanted
            released = release * reduction[i] + (one - release) * wanted
            reduction[i] = max(attacked, released)
            largest[i] = max(largest[i], loudest - reduction[i])


def _measure(channels: np.ndarray) -> np.ndarray | None:
    """Mean and deviation of the strongest peaks of a stem brought to a peak of -10 dBFS."""
    gain = float(from_db(PEAK_DB)) / peak(channels)
    result = mean_peak(times(channels, gain).T, SAMPLE_RATE)
    return None if result is None else np.array(result)


def _apply(channels: np.ndarray, context: Context) -> Outcome:
    mean, deviation = context.reference
    results = [
        compress_channel(
            channel,
            SAMPLE_RATE,
            context.stem_type,
            (float(mean), float(deviation)),
            expansion=context.config.expansion,
            exhaustive=context.config.exhaustive,
            strength=context.strength,
        )
        for channel in channels
    ]
    named = dict(zip(CHANNEL_NAMES, results, strict=True))
    return Outcome(
        stacked([r.samples for r in results]),
        {name: _report(result) for name, result in named.items()},
        tuple(text for name, result in named.items() for text in _warnings(name, result)),
    )


def _report(result: CompressedChannel) -> dict[str, Any]:
    return {
        "branch": result.branch,
        "threshold_db": result.threshold_db,
        "ratio": result.ratio,
        "trials": result.trials,
        "input_peaks_db": None if result.input_peaks is None else result.input_peaks[0],
        "output_peaks_db": result.output_mean_db,
    }


def _warnings(name: str, result: CompressedChannel) -> list[str]:
    if result.branch == "no_onsets":
        return [f"the {name} channel has no onsets; left alone"]
    if not result.reached:
        return [
            f"no setting brings the {name} channel to the reference; took"
            f" ratio {result.ratio:g}, threshold {result.threshold_db:g} dB"
        ]
    return []


def _describe(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{side} {fact['ratio']:g}:1 above {fact['threshold_db']:g} dB"
        if fact["ratio"] is not None
        else f"{side} none ({fact['branch'].replace('_', ' ')})"
        for side, fact in facts.items()
    )


def _numbers(reference: np.ndarray) -> dict[str, float]:
    return {"peaks_mean_db": float(reference[0]), "peaks_std_db": float(reference[1])}


COMPRESSION = Effect(
    _apply,
    _describe,
    Feature(
        shape=(2,),
        limits=(-200.0, 200.0),
        measure=_measure,
        title="Strongest peaks below a peak of −10 dBFS",
        label="mean ± std (dBFS)",
        numbers=_numbers,
    ),
)
