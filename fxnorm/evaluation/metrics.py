"""Objective metrics of a mix against the human mix of the same song (paper, section 4.2).

Most are mean absolute percentage errors (MAPE) of a feature's running mean over 40 frames: 0 is a
perfect match, 0.1 is off by 10 % on average. A value that would carry no information (a division by
zero, a stereo feature of a mono target) is NaN, and `compare` says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from fxnorm.audio import checked_rate, db, integrated_loudness, peak, peak_db, to_stereo
from fxnorm.audio.levels import DB_PER_NEPER
from fxnorm.errors import FxNormError
from fxnorm.evaluation.columns import MEAN_ERROR
from fxnorm.evaluation.frame_features import HOP, N_FFT, PairFeatures, SignalFeatures, measure
from fxnorm.evaluation.kernels import SHAPE_COLUMNS

#: Metric groups, in the order of the scores.
GROUPS = ("loudness", "spectral", "panning", "dynamics", "further")

_EPSILON = float(np.finfo(np.float64).eps)
_RUNNING_MEAN = 40
_FRAME_HOPS = N_FFT // HOP
_CONTRAST_TOP_DB = 80.0
_AMIN = 1e-10
#: Relative to a peak this near to 0 dBFS any error is huge: 1 dB would count as 10,000 %.
_FULL_SCALE_DB = 0.01
#: Below this (0.0004 dB between the channels) a stereo position is rounding.
_MONO = 1e-9


@dataclass
class MixScores:
    """Metrics of one mix: `values[group][metric]`, and why some are NaN."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, str, float, str]]:
        """Yield (group, metric, value, reason); the reason is empty for a number."""
        for group, metrics in self.values.items():
            for metric, value in metrics.items():
                yield group, metric, value, self.reasons.get(group, {}).get(metric, "")


