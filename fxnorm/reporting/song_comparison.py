"""Generated songs against real ones: spectrum, position, dynamics of mixes and stem types."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.fft

from fxnorm.audio import db, integrated_loudness, peak, read, short_term_loudness
from fxnorm.conventions import SAMPLE_RATE, WORKING_LEVEL_LUFS
from fxnorm.data.song_folders import find_songs
from fxnorm.data.synthesis.real_music import (
    REAL_MUSIC,
    real_curve,
    third_octave_edges,
    third_octave_means,
)
from fxnorm.normalization import DatasetFeatures, position
from fxnorm.normalization.matching.panning import HOP, N_FFT
from fxnorm.workers import in_processes

#: Edges in Hz of the bands in which the position of a mix is compared.
PHI_BANDS_HZ = ((20, 250), (250, 2500), (2500, 8000), (8000, 16_000))
#: Digits worth reporting, by quantity.
_DIGITS = {"phi": 3, "side_share": 3}
_KEYS = ["part", "quantity", "frequency_hz"]


def compare_with_real_music(
    folder: str | os.PathLike[str], features: DatasetFeatures | None, jobs: int = -1
) -> pd.DataFrame:
    """Measure the generated mixes, and set them and the stems' features beside real ones.

    Args:
        folder: as `synthesize` wrote it.
        features: of the generated training stems, from `measure_features`; without them only the
            mixes are compared.
        jobs: worker processes; -1 = one per core.

    Returns:
        One row per part (mixture or stem type), quantity and frequency: the real mean, deviation
        and range, the generated mean and deviation between songs, and the difference of means.

    Raises:
        FxNormError: the folder holds no songs.
    """
    wet = Path(folder) / "wet"
    paths = [song.mixture for name in ("train", "test") for song in find_songs(wet / name).songs]
    songs = list(in_processes(_describe_file, ((str(path), (path,)) for path in paths), jobs))
    rows = pd.concat(songs).groupby(_KEYS, dropna=False)["value"]
    generated = pd.DataFrame({"generated_mean": rows.mean(), "generated_deviation": rows.std()})
    if features is not None:
        generated = pd.concat([generated, _describe_features(features)])
    table = pd.read_csv(REAL_MUSIC).rename(
        columns={"mean": "real_mean", "deviation": "real_deviation"}
    )
    table = table.merge(generated.reset_index(), on=_KEYS)
    table["difference"] = table["generated_mean"] - table["real_mean"]
    return table


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison with as many digits as the figures are worth."""
    columns = table.select_dtypes("number").columns.drop("frequency_hz")
    result = table.copy()
    for quantity, part in table.groupby("quantity"):
        result.loc[part.index, columns] = part[columns].round(_DIGITS.get(str(quantity), 1))
    return result


def describe_mix(audio: np.ndarray) -> pd.DataFrame:
    """What is compared of one mix; (samples, 2) at 44.1 kHz.

    Returns:
        Columns part, quantity, frequency_hz and value: energy of each third octave in dB with the
        mix at -30 LUFS, both channels summed; mean phi of four bands; energy of the side over that
        of middle and side; peak over root mean square in dB; 95th minus 10th percentile of the
        short-term loudness in LU.
    """
    samples = np.asarray(audio, np.float64)
    middle, side = samples.sum(axis=1), samples[:, 0] - samples[:, 1]
    energy = float((samples**2).sum())
    _, loudness = short_term_loudness(audio, SAMPLE_RATE)
    low, high = np.percentile(loudness, [10.0, 95.0])
    values = {
        "side_share": float((side**2).sum()) / float((middle**2).sum() + (side**2).sum()),
        "crest_db": float(db(peak(audio)) - 0.5 * db(energy / samples.size)),
        "short_term_spread_lu": float(high - low),
    }
    rows = [(quantity, np.nan, value) for quantity, value in values.items()]
    third_octaves = real_curve("mixture", "third_octave_db")[0]
    levels_db = _third_octaves_db(samples, third_octaves)
    rows += [("third_octave_db", f, v) for f, v in zip(third_octaves, levels_db, strict=True)]
    _, phi = position(audio, N_FFT, HOP)
    bins_hz = scipy.fft.rfftfreq(N_FFT, 1.0 / SAMPLE_RATE)
    for frequency, (start_hz, stop_hz) in zip(
        real_curve("mixture", "phi")[0], PHI_BANDS_HZ, strict=True
    ):
        band = (bins_hz >= start_hz) & (bins_hz < stop_hz)
        rows.append(("phi", frequency, float(phi[:, band].mean(dtype=np.float64))))
    table = pd.DataFrame(rows, columns=["quantity", "frequency_hz", "value"])
    table.insert(0, "part", "mixture")
    return table


def _describe_file(path: Path) -> pd.DataFrame:
    audio, _ = read(path)
    return describe_mix(audio)


def _third_octaves_db(samples: np.ndarray, centres_hz: np.ndarray) -> np.ndarray:
    length = scipy.fft.next_fast_len(samples.shape[0], real=True)
    spectrum = scipy.fft.rfft(samples, length, axis=0)
    energy = (spectrum.real**2 + spectrum.imag**2).sum(axis=1)
    # Parseval: a bin but the first stands for two.
    energy *= 2.0 / (length * samples.shape[0])
    edges = third_octave_edges(centres_hz, SAMPLE_RATE / length)
    sums = np.array([energy[start:stop].sum() for start, stop in edges])
    gain_db = WORKING_LEVEL_LUFS - integrated_loudness(samples, SAMPLE_RATE)
    return 10.0 * np.log10(sums + 1e-15) + gain_db


def _describe_features(features: DatasetFeatures) -> pd.DataFrame:
    """Features in third octaves, indexed as the rows of mixes are."""
    rows: list[tuple[str, str, float, float]] = []
    for stem in features.stems:
        peaks_db, spread_db = features.compression[stem]
        rows += [(stem, "peaks_db", np.nan, peaks_db), (stem, "peaks_spread_db", np.nan, spread_db)]
        centres = real_curve(stem, "eq_db")[0]
        power = third_octave_means(features.eq[stem] ** 2, centres)
        rows += [(stem, "eq_db", f, v) for f, v in zip(centres, 10 * np.log10(power), strict=True)]
        phi = third_octave_means(features.panning[stem], centres)
        rows += [(stem, "phi", f, v) for f, v in zip(centres, phi, strict=True)]
    table = pd.DataFrame(rows, columns=[*_KEYS, "generated_mean"])
    return table.set_index(_KEYS)
