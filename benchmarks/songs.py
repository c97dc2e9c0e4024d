"""Generated songs against real ones, band by band, and the dry sums against the human mixes.

Run it as `python -m benchmarks.songs [--folder data/raw] [--mixes-only]` after
`dvc repro synthesize`. Third octaves are in dB at -30 LUFS; "share" is the generated deviation
between songs over the real one. The dry sum's errors are those of the stage `evaluate`; a real
song's lie beside them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from fxnorm.audio import read
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import Song, find_songs
from fxnorm.evaluation import dynamics_metrics, panning_metrics, spectral_metrics
from fxnorm.evaluation.columns import MEAN_ERROR
from fxnorm.normalization import measure_features
from fxnorm.reporting.song_comparison import compare_with_real_music
from fxnorm.workers import in_processes

_METRICS = {"spectral": spectral_metrics, "panning": panning_metrics, "dynamics": dynamics_metrics}
#: The sum of the dry stems of a real song against its human mix.
_REAL_DRY_SUM = {"spectral": 0.16, "panning": 0.94, "dynamics": 0.08}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/raw"))
    parser.add_argument("--mixes-only", action="store_true", help="leave the stems' features out")
    arguments = parser.parse_args()
    songs = find_songs(arguments.folder / "wet/train").songs
    features = None if arguments.mixes_only else measure_features(songs)
    table = compare_with_real_music(arguments.folder, features)
    _print_mixes(table[table["part"] == "mixture"])
    if features is not None:
        _print_stems(table[table["part"] != "mixture"])
    _print_dry_sums(find_songs(arguments.folder / "dry").songs)


def _print_mixes(table: pd.DataFrame) -> None:
    columns = "".join(f"{name:>9}" for name in ("real", "ours", "differ", "sd real"))
    print(f"{'mixes':22}{'Hz':>8}{columns}{'sd':>7}{'share':>7}")
    for row in table.itertuples():
        share = row.generated_deviation / row.real_deviation
        digits = 3 if row.quantity in ("phi", "side_share") else 1
        values = (row.real_mean, row.generated_mean, row.difference, row.real_deviation)
        cells = "".join(f"{value:9.{digits}f}" for value in values)
        print(f"{row.quantity:22}{row.frequency_hz:8.0f}{cells}{row.generated_deviation:7.{digits}f}"
              f"{share:7.2f}")  # fmt: skip


def _print_stems(table: pd.DataFrame) -> None:
    differences = table.pivot_table(
        index=["quantity", "frequency_hz"], columns="part", values="difference", dropna=False
    ).dropna(how="all")
    print("\nfeatures of the stems, generated minus MUSDB18")
    print(differences.round(3).to_string())


def _print_dry_sums(songs: list[Song]) -> None:
    rows = list(in_processes(_dry_sum_errors, ((song.name, (song,)) for song in songs), -1))
    errors = pd.DataFrame(rows, index=[song.name for song in songs])
    errors.loc["mean"] = errors.mean()
    errors.loc["real song"] = _REAL_DRY_SUM
    print("\nerrors of the dry sum")
    print(errors.round(3).to_string())


def _dry_sum_errors(song: Song) -> dict[str, float]:
    target, _ = read(song.mixture)
    mix = np.sum([read(path)[0] for path in song.stems.values()], axis=0)
    return {
        group: metrics(mix, target, SAMPLE_RATE)[MEAN_ERROR] for group, metrics in _METRICS.items()
    }


if __name__ == "__main__":
    main()
