"""CPU time of effects, chain and features beside the original's, and how it grows with length.

Run it as `python -m benchmarks.normalization [--stems FOLDER] [--lengths 30 600] [--worst-case]`.
`FOLDER` holds audio files whose names begin with their stem type and are no mixes; without it stems
are generated. One thread is used; each figure is the median of five. The original's figures are
CPU s of the released code for 25 s of real stereo stems, on one thread of another machine.
"""

import argparse
import math
import resource
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal

from fxnorm.audio import read, to_stereo
from fxnorm.conventions import LONG_TERM_BINS, SAMPLE_RATE, STEMS
from fxnorm.models import load_rooms, load_settings
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.normalization import DatasetFeatures, FxNormalizer, NormalizationConfig
from fxnorm.normalization.effect_table import measured_features
from fxnorm.normalization.matching.compression import compress_channel
from fxnorm.normalization.normalizer import pad
from fxnorm.stems import DEFAULT_STEMS

_SECONDS = 25
_RUNS = 5
#: CPU s of the original, and how many times faster this project means to be.
_CHAIN = {"vocals": 6.36, "bass": 6.73, "drums": 6.90, "other": 8.29}
_CHAIN_GOAL = 45
_EFFECTS = {
    "eq": (0.584, 20),
    "compression": (1.54, 20),
    "panning": (4.73, 20),
    "loudness": (0.085, 20),
}
_FEATURES = {
    "eq": (0.142, 5),
    "compression": (0.047, 5),
    "panning": (0.079, 5),
    "loudness": (0.044, 5),
}
_REVERB, _RELEASED_PREREVERB = (0.087, 4), (0.032, 4)
_WORST_CASE = 4.5 / 2  # per second of a channel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stems", help="folder of real stems")
    parser.add_argument("--lengths", type=float, nargs="*", default=[], help="in seconds")
    parser.add_argument("--worst-case", action="store_true", help="a reference out of reach")
    arguments = parser.parse_args()
    stems = {s: _stem(s, _SECONDS) for s in STEMS}
    features = _features()
    if arguments.stems:
        stems = {s: _read(Path(arguments.stems), s) for s in STEMS}
        features = load_settings(DEFAULT_MODEL)[1]
    _report_chain(stems, features)
    _report_parts(stems["vocals"], features)
    if arguments.lengths:
        _report_growth(stems, features, arguments.lengths)
    if arguments.worst_case:
        _report_worst_case()


def _report_chain(stems: dict[str, np.ndarray], features: DatasetFeatures) -> None:
    print(f"{'CPU s for 25 s of stereo':28}{'original':>10}{'here':>10}{'faster':>10}{'goal':>8}")
    chain = FxNormalizer(features)
    for stem, audio in stems.items():
        result = chain(audio, SAMPLE_RATE, stem)
        tried = sum(r["trials"] for r in result.report["effects"]["compression"].values())
        tracemalloc.start()
        chain(audio, SAMPLE_RATE, stem)
        peak = tracemalloc.get_traced_memory()[1] / audio.nbytes
        tracemalloc.stop()
        cost = _cost(lambda a=audio, s=stem: chain(a, SAMPLE_RATE, s))
        note = f"  {tried} trials, {peak:.1f} times the stem's memory"
        _row(f"chain, {stem}", _CHAIN[stem], cost, _CHAIN_GOAL, note)


def _report_parts(vocals: np.ndarray, features: DatasetFeatures) -> None:
    rooms = load_rooms(DEFAULT_MODEL)
    chain = FxNormalizer(features, impulse_responses=rooms)
    released = NormalizationConfig(released_quirks=True)
    pre = FxNormalizer(features, released, pre_impulse_responses=rooms)
    channels = pad(vocals)
    seconds = len(rooms[0].samples) / SAMPLE_RATE
    cost = _cost(lambda: chain.apply("reverb", channels, "vocals"))
    _row("reverb", _REVERB[0], cost, _REVERB[1], f"  rooms here of {seconds:.1f} s and more")
    cost = _cost(lambda: pre.apply("prereverb", channels, "vocals"))
    _row("released prereverb", _RELEASED_PREREVERB[0], cost, _RELEASED_PREREVERB[1])
    features_of_effects = measured_features()
    for name in _EFFECTS:
        feature = features_of_effects[name]
        cost = _cost(lambda f=feature, c=channels: f.measure(c))
        _row(f"feature {name}", _FEATURES[name][0], cost, _FEATURES[name][1])
        cost = _cost(lambda n=name, c=channels: chain.apply(n, c, "vocals"))
        _row(f"effect {name}", _EFFECTS[name][0], cost, _EFFECTS[name][1])
        channels = chain.apply(name, channels, "vocals").channels


