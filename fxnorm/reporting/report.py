"""The report of all systems: tables, figures and the page that shows them with the audio."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fxnorm import tabulation
from fxnorm.data import read_audio
from fxnorm.evaluation.columns import FURTHER_COLUMNS, MEAN_ERROR
from fxnorm.evaluation.evaluation_config import NORMALIZED_SUM, EvaluationConfig
from fxnorm.evaluation.song_statistics import HEADLINE, improvement, summarize_scores
from fxnorm.outputs import atomic_folder, write_text
from fxnorm.reporting.figures import (
    long_term_spectra,
    loudness_over_time,
    metric_distributions,
    position_over_frequency,
    read_reference_curves,
    training_curves,
)
from fxnorm.reporting.names import BASELINE_NAMES, HUMAN, ordered_systems, system_name
from fxnorm.reporting.page import (
    PageConfig,
    PageFigure,
    PageSong,
    PageTable,
    page_table,
    write_page,
)
from fxnorm.reporting.tables import (
    Table,
    published_table,
    results_table,
    stems_table,
    to_csv,
    to_latex,
    to_markdown,
)

#: Panels of the figure of distributions: the group means, balance and a loss.
_SHOWN = (
    *((group, MEAN_ERROR) for group in HEADLINE),
    ("loudness", "d_lufs"),
    ("further", "balance"),
    ("loss", "loss_b"),
)
_TEST_SETS = {
    "wet": "processed stems of songs with a known human mix",
    "dry": "unprocessed recordings of songs with a known human mix",
}


@dataclass(frozen=True)
class EvaluatedSong:
    """A test song: the human mix and every system's, by system name."""

    name: str
    test_set: str
    human: Path
    mixes: Mapping[str, Path]


@dataclass(frozen=True)
class Report:
    """Everything that is shown: tables and figures by file name."""

    tables: dict[str, Table]
    songs: pd.DataFrame
    """Improvement over the baseline, song by song."""
    figures: dict[str, PageFigure]
    baseline: str
    """Display name of what the others are compared with."""


def build_report(
    scores: pd.DataFrame,
    songs: Sequence[EvaluatedSong],
    histories: Mapping[str, pd.DataFrame],
    config: EvaluationConfig,
    names: Mapping[str, str] = {},
    *,
    stems: pd.DataFrame | None = None,
    reference_curves: bool = False,
    our_data: str,
    same_songs: bool = False,
    seed: int,
) -> Report:
    """Tables and figures of all systems.

    Args:
        scores: tidy scores of all systems.
        songs: the test songs; the first of each test set is the example of the figures.
        histories: tidy training history by system.
        config: baseline and statistics.
        names: display names of the systems, in the order of tables and figures.
        stems: scores of the normalised stems, where the processed ones are known.
        reference_curves: draw the authors' logged losses into the training curves.
        our_data: what the test sets hold, such as "generated songs".
        same_songs: whether the wet test set is MUSDB18's, as in the paper.
        seed: of the bootstrap.

    Raises:
        FxNormError: a mix that can't be read.
    """
    summary = summarize_scores(scores, config, seed=seed)
    tables = {}
    for test_set in _present(scores):
        tables[test_set] = results_table(summary, test_set, config, names=names)
        tables[f"{test_set}_further"] = results_table(
            summary, test_set, config, FURTHER_COLUMNS, names
        )
    if stems is not None:
        tables["stems"] = stems_table(stems, config)
    tables["published"] = published_table(
        summary, _present(scores)[0], names, our_data=our_data, same_songs=same_songs
    )
    references = read_reference_curves() if reference_curves else {}
    figures = _figures(scores, songs, histories, references, names)
    baseline = system_name(config.baseline, names)
    return Report(tables, _per_song(scores, config), figures, baseline)


def write_report(
    report: Report, tables: str | os.PathLike[str], figures: str | os.PathLike[str]
) -> None:
    """Write tables as CSV, Markdown and LaTeX, and figures as PNG, each folder as a whole.

    Raises:
        FxNormError: the folders can't be written.
    """
    with atomic_folder(tables) as folder:
        for name, table in report.tables.items():
            write_text(folder / f"{name}.csv", to_csv(table))
            write_text(folder / f"{name}.md", to_markdown(table))
            write_text(folder / f"{name}.tex", to_latex(table, f"tab:{name}"))
        write_text(folder / "songs.csv", tabulation.to_csv(report.songs))
    with atomic_folder(figures) as folder:
        for name, figure in report.figures.items():
            figure.image.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})


def write_report_page(
    path: str | os.PathLike[str],
    report: Report,
    songs: Sequence[EvaluatedSong],
    config: PageConfig,
    names: Mapping[str, str] = {},
    *,
    our_data: str,
) -> None:
    """Write the page with tables, figures and players.

    Args:
        path: of the HTML file.
        report: from `build_report`.
        songs: the ones with players.
        config: excerpts and size.
        names: display names of the systems, in order.
        our_data: what the test sets hold.

    Raises:
        FxNormError: see `fxnorm.reporting.page.write_page`.
    """
    tables = [page_table(table) for table in report.tables.values()]
    tables.append(_songs_table(report, names))
    write_page(
        path,
        title="Automatic mixes against human mixes",
        introduction=_introduction(our_data),
        tables=tables,
        figures=list(report.figures.values()),
        songs=[_page_song(song, report.songs, names) for song in songs],
        config=config,
    )


