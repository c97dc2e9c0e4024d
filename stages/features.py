"""Stage `features`: the averages that stems are normalised to, measured or given."""

from pathlib import Path

from fxnorm.data import load_partition
from fxnorm.errors import FxNormError
from fxnorm.normalization import DatasetFeatures, measure_features
from fxnorm.reporting.features_figure import features_figure, features_table
from stages.common import stage, usable_songs, write_table
from stages.params import Params
from stages.places import FEATURES

GIVEN = Path("params/features")
CURVES = Path("reports/features/curves.csv")


def main() -> None:
    """Save the features and show the curves."""
    with stage("features", ["dataset", "stems", "normalization"]) as (params, run):
        features = _features(params)
        features.save(FEATURES)
        table = features_table(features)
        write_table(table, CURVES, digits=5)
        run.dataset("train", Path(params.dataset.root) / "train", "training")
        run.table(table, "features")
        run.figure(features_figure(features), "features")


def _features(params: Params) -> DatasetFeatures:
    """Measured on the training songs, or those of another data set."""
    stems = tuple(params.stems)
    if params.dataset.features is None:
        songs = usable_songs(load_partition(params.dataset, "train", stems))
        return measure_features(songs, params.normalization)
    file = GIVEN / f"{params.dataset.features}.npz"
    features = DatasetFeatures.load(file)
    if missing := [stem for stem in stems if stem not in features.stems]:
        raise FxNormError(
            f"{file}: has no {missing[0]}; measure the features (dataset.features: null)"
        )
    return features


if __name__ == "__main__":
    main()
