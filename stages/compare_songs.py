"""Stage `compare_songs`: the generated songs against real music."""

from pathlib import Path

from fxnorm.data import find_songs
from fxnorm.normalization import measure_features
from fxnorm.outputs import atomic_file
from fxnorm.reporting.song_comparison import compare_with_real_music, rounded
from fxnorm.reporting.song_comparison_figure import comparison_figure
from stages.common import stage, write_table
from stages.places import GENERATED

REPORT = Path("reports/data")


def main() -> None:
    """Measure mixes and stems, and publish the comparison as a table and a figure."""
    with stage("compare_songs", []) as (_, run):
        features = measure_features(find_songs(GENERATED / "wet/train").songs)
        comparison = compare_with_real_music(GENERATED, features)
        table, figure = rounded(comparison), comparison_figure(comparison)
        write_table(table, REPORT / "comparison.csv")
        with atomic_file(REPORT / "comparison.png") as path:
            figure.savefig(path)
        run.table(table, "comparison")
        run.figure(figure, "comparison")


if __name__ == "__main__":
    main()
