"""Stage `report`: tables, figures, and one page that shows them with the audio."""

from pathlib import Path

from fxnorm.data import find_songs
from fxnorm.evaluation import read_scores, read_stem_scores
from fxnorm.evaluation.evaluation_config import DRY_SUM, NORMALIZED_SUM
from fxnorm.evaluation.mix_evaluation import SCORES_FILE
from fxnorm.reporting.report import (
    EvaluatedSong,
    build_report,
    write_report,
    write_report_page,
)
from fxnorm.tabulation import read_csv
from stages.common import stage
from stages.places import EVALUATION, PRETRAINED, STEM_SCORES, TEST_SETS, TRAINING, mix_path

TABLES, FIGURES, PAGE = Path("reports/tables"), Path("reports/figures"), Path("reports/index.html")
HISTORY, NUMBERS = ["epoch", "split", "metric", "value"], {"epoch": int, "value": float}
SECTIONS = ["seed", "dataset", "stems", "systems", "pretraining", "evaluation", "report"]


def main() -> None:
    """Read all evaluations and write what people look at."""
    with stage("report", SECTIONS) as (params, run):
        systems = [DRY_SUM, NORMALIZED_SUM, *params.systems]
        songs = [
            EvaluatedSong(
                song.name,
                test_set,
                song.mixture,
                {
                    name: mix_path(name, test_set, song.name)
                    for name in systems
                    if name != DRY_SUM or test_set == "dry"
                },
            )
            for test_set, folder in TEST_SETS.items()
            for song in find_songs(folder, tuple(params.stems)).songs
        ]
        histories = {
            name: read_csv(TRAINING / name / "history.csv", HISTORY, NUMBERS, "train it again")
            for name in (PRETRAINED, *params.systems)
        }
        # By name: the folder may hold evaluations of systems that params no longer have.
        scores = read_scores(*(EVALUATION / name / SCORES_FILE for name in systems))
        data = f"data set {params.dataset.root}"
        report = build_report(
            scores,
            songs,
            histories,
            params.evaluation,
            params.names,
            stems=read_stem_scores(STEM_SCORES),
            reference_curves=params.report.reference_curves,
            our_data=data,
            same_songs=params.report.same_songs,
            seed=params.seed,
        )
        write_report(report, TABLES, FIGURES)
        shown = [
            song
            for test_set in TEST_SETS
            for song in [one for one in songs if one.test_set == test_set][: params.report.songs]
        ]
        write_report_page(PAGE, report, shown, params.report, params.names, our_data=data)
        run.artifact(TABLES, "tables")
        run.artifact(FIGURES, "figures")


if __name__ == "__main__":
    main()
