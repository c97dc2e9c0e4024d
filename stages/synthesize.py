"""Stage `synthesize`: the generated data set, so that the pipeline runs without any download."""

import json
from pathlib import Path

from fxnorm.data import find_songs
from fxnorm.data.synthesis import overview_figure, synthesize
from fxnorm.normalization import measure_features
from fxnorm.outputs import atomic_file, atomic_folder
from fxnorm.reporting import compare_with_real_music, comparison_figure, rounded
from stages.common import stage

OUTPUT = Path("data/raw")
REPORT = Path("reports/data")


def main() -> None:
    """Write the data set, what it measures, how it compares with real music, and pictures of it."""
    with stage("synthesize", ["seed", "synthesis"]) as (params, run):
        with atomic_folder(OUTPUT) as folder:
            statistics = synthesize(folder, params.synthesis, seed=params.seed)
        with atomic_file(REPORT / "statistics.json") as path:
            path.write_text(json.dumps(statistics, indent=2) + "\n")
        features = measure_features(find_songs(OUTPUT / "wet/train").songs)
        comparison = compare_with_real_music(OUTPUT, features)
        with atomic_file(REPORT / "comparison.csv") as path:
            rounded(comparison).to_csv(path, index=False)
        figures = {
            "overview": overview_figure(OUTPUT),
            "comparison": comparison_figure(comparison),
        }
        for name, figure in figures.items():
            with atomic_file(REPORT / f"{name}.png") as path:
                figure.savefig(path)
            run.figure(figure, name)
        run.metrics(statistics)
        run.table(rounded(comparison), "comparison")
        run.dataset("generated", OUTPUT, "generated")


if __name__ == "__main__":
    main()