def compare(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> MixScores:
    """Compute every metric in one pass over the audio.

    To the paper's groups it adds `further`: `balance` (level of the left over the right channel in
    dB, mix minus target), `mr_stft` (multi-resolution STFT distance per channel: spectral
    convergence + mean log-magnitude difference, mean over resolutions), `l1` (mean absolute
    difference of samples) and `l2` (mean squared difference).

    Args:
        mix: (samples, channels) or (samples,), full scale = 1; mono counts as two equal channels.
        target: the human mix, as long as `mix`.
        sample_rate: in Hz.

    Raises:
        FxNormError: different lengths, more than two channels, samples that are not finite, or a
            sample rate of 8 kHz or less.
    """
    mix, target = _checked_pair(mix, target, sample_rate)
    features = measure(mix, target, sample_rate)
    scores = MixScores()
    found = (
        _loudness(mix, target, sample_rate),
        _spectral(features),
        _panning(features),
        _dynamics(features),
        _further(features, len(target)),
    )
    for group, metrics in zip(GROUPS, found, strict=True):
        scores.values[group] = _score_values(metrics)
        reasons = {key: score.reason for key, score in metrics.items() if score.reason}
        if reasons:
            scores.reasons[group] = reasons
    return scores


def loudness_metrics(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Relative errors of integrated loudness and peak level; arguments as for `compare`."""
    return _score_values(_loudness(*_checked_pair(mix, target, sample_rate), sample_rate))


def spectral_metrics(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Centroid, bandwidth, contrast, roll-off and flatness; arguments as for `compare`."""
    mix, target = _checked_pair(mix, target, sample_rate)
    return _score_values(_spectral(measure(mix, target, sample_rate, {"spectral"})))


def panning_metrics(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Stereo position (SPS) in total and in three bands; arguments as for `compare`.

    All NaN for a mono target.
    """
    mix, target = _checked_pair(mix, target, sample_rate)
    return _score_values(_panning(measure(mix, target, sample_rate, {"panning"})))


def dynamics_metrics(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> dict[str, float]:
    """RMS, dynamic spread, crest factor and low-frequency ratio; arguments as for `compare`."""
    mix, target = _checked_pair(mix, target, sample_rate)
    return _score_values(_dynamics(measure(mix, target, sample_rate, {"dynamics"})))


@dataclass(frozen=True)
class _Score:
    value: float | np.floating
    reason: str = ""


def _loudness(mix: np.ndarray, target: np.ndarray, sample_rate: int) -> dict[str, _Score]:
    lufs = [integrated_loudness(signal, sample_rate) for signal in (target, mix)]
    peaks = [peak_db(signal) for signal in (target, mix)]
    d_lufs = _Score(abs(lufs[0] - lufs[1]) / max(abs(lufs[0]), _EPSILON))
    d_peak = _Score(abs(peaks[0] - peaks[1]) / max(abs(peaks[0]), _EPSILON))
    for name, level in zip(("target", "mix"), lufs, strict=True):
        if not np.isfinite(level):
            d_lufs = _Score(np.nan, f"the {name} is silent, below -70 LUFS or shorter than 0.4 s")
    if abs(peaks[0]) < _FULL_SCALE_DB:
        d_peak = _Score(np.nan, f"the target's peak is within {_FULL_SCALE_DB} dB of full scale")
    return {"d_lufs": d_lufs, "d_peak": d_peak}


def _spectral(features: PairFeatures) -> dict[str, _Score]:
    mix, target = (
        _spectral_curves(signal, features.bin_hz) for signal in (features.mix, features.target)
    )
    scores = {
        f"{name}_mean": _mean([_mape(y, x) for x, y in zip(mix[name], target[name], strict=True)])
        for name in mix
    }
    scores["contrast_mean"] = _mean([scores[f"contrast_{band}_mean"] for band in "lmh"])
    whole = ("centroid", "bandwidth", "contrast", "rolloff", "flatness")
    scores[MEAN_ERROR] = _mean([scores[f"{name}_mean"] for name in whole])
    return scores


def _spectral_curves(signal: SignalFeatures, bin_hz: float) -> dict[str, np.ndarray]:
    """Running means of each feature, (channels, means)."""
    centroid, bandwidth, rolloff, flatness = np.moveaxis(signal.shapes[..., :SHAPE_COLUMNS], -1, 0)
    peaks, valleys = np.split(signal.shapes[..., SHAPE_COLUMNS:], 2, axis=-1)
    contrast = _limited_db(peaks) - _limited_db(valleys)
    low, *middle, high = _running_mean(np.moveaxis(contrast, -1, 0))
    return {
        "centroid": _running_mean(centroid * bin_hz + 1.0),
        "bandwidth": _running_mean(bandwidth * bin_hz + 1.0),
        "contrast_l": low,
        "contrast_m": np.mean(middle, axis=0),
        "contrast_h": high,
        "rolloff": _running_mean(rolloff * bin_hz + 1.0),
        "flatness": _running_mean(1.0 - db(flatness)),
    }


def _limited_db(values: np.ndarray) -> np.ndarray:
    """librosa's power_to_db of (channels, frames, bands): at most 80 dB below a channel's maximum.

    It is applied to magnitudes, hence the factor of 10.
    """
    level_db = 10.0 * np.log10(np.maximum(values, _AMIN))
    highest = level_db.max(axis=(1, 2), keepdims=True, initial=-np.inf)
    limited: np.ndarray = np.maximum(level_db, highest - _CONTRAST_TOP_DB)
    return limited


def _panning(features: PairFeatures) -> dict[str, _Score]:
    names = [f"P_{band}_mean" for band in "tlmh"]
    target = _position_rms(features.target, features.position_bins)
    audible = target[0] > 0.0
    if target[0].max(initial=0.0) < _MONO:
        mono = _Score(np.nan, "the target is mono: it has no stereo position to match")
        return dict.fromkeys([*names, MEAN_ERROR], mono)
    mix = _position_rms(features.mix, features.position_bins)
    scores = {
        name: _mape(_running_mean(y[audible]), _running_mean(x[audible]))
        for name, x, y in zip(names, mix, target, strict=True)
    }
    return {**scores, MEAN_ERROR: _mean(list(scores.values()))}


def _position_rms(signal: SignalFeatures, bins: np.ndarray) -> np.ndarray:
    """RMS over bins of the stereo position: (total, low, middle, high) x frames."""
    total = signal.position.sum(axis=1) / bins.sum()
    rms: np.ndarray = np.sqrt(np.vstack([total, (signal.position / bins).T]))
    return rms


def _dynamics(features: PairFeatures) -> dict[str, _Score]:
    mix, target = (_level_curves(signal) for signal in (features.mix, features.target))
    scores = {f"{name}_mean": _mape(target[name], mix[name]) for name in mix}
    scores[MEAN_ERROR] = _mean(list(scores.values()))
    low_mix, low_target = (
        _running_mean(signal.low_ratio.mean(axis=0)) for signal in (features.mix, features.target)
    )
    scores["l_ratio_mean_mape"] = _mape(low_target, low_mix)
    scores["l_ratio_mean_l2"] = (
        _Score(np.mean((low_target - low_mix) ** 2)) if low_target.size else _TOO_SHORT
    )
    return scores


def _level_curves(signal: SignalFeatures) -> dict[str, np.ndarray]:
    """Running means of (mean of the channels') level features of frames of 4,096 samples."""
    energy, highest, logs = np.moveaxis(signal.levels, -1, 0)
    rms_db = db(np.sqrt(_per_frame(energy).sum(axis=-1) / N_FFT))
    spread_db = _per_frame(logs).sum(axis=-1) * (DB_PER_NEPER / N_FFT) - rms_db
    crest = db(_per_frame(highest).max(axis=-1, initial=0.0)) / rms_db
    return {
        "rms": _running_mean(1.0 - rms_db.mean(axis=0)),
        "dyn": _running_mean(1.0 - spread_db.mean(axis=0)),
        "crest": _running_mean(crest.mean(axis=0)),
    }


def _per_frame(hops: np.ndarray) -> np.ndarray:
    """(channels, hops) to (channels, frames, hops per frame)."""
    if hops.shape[1] < _FRAME_HOPS:
        return np.zeros((hops.shape[0], 0, _FRAME_HOPS))
    return np.lib.stride_tricks.sliding_window_view(hops, _FRAME_HOPS, axis=1)


def _further(features: PairFeatures, samples: int) -> dict[str, _Score]:
    if samples == 0:
        return dict.fromkeys(("balance", "mr_stft", "l1", "l2"), _TOO_SHORT)
    distance = features.distance
    absolute, squared, mix_energy, target_energy = distance.waveform.T
    if mix_energy.all() and target_energy.all():
        (mix_left, mix_right), (left, right) = mix_energy, target_energy
        balance = _Score(10.0 * np.log10(mix_left / mix_right * right / left))
    else:
        balance = _Score(np.nan, "a channel of the mix or of the target is silent")
    if not distance.bins.all():
        spectral = _TOO_SHORT
    elif not target_energy.any():
        spectral = _Score(np.nan, "the target is silent")
    else:
        difference, energy, logs = distance.spectral.T
        spectral = _Score(np.mean(np.sqrt(difference / energy) + logs / distance.bins))
    return {
        "balance": balance,
        "mr_stft": spectral,
        "l1": _Score(absolute.sum() / (2 * samples)),
        "l2": _Score(squared.sum() / (2 * samples)),
    }


_TOO_SHORT = _Score(np.nan, f"shorter than {_RUNNING_MEAN} frames (about 1 s)")


def _mape(target: np.ndarray, mix: np.ndarray) -> _Score:
    """Mean of |target - mix| / |target|, over running means."""
    if target.size == 0:
        return _TOO_SHORT
    error = np.abs(target - mix)
    undefined = (np.abs(target) < _EPSILON) & (error > _EPSILON)
    if undefined.any():
        return _Score(
            np.nan,
            f"the target's value is 0 in {undefined.sum()} of {target.size} running means "
            "(digital silence)",
        )
    return _Score(float(np.mean(error / np.maximum(np.abs(target), _EPSILON))))


def _mean(scores: list[_Score]) -> _Score:
    reason = next((score.reason for score in scores if score.reason), "")
    return _Score(float(np.mean([float(score.value) for score in scores])), reason)


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Mean over 40 consecutive frames (the last axis), wherever 40 exist."""
    if values.shape[-1] < _RUNNING_MEAN:
        return np.zeros((*values.shape[:-1], 0))
    windows = np.lib.stride_tricks.sliding_window_view(values, _RUNNING_MEAN, axis=-1)
    means: np.ndarray = windows.mean(axis=-1)
    return means


def _score_values(scores: Mapping[str, _Score]) -> dict[str, float]:
    return {key: float(score.value) for key, score in scores.items()}


def _checked_pair(
    mix: np.ndarray, target: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    for name, signal in (("mix", mix), ("target", target)):
        if not isinstance(signal, np.ndarray) or signal.ndim not in (1, 2):
            raise FxNormError(f"the {name} is no audio: give an array (samples, channels)")
    mix, target = to_stereo(mix), to_stereo(target)
    if len(mix) != len(target):
        raise FxNormError(
            f"the mix has {len(mix)} samples and the target {len(target)}: cut them to one length"
        )
    if checked_rate(sample_rate) <= 8000:
        raise FxNormError(f"a sample rate of {sample_rate} Hz is too low: resample to 44100 Hz")
    for name, signal in (("mix", mix), ("target", target)):
        if not np.isfinite(peak(signal)):
            raise FxNormError(f"the {name} holds NaN or infinite samples: export it again")
    return mix, target
