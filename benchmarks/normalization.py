"""CPU time and memory of effect normalisation on generated stems, beside the original's figures.

Run it as `python -m benchmarks.normalization [--seconds 30 300] [--worst-case]`. One thread is
used. The original's figures are those of the released code on one thread of another machine.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from fxnorm.normalization.matching.table import measured_features

from fxnorm.conventions import LONG_TERM_BINS, SAMPLE_RATE
from fxnorm.normalization import DatasetFeatures, FxNormalizer
from fxnorm.normalization.matching.compression import compress_channel
from fxnorm.normalization.normalizer import pad
from fxnorm.stems import DEFAULT_STEMS, STEMS

#: CPU seconds per second of stereo audio of the released code, from and to.
_ORIGINAL = {
    "eq": (0.027, 0.027),
    "compression": (0.05, 0.11),
    "panning": (0.22, 0.32),
    "loudness": (0.006, 0.006),
    "chain": (0.33, 0.45),
}
_ORIGINAL_WORST_CASE = 4.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[30.0, 300.0])
    parser.add_argument("--worst-case", action="store_true", help="a reference out of reach")
    arguments = parser.parse_args()
    features = _features()
    # Compile and fill caches before anything is measured.
    FxNormalizer(features)(_stem("vocals", 3.0), SAMPLE_RATE, "vocals")
    for seconds in arguments.seconds:
        _report_length(features, seconds)
    if arguments.worst_case:
        _report_worst_case()


def _report_length(features: DatasetFeatures, seconds: float) -> None:
    print(f"\n{seconds:g}-s stereo stems: CPU ms per s of audio (times faster than the original)")
    print(f"{'stem':8}" + "".join(f"{name:>19}" for name in _ORIGINAL) + "  trials  memory")
    for stem in STEMS:
        audio = _stem(stem, seconds)
        cells = []
        chain = FxNormalizer(features)
        channels = pad(audio)
        for effect in measured_features():
            cost, outcome = _cost(
                lambda e=effect, x=channels, s=stem, c=chain: c.apply(e, x, s), seconds
            )
            channels = outcome.channels
            cells.append(_cell(effect, cost))
        cost, result = _cost(lambda x=audio, s=stem, c=chain: c(x, SAMPLE_RATE, s), seconds)
        cells.append(_cell("chain", cost))
        trials = [r["trials"] for r in result.report["effects"]["compression"].values()]
        tracemalloc.start()
        chain(audio, SAMPLE_RATE, stem)
        peak = tracemalloc.get_traced_memory()[1] / audio.nbytes
        tracemalloc.stop()
        counts = "+".join(map(str, trials))
        print(f"{stem:8}" + "".join(cells) + f"{counts:>8}{peak:7.1f}x")
    low = {name: 1e3 * bounds[0] for name, bounds in _ORIGINAL.items()}
    high = {name: 1e3 * bounds[1] for name, bounds in _ORIGINAL.items()}
    cells = [f"{low[name]:.0f} to {high[name]:.0f}" for name in _ORIGINAL]
    print(f"{'original':8}" + "".join(f"{cell:>19}" for cell in cells))
    floors = _transform_floor()
    cells = [f"{1e3 * floors[name]:.2f}" if name in floors else "" for name in _ORIGINAL]
    print(f"{'FFTs':8}" + "".join(f"{cell:>19}" for cell in cells) + "  (compression: per trial)")


def _report_worst_case() -> None:
    """No setting reaches the reference: every ratio has to be ruled out."""
    seconds = 30.0
    channel = np.ascontiguousarray(_stem("other", seconds)[:, 0])
    cost, result = _cost(
        lambda: compress_channel(channel, SAMPLE_RATE, DEFAULT_STEMS["other"], (-80.0, 1.0)),
        seconds,
    )
    print(
        f"\ncompression without success: {2e3 * cost:.1f} ms per s of stereo audio,"
        f" {result.trials} trials per channel, {_ORIGINAL_WORST_CASE / 2 / cost:.0f} times faster"
    )


def _transform_floor() -> dict[str, float]:
    """CPU seconds per second of stereo audio in the transforms alone."""
    rng = np.random.default_rng(0)
    second = float(SAMPLE_RATE)

    def both(x: np.ndarray) -> tuple[float, float]:
        spectra = scipy.fft.rfft(x, axis=-1)
        forward = _repeat(lambda: scipy.fft.rfft(x, axis=-1)) / len(x)
        backward = _repeat(lambda: scipy.fft.irfft(spectra, axis=-1)) / len(x)
        return forward, backward

    measure, _ = both(rng.standard_normal((16, 2048)))
    filter_in, filter_out = both(rng.standard_normal((4, 16_384)))
    onsets, _ = both(rng.standard_normal((32, 1024)).astype(np.float32))
    pan_in, _ = both(rng.standard_normal((32, 2048)))
    _, pan_out = both(rng.standard_normal((32, 2048)).astype(np.float32))
    return {
        "eq": 2 * second * (measure / 16_384 + (filter_in + filter_out) / 14_384),
        "compression": 2 * second * onsets / 1024,
        "panning": 2 * second * (pan_in + pan_out) / 1024,
    }


def _repeat(function: Callable[[], object], times: int = 50) -> float:
    function()
    start = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - start) / times


def _cost(function: Callable[[], Any], seconds: float) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return (time.process_time() - start) / seconds, result


def _cell(name: str, cost: float) -> str:
    low, high = _ORIGINAL[name]
    return f"{f'{1e3 * cost:.2f} ({low / cost:.0f}-{high / cost:.0f}x)':>19}"


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
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


if __name__ == "__main__":
    main()
