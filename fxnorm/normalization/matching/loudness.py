"""Bringing audio to a loudness without clipping."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fxnorm.audio import db, from_db, integrated_loudness, peak
from fxnorm.conventions import PADDING, SAMPLE_RATE
from fxnorm.normalization.matching.checks import require_finite
from fxnorm.normalization.matching.effect import Context, Effect, Feature, Outcome
from fxnorm.normalization.matching.rows import times

#: Added to every sample before measuring; keeps the filters' states out of subnormals.
MEASUREMENT_OFFSET = 1e-10
_HEADROOM = 1e-6
#: The padding at both ends moves the loudness of what is shorter by more than 0.1 LU.
_SHORT_S = 15.0


def normalize_loudness(audio: np.ndarray, sample_rate: int, target_lufs: float) -> np.ndarray:
    """Bring audio to an integrated loudness, or as near as full scale allows.

    Args:
        audio: (samples, channels) or (samples,).
        sample_rate: in Hz.
        target_lufs: wanted integrated loudness.

    Returns:
        float32, shaped like `audio`. Audio without a loudness (silence, less than 0.4 s) comes
        back unchanged.

    Raises:
        FxNormError: audio that is not finite.
    """
    require_finite(audio)
    measured_lufs = measure(audio, sample_rate)
    return (audio * loudness_gain(audio, measured_lufs, target_lufs)).astype(np.float32)


def measure(audio: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness in LUFS as normalisation sees it; -inf where there is none."""
    return integrated_loudness(audio, sample_rate, offset=MEASUREMENT_OFFSET)


def loudness_gain(audio: np.ndarray, measured_lufs: float, target_lufs: float) -> float:
    """Amplitude factor that takes `audio` to the target and keeps its peak below full scale."""
    if not math.isfinite(measured_lufs):
        return 1.0
    gain = float(from_db(target_lufs - measured_lufs))
    return gain / max(1.0, _HEADROOM + peak(audio) * gain)


def _measure(channels: np.ndarray) -> np.ndarray | None:
    lufs = measure(channels.T, SAMPLE_RATE)
    return np.array([lufs]) if math.isfinite(lufs) else None


def _apply(channels: np.ndarray, context: Context) -> Outcome:
    target_lufs = float(context.reference[0])
    measured_lufs = _stem_lufs(channels, context)
    if not math.isfinite(measured_lufs):
        return Outcome(channels, None, ("none measurable; left unchanged",))
    gain = loudness_gain(channels, measured_lufs, target_lufs)
    limited = gain < 0.999 * from_db(target_lufs - measured_lufs)
    gain **= context.strength
    return Outcome(
        times(channels, gain),
        {"target_lufs": target_lufs, "measured_lufs": measured_lufs, "gain_db": float(db(gain))},
        ("below the reference, to stay under full scale",) if limited else (),
    )


def _stem_lufs(channels: np.ndarray, context: Context) -> float:
    """Loudness of the stem with its padding; of a short stem alone, which that would falsify."""
    own = channels[:, PADDING:-PADDING]
    if not context.config.released_quirks and 0 < own.shape[1] < _SHORT_S * SAMPLE_RATE:
        lufs = measure(own.T, SAMPLE_RATE)
        if math.isfinite(lufs):
            return lufs
    return measure(channels.T, SAMPLE_RATE)


def _describe(facts: Mapping[str, Any]) -> str:
    return f"{facts['gain_db']:+.1f} dB, target {facts['target_lufs']:.1f} LUFS"


LOUDNESS = Effect(
    _apply,
    _describe,
    Feature(
        shape=(1,),
        limits=(-150.0, 50.0),
        measure=_measure,
        title="Loudness",
        label="integrated loudness (LUFS)",
        numbers=lambda reference: {"loudness_lufs": float(reference[0])},
    ),
)
