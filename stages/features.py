"""Stage `features`: dataset features of the training partition."""

from pathlib import Path

from fxnorm.data import load_partition
from fxnorm.files import atomic_file
from fxnorm.normalization import features_figure, features_table, measure_features
from stages.common import stage, usable_songs

OUTPUT = Path("models/features.npz")
CURVES = Path("reports/features/curves.csv")


def main() -> None:
    """Measure, save, and show the curves."""
    with stage("features", ["dataset", "normalization"]) as (params, run):
        found = load_partition(params.dataset, "train")
        usable_songs(found)
        features = measure_features(found.songs, params.normalization)
        features.save(OUTPUT)
        table = features_table(features)
        with atomic_file(CURVES) as path:
            table.to_csv(path, index=False)
        run.dataset("train", f"{params.dataset.root}/train", "training")
        run.table(table, "features")
        run.figure(features_figure(features), "features")


if __name__ == "__main__":
    main()
