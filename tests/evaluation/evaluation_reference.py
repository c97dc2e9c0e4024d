"""The metrics again, slowly: librosa and scipy on whole signals, one feature after another."""

import librosa
import numpy as np
import scipy.signal

from fxnorm.audio import db, peak

N_FFT, HOP = 4096, 1024
EPSILON = np.finfo(float).eps


def spectral(mix, target, sample_rate):
    mixes, targets = _spectral_features(mix, sample_rate), _spectral_features(target, sample_rate)
    scores = {
        f"{name}_mean": np.mean(
            [_mape(y[name], x[name]) for x, y in zip(mixes, targets, strict=True)]
        )
        for name in mixes[0]
    }
    scores["contrast_mean"] = np.mean([scores[f"contrast_{band}_mean"] for band in "lmh"])
    whole = ("centroid", "bandwidth", "contrast", "rolloff", "flatness")
    return {**scores, "mape_mean": np.mean([scores[f"{name}_mean"] for name in whole])}


def panning(mix, target, sample_rate, n_fft=2048):
    def bands(audio):
        left, right = _magnitudes(_normalised(audio), n_fft) + 1e-20
        phi = 2 * left * right / (left**2 + right**2)
        squares = ((1 - phi) * np.sign(right / left - left / right)) ** 2
        edges = [(0, sample_rate / 2), (0, 250), (250, 2500), (2500, sample_rate / 2)]
        bins = [[int(hz * n_fft / sample_rate) for hz in edge] for edge in edges]
        return [np.sqrt(squares[a:b].mean(axis=0)) for a, b in bins]

    x, y = bands(mix), bands(target)
    kept = y[0] > 0
    scores = {
        f"P_{name}_mean": _mape(_running(b[kept]), _running(a[kept]))
        for name, a, b in zip("tlmh", x, y, strict=True)
    }
    return {**scores, "mape_mean": np.mean(list(scores.values()))}


def dynamics(mix, target, sample_rate):
    x, y = _level_features(mix, sample_rate), _level_features(target, sample_rate)
    scores = {f"{name}_mean": _mape(y[name], x[name]) for name in ("rms", "dyn", "crest")}
    scores["mape_mean"] = np.mean(list(scores.values()))
    scores["l_ratio_mean_mape"] = _mape(y["ratio"], x["ratio"])
    scores["l_ratio_mean_l2"] = np.mean((y["ratio"] - x["ratio"]) ** 2)
    return scores


def _spectral_features(audio, sample_rate):
    features = []
    for s in _magnitudes(_normalised(audio), N_FFT):
        options = {"S": s, "sr": sample_rate, "n_fft": N_FFT}
        centroid = librosa.feature.spectral_centroid(**options)
        contrast = librosa.feature.spectral_contrast(**options, fmin=250.0, n_bands=4)
        low, *middle, high = (_running(row) for row in contrast)
        features.append(
            {
                "centroid": _running(centroid[0] + 1),
                "bandwidth": _running(
                    librosa.feature.spectral_bandwidth(**options, centroid=centroid)[0] + 1
                ),
                "contrast_l": low,
                "contrast_m": np.mean(middle, axis=0),
                "contrast_h": high,
                "rolloff": _running(librosa.feature.spectral_rolloff(**options)[0] + 1),
                "flatness": _running(1 - db(librosa.feature.spectral_flatness(S=s)[0])),
            }
        )
    return features


def _level_features(audio, sample_rate):
    audio = _normalised(audio)
    frames = np.lib.stride_tricks.sliding_window_view(audio, N_FFT, axis=0)[::HOP]
    rms_db = db(np.sqrt((frames**2).sum(-1) / N_FFT))
    spread = (db(np.abs(frames)) - rms_db[..., None]).mean(-1)
    crest = db(np.abs(frames).max(-1)) / rms_db
    low = scipy.signal.filtfilt(*scipy.signal.butter(4, 1000, fs=sample_rate), audio, axis=0)
    ratio = (_magnitudes(low, N_FFT) / (_magnitudes(audio, N_FFT) + 1e-5)).sum(axis=1).mean(axis=0)
    return {
        "rms": _running(1 - rms_db.mean(1)),
        "dyn": _running(1 - spread.mean(1)),
        "crest": _running(crest.mean(1)),
        "ratio": _running(ratio),
    }


def _magnitudes(audio, n_fft):
    """(channels, bins, frames), float64."""
    window = np.sqrt(scipy.signal.get_window("hann", n_fft))
    frames = np.lib.stride_tricks.sliding_window_view(audio, n_fft, axis=0)[::HOP]
    return np.abs(np.fft.rfft(frames * window, axis=-1)).transpose(1, 2, 0)


def _normalised(audio):
    return audio * 10 ** (-1 / 20) / peak(audio)


def _running(values):
    return np.lib.stride_tricks.sliding_window_view(values, 40).mean(-1)


def _mape(target, mix):
    return np.mean(np.abs(target - mix) / np.maximum(np.abs(target), EPSILON))
