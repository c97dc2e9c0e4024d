"""What the tests of normalisation share: golden arrays, the features they were made with, songs.

"Row n" in the names of tests numbers the departures from the released code, some of which
`released_quirks` restores: 1 panning's cut-off along time, 2 prereverb without its room, 3 draws
without a seed, 4 failure without onsets, 5 loudness of silence, 6 boost without limit, 7 channels
matched alone, 8 no setting that succeeds, 10 re-panning without limit, 17 other sample rates.
"""

from functools import cache
from pathlib import Path

import numpy as np
import scipy.signal
from golden_signals import digest, golden_signal

from fxnorm import audio
from fxnorm.conventions import LONG_TERM_BINS as BINS
from fxnorm.data import Song, find_songs
from fxnorm.normalization import DatasetFeatures, ImpulseResponse

SAMPLE_RATE = 44_100
GOLDEN = np.load(Path(__file__).parent / "golden" / "normalization.npz")
SIGNALS = [str(name) for name in GOLDEN["signals"]]
SOURCES = [str(name) for name in GOLDEN["sources"]]
#: Next to the repository; holds real audio, which is not part of it.
SHARED = Path(__file__).resolve().parents[3] / "shared"


@cache
def signal(name: str) -> np.ndarray:
    """A golden input, checked against its digest."""
    x = golden_signal(name)
    assert digest(x) == str(GOLDEN["sha256_int16"][SIGNALS.index(name)])
    x.flags.writeable = False
    return x


@cache
def reference_features() -> DatasetFeatures:
    """The features of the golden run, as far as they matter.

    Equalisation uses every 32nd bin; re-panning uses means of 32 bins times 0.9.
    """
    grid = np.arange(BINS)
    panning = GOLDEN["ref_phi_used"].astype(np.float64) / 0.9
    return DatasetFeatures(
        eq={s: np.interp(grid, grid[::32], GOLDEN["ref_eq"][i]) for i, s in enumerate(SOURCES)},
        compression={
            s: (float(m), float(d))
            for s, (m, d) in zip(SOURCES, GOLDEN["ref_compression"], strict=True)
        },
        panning={
            s: np.append(np.repeat(panning[i, :-1], 32), panning[i, -1])
            for i, s in enumerate(SOURCES)
        },
        loudness={s: float(v) for s, v in zip(SOURCES, GOLDEN["ref_loudness"], strict=True)},
    )


def band_levels_db(x: np.ndarray) -> np.ndarray:
    """(channels, 28): mean power per bin in 1/3-octave bands, as in the golden arrays."""
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), 8192, axis=0)[::4096]
    power = (np.abs(np.fft.rfft(frames * np.hanning(8192), axis=-1)) ** 2).mean(axis=0)
    frequencies = np.fft.rfftfreq(8192, 1 / SAMPLE_RATE)
    levels = []
    for centre in GOLDEN["third_oct_centre"]:
        band = (frequencies >= centre * 2 ** (-1 / 6)) & (frequencies < centre * 2 ** (1 / 6))
        empty = np.full(x.shape[1], np.nan)
        levels.append(10 * np.log10(power[:, band].mean(axis=1) + 1e-30) if band.any() else empty)
    return np.stack(levels, axis=1)


def noise(seconds: float, seed: int, low_hz: float = 100.0, high_hz: float = 8000.0) -> np.ndarray:
    """Stereo noise bursts, (samples, 2) float32: something with a spectrum, onsets and sides."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * SAMPLE_RATE)
    sections = scipy.signal.butter(2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    x = scipy.signal.sosfilt(sections, rng.standard_normal((samples, 2)), axis=0)
    time_s = np.arange(samples) / SAMPLE_RATE
    strike = np.floor(time_s / 0.31).astype(int)
    strength = rng.uniform(0.2, 1.0, strike[-1] + 1)[strike]
    envelope = strength * np.exp(-(time_s - 0.31 * strike) / 0.07)
    x = envelope[:, None] * (x + 0.8 * x[:, :1])
    return (0.5 * x / np.abs(x).max()).astype(np.float32)


def sine(frequency_hz: float, level_db: float, seconds: float = 3.0) -> np.ndarray:
    """One tone, (samples,) float32, of a peak level in dBFS."""
    phase = 2 * np.pi * frequency_hz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10 ** (level_db / 20) * np.sin(phase)).astype(np.float32)


def response(seed: int = 0, seconds: float = 0.3) -> ImpulseResponse:
    """A room: decaying noise after direct sound."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = 0.05 * rng.standard_normal((len(time_s), 2)) * np.exp(-time_s / 0.05)[:, None]
    samples[20] = 1.0
    return ImpulseResponse(f"room {seed}", samples.astype(np.float32))


def make_songs(folder: Path, count: int = 2, seconds: float = 2.0) -> list[Song]:
    """Songs on disk with four different stems each."""
    bands = {"vocals": (200, 6000), "bass": (40, 400), "drums": (50, 12_000), "other": (150, 9000)}
    for index in range(count):
        song = folder / f"song {index}"
        mixture = np.zeros((int(seconds * SAMPLE_RATE), 2), np.float32)
        for k, (stem, (low, high)) in enumerate(bands.items()):
            x = noise(seconds, 10 * index + k, low, high) * (0.2 + 0.1 * k)
            audio.write(song / f"{stem}.wav", x, SAMPLE_RATE)
            mixture += x
        audio.write(song / "mixture.wav", 0.4 * mixture, SAMPLE_RATE)
    return find_songs(folder).songs