def _report_growth(
    stems: dict[str, np.ndarray], features: DatasetFeatures, lengths: list[float]
) -> None:
    """Of the chain; what repeats needs about as many trials, however long it is."""
    chain = FxNormalizer(features)
    print(f"\n{'chain: CPU s for':28}" + "".join(f"{s:>8g} s" for s in lengths))
    for stem, audio in stems.items():
        longer = [np.resize(audio, (int(s * SAMPLE_RATE), 2)) for s in lengths]
        costs = np.array([_costs(lambda a=a, s=stem: chain(a, SAMPLE_RATE, s)) for a in longer])
        growth = np.log(costs[-1] / costs[0]) / math.log(lengths[-1] / lengths[0])
        cells = "".join(f"{cost:10.3f}" for cost in costs[:, 0])
        print(
            f"{stem:28}{cells}  grows with length to the power of {growth[0]:.2f},"
            f" without the system's work of {growth[1]:.2f}"
        )


def _report_worst_case() -> None:
    """No setting reaches the reference: every ratio has to be ruled out."""
    channel = np.ascontiguousarray(_stem("other", 30.0)[:, 0])
    reference = (-80.0, 1.0)
    stem_type = DEFAULT_STEMS["other"]
    result = compress_channel(channel, SAMPLE_RATE, stem_type, reference)
    cost = _cost(lambda: compress_channel(channel, SAMPLE_RATE, stem_type, reference))
    note = f"  {result.trials} trials"
    _row("compression without success", 30.0 * _WORST_CASE, cost, 20, note)


def _row(title: str, original: float, here: float, goal: int, note: str = "") -> None:
    print(
        f"{title:28}{original:10.3f}{here:10.4f}{original / here:10.1f}{goal:8}{note}", flush=True
    )


def _cost(function: Callable[[], Any]) -> float:
    return float(_costs(function)[0])


def _costs(function: Callable[[], Any]) -> np.ndarray:
    """CPU s of a call, and how many of them were not spent in the system: pages, above all."""
    function()
    times = []
    for _ in range(_RUNS):
        start = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        function()
        end = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        times.append(np.subtract(end, start))
    return np.asarray(np.median(times, axis=0))


def _read(folder: Path, stem: str) -> np.ndarray:
    path = min(path for path in folder.glob(f"{stem}*") if path.is_file())
    audio, sample_rate = read(path)
    return np.ascontiguousarray(to_stereo(audio)[: _SECONDS * sample_rate])


def _features() -> DatasetFeatures:
    """Plausible averages: falling spectra, positions near the centre, peaks 4 dB down."""
    frequencies = np.maximum(np.linspace(0.0, SAMPLE_RATE / 2, LONG_TERM_BINS), 20.0)
    corners = {"vocals": 800.0, "bass": 150.0, "drums": 2000.0, "other": 600.0}
    return DatasetFeatures(
        eq={s: 20.0 / (1.0 + (frequencies / corners[s]) ** 2) ** 0.6 for s in STEMS},
        compression=dict.fromkeys(STEMS, (-14.0, 1.2)),
        panning={s: np.full(LONG_TERM_BINS, 0.97 if s == "bass" else 0.8) for s in STEMS},
        loudness=dict(zip(STEMS, (-30.7, -29.7, -34.2, -31.2), strict=True)),
    )


def _stem(stem: str, seconds: float) -> np.ndarray:
    """Decaying notes or strikes of filtered noise and harmonics with random strengths."""
    rng = np.random.default_rng(STEMS.index(stem))
    pace_s, decay_s, band_hz, pitch_hz = {
        "vocals": (0.8, 0.5, (200.0, 7000.0), 220.0),
        "bass": (0.5, 0.4, (40.0, 500.0), 55.0),
        "drums": (0.25, 0.06, (60.0, 12_000.0), 60.0),
        "other": (1.0, 0.8, (120.0, 9000.0), 330.0),
    }[stem]
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    index = (time_s / pace_s).astype(int)
    since_s = time_s - index * pace_s
    envelope = rng.uniform(0.15, 1.0, index[-1] + 1)[index] * np.exp(-since_s / decay_s)
    pitch = pitch_hz * 2.0 ** (rng.integers(-5, 7, index[-1] + 1)[index] / 12.0)
    tone = sum(np.sin(2 * np.pi * k * pitch * since_s) / k for k in range(1, 7))
    sections = scipy.signal.butter(2, band_hz, "bandpass", fs=SAMPLE_RATE, output="sos")
    hiss = scipy.signal.sosfilt(sections, rng.standard_normal((len(time_s), 2)), axis=0)
    breath = 2.0 if stem == "drums" else 0.2
    audio = envelope[:, None] * (tone[:, None] * [1.0, 0.8] + breath * hiss)
    normalized: np.ndarray = 0.5 * audio / np.abs(audio).max()
    return normalized.astype(np.float32)


if __name__ == "__main__":
    main()