def _present(scores: pd.DataFrame) -> list[str]:
    found = set(scores["test_set"])
    return [name for name in _TEST_SETS if name in found] + sorted(found - set(_TEST_SETS))


def _per_song(scores: pd.DataFrame, config: EvaluationConfig) -> pd.DataFrame:
    """Improvement over the baseline of each song in the group means, and in the mean of these."""
    better = improvement(scores, config.baseline)
    better = better[better["group"].isin(HEADLINE) & (better["metric"] == MEAN_ERROR)]
    table = better.pivot_table(
        index=["test_set", "song", "system"], columns="group", values="improvement", sort=False
    )
    table = table.reindex(columns=list(HEADLINE))
    # Without one of them it would be the mean of other errors than in the other songs.
    table["mean"] = table.mean(axis=1, skipna=False)
    return table.reset_index().rename_axis(columns=None)


def _figures(
    scores: pd.DataFrame,
    songs: Sequence[EvaluatedSong],
    histories: Mapping[str, pd.DataFrame],
    references: Mapping[str, pd.DataFrame],
    names: Mapping[str, str],
) -> dict[str, PageFigure]:
    figures = {}
    for test_set in _present(scores):
        figures[f"distributions_{test_set}"] = PageFigure(
            f"Errors on the {test_set} test set",
            metric_distributions(scores, _SHOWN, test_set, names),
            "Distance from the human mix; 0 is best. A line joins the values of one song.",
            "Box plots of six metrics for each system.",
        )
        example = next((song for song in songs if song.test_set == test_set), None)
        if example is not None:
            figures |= _example_figures(example, names)
    for name, history in histories.items():
        logged = {"authors' log": references[name]} if name in references else {}
        figures[f"training_{name}"] = PageFigure(
            f"Training of {system_name(name, names)}",
            training_curves({name: history[history["metric"] == "loss_mean"]}, logged, names=names),
            "Mean loss over steps (training) and songs (validation); the dot is the state kept.",
            "Training and validation loss over epochs.",
        )
    return figures


def _example_figures(song: EvaluatedSong, names: Mapping[str, str]) -> dict[str, PageFigure]:
    human = read_audio(song.human)
    mixes = {name: read_audio(song.mixes[name]) for name in ordered_systems(song.mixes, names)}
    where = f"{song.name}, {song.test_set} test set"
    return {
        f"spectra_{song.test_set}": PageFigure(
            "Long-term spectra",
            long_term_spectra(mixes, human, names),
            f"{where}. Third-octave levels at equal overall level, and below the difference.",
            "Spectra of the human mix and of every system.",
        ),
        f"loudness_{song.test_set}": PageFigure(
            "Loudness over time",
            loudness_over_time(mixes, human, names),
            f"{where}. Short-term loudness (3 s).",
            "Short-term loudness of the human mix and of every system.",
        ),
        f"position_{song.test_set}": PageFigure(
            "Stereo position over frequency",
            position_over_frequency(mixes, human, names),
            f"{where}. Similarity of the channels: 1 is the centre, 0 one side alone.",
            "Similarity of left and right over frequency for every system.",
        ),
    }


def _songs_table(report: Report, names: Mapping[str, str]) -> PageTable:
    systems = [system_name(system, names) for system in report.songs["system"]]
    named = report.songs.assign(system=systems)
    named.columns = [str(column).replace("_", " ") for column in named.columns]
    return PageTable(
        f"Improvement over {report.baseline}, song by song",
        named,
        f"Error of {report.baseline} minus the system's: positive is better.",
    )


def _page_song(song: EvaluatedSong, songs: pd.DataFrame, names: Mapping[str, str]) -> PageSong:
    versions = {HUMAN: song.human}
    versions |= {
        system_name(name, names): song.mixes[name] for name in ordered_systems(song.mixes, names)
    }
    drawn = [system_name(name, names) for name in _mixes_to_draw(song, songs)]
    return PageSong(song.name, song.test_set, versions, spectrograms=(HUMAN, *drawn))


def _mixes_to_draw(song: EvaluatedSong, songs: pd.DataFrame) -> list[str]:
    """Mixes to draw beside the human one: the normalised sum, and the system that betters it most.

    Args:
        song: whose mixes.
        songs: improvement over the baseline, see `_per_song`.
    """
    own = songs[(songs["test_set"] == song.test_set) & (songs["song"] == song.name)]
    own = own[own["system"].isin(song.mixes.keys() - BASELINE_NAMES.keys())]
    systems = list(own.sort_values("mean", ascending=False, kind="stable")["system"].head(1))
    return [name for name in (NORMALIZED_SUM, *systems) if name in song.mixes]


def _introduction(our_data: str) -> str:
    sets = "; ".join(f"{name}: {text}" for name, text in _TEST_SETS.items())
    return (
        "All systems mix the same effect-normalised stems; only the dry sum is of stems as they "
        "were recorded. The human mix is what they are compared with. "
        f"Test sets ({our_data}): {sets}."
    )
