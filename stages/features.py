"""Stage `features`: dataset features of the training partition."""

from pathlib import Path

from fxnorm.data import load_partition
from fxnorm.normalization import features_figure, features_table, measure_features
from fxnorm.outputs import atomic_file
from stages.common import stage, usable_songs

OUTPUT = Path("models/features.npz")
#: One column per stem, by feature.
CURVES = {"eq_db": Path("reports/features/eq.csv"), "phi": Path("reports/features/panning.csv")}


def main() -> None:
    """Measure, save, and show the curves."""
    with stage("features", ["dataset", "stems", "normalization"]) as (params, run):
        found = load_partition(params.dataset, "train", tuple(params.stems))
        usable_songs(found)
        features = measure_features(found.songs, params.normalization)
        features.save(OUTPUT)
        table = features_table(features)
        for column, file in CURVES.items():
            with atomic_file(file) as path:
                wide = table.pivot(index="frequency_hz", columns="stem", values=column)
                wide.to_csv(path, float_format="%.5g")
        run.dataset("train", f"{params.dataset.root}/train", "training")
        run.table(table, "features")
        run.figure(features_figure(features), "features")


if __name__ == "__main__":
    main()
