"""Stage `synthesize`: the generated data set, so that the pipeline runs without any download."""

from pathlib import Path

from fxnorm.data.synthesis import synthesize
from fxnorm.outputs import atomic_file, atomic_folder
from fxnorm.reporting.song_overview import overview_figure
from stages.common import stage, write_numbers
from stages.places import GENERATED

STATISTICS = Path("reports/data/statistics.json")
OVERVIEW = Path("reports/data/overview.png")


def main() -> None:
    """Write the data set, what it measures, and a picture of it."""
    with stage("synthesize", ["seed", "synthesis"]) as (params, run):
        with atomic_folder(GENERATED) as folder:
            statistics = synthesize(folder, params.synthesis, seed=params.seed)
        write_numbers(statistics, STATISTICS)
        figure = overview_figure(GENERATED)
        with atomic_file(OVERVIEW) as path:
            figure.savefig(path)
        run.metrics(statistics)
        run.dataset("generated", GENERATED, "generated")
        run.figure(figure, "overview")


if __name__ == "__main__":
    main()
