"""From result files to tables, a figure and sentences."""

import logging
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from fxnorm.errors import FxNormError
from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.answer_key import ANCHORS, REFERENCE, read_key
from fxnorm.listening.comments import collate
from fxnorm.listening.equivalence import equivalence
from fxnorm.listening.findings import NOTE, equivalences, finding, limits
from fxnorm.listening.listening_config import PAPER_CRITERIA
from fxnorm.listening.mixed_model import mixed_model
from fxnorm.listening.participant_groups import compare_groups, divide
from fxnorm.listening.participants import reliability
from fxnorm.listening.rating_figure import draw_ratings
from fxnorm.listening.rating_files import Ignored, Results, read_results
from fxnorm.listening.rating_statistics import (
    friedman,
    make_items,
    natural,
    pairwise,
    summarize_ratings,
    system_order,
)
from fxnorm.outputs import atomic_folder, require_own, write_text
from fxnorm.tabulation import TextTable, to_csv, to_latex, to_markdown, without_tags

_TABLES = (
    *("ratings", "summary", "friedman", "pairwise", "mixed_model"),
    *("equivalence", "groups", "participants"),
)
#: With what each format is not to say of when and by what it was made.
_FIGURES: dict[str, dict[str, None]] = {
    "ratings.png": {"Software": None},
    "ratings.pdf": {"CreationDate": None},
    "ratings.svg": {"Date": None},
}
#: All that a folder of results holds.
_FILES = (
    *(f"{name}.csv" for name in _TABLES),
    *("summary.md", "summary.tex", "findings.md", "comments.md"),
    *_FIGURES,
)
_WITHOUT = "–"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListeningAnalysis:
    """What a listening test found."""

    ratings: pd.DataFrame
    """The tidy table, see `Results`."""
    summary: pd.DataFrame
    """Per criterion and system, see `summarize_ratings`."""
    friedman: pd.DataFrame
    """Per criterion, see `friedman`."""
    pairwise: pd.DataFrame
    """Per criterion and pair, see `pairwise`."""
    mixed_model: pd.DataFrame
    """Per criterion and pair, see `mixed_model`."""
    equivalence: pd.DataFrame
    """Per criterion and system, see `equivalence`; empty without a margin."""
    groups: pd.DataFrame
    """Per criterion, system and group, see `compare_groups`; empty without a question."""
    participants: pd.DataFrame
    """See `reliability`, with their answers to the questionnaire."""
    titles: dict[str, str]
    """Of the criteria, in the test's order."""
    findings: dict[str, str]
    """A sentence per criterion."""
    notes: dict[str, list[str]]
    """Per criterion, what limits the finding, and sentences on equivalence."""
    figure: Figure
    """A box plot with all observations per criterion."""


def analyze(
    results: Sequence[str | os.PathLike[str]],
    key: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    config: AnalysisConfig | None = None,
    *,
    ignored: Ignored | None = None,
    seed: int = 0,
) -> ListeningAnalysis:
    """Analyse a listening test, and write what it found.

    The dry sum is left out of the statistics where a tool had it rated (webMUSHRA does), and so are
    the anchors that webMUSHRA makes of it.

    Args:
        results: files of webMUSHRA, the Web Audio Evaluation Tool, or of our own page.
        key: the export's `key.csv`.
        folder: if given, gets the tables of `ListeningAnalysis` that have rows as CSV, the summary
            also as `summary.md` and `summary.tex`, `findings.md`, `comments.md` and the figure as
            `ratings.png`, `.pdf` and `.svg`; an earlier analysis there is replaced.
        config: what is compared, and how.
        ignored: what to leave out of the files.
        seed: of the bootstrap and of the points' places in the figure.

    Raises:
        FxNormError: see `read_results`; or no rating of the human mix, or `folder` holds something
            else.
    """
    config = config or AnalysisConfig()
    if folder is not None:
        require_own(folder, "findings.md")
    answers = read_key(key)
    found = read_results(results, answers, ignored)
    analysis = analyze_ratings(found, config, criteria=answers.criteria, seed=seed)
    if folder is not None:
        with atomic_folder(folder, replaces=_FILES) as temporary:
            _write(analysis, found, config, temporary)
    return analysis


def analyze_ratings(
    results: Results,
    config: AnalysisConfig,
    *,
    criteria: Mapping[str, str] | None = None,
    seed: int = 0,
) -> ListeningAnalysis:
    """Analyse what was read; see `analyze`.

    Args:
        results: see `read_results`.
        config: what is compared, and how.
        criteria: title of each criterion, in the test's order; the paper's, if not given.
        seed: see `analyze`.
    """
    mixes = _mixes(results.ratings, config)
    order = system_order(list(mixes["system"]), config.human)
    titles = _titles(mixes, criteria)
    groups = divide(results.participants, config.group_by) if config.group_by else {}
    items, findings, notes = {}, {}, {}
    parts = defaultdict[str, list[pd.DataFrame]](list)
    for criterion, title in titles.items():
        own = mixes[mixes["criterion"] == criterion]
        table = items[criterion] = make_items(own, order)
        test, pairs = friedman(table, config), pairwise(table, config)
        equal = equivalence(table, config)
        tables = {
            "summary": summarize_ratings(table, config, seed, criterion),
            "friedman": pd.DataFrame([test]),
            "pairwise": pairs,
            "mixed_model": mixed_model(own, order, config),
            "equivalence": equal,
            "groups": compare_groups(table, groups, config) if groups else pd.DataFrame(),
        }
        for name, part in tables.items():
            parts[name].append(part.assign(criterion=criterion))
        findings[criterion] = finding(table, test, pairs, config)
        limited = limits(table, test, pairs, config)
        for note in limited:
            _log.warning("%s: %s", title, note)
        notes[criterion] = [*limited, *equivalences(equal, config)]
    stacked = {name: _stack(tables) for name, tables in parts.items()}
    return ListeningAnalysis(
        ratings=results.ratings,
        **stacked,
        participants=results.participants.merge(
            reliability(mixes, _without_references(results.repeats)), on="participant"
        ),
        titles=titles,
        findings=findings,
        notes=notes,
        figure=draw_ratings(items, stacked["summary"], titles, config, seed),
    )


def _mixes(ratings: pd.DataFrame, config: AnalysisConfig) -> pd.DataFrame:
    mixes = _without_references(ratings)
    known = system_order(list(mixes["system"]), config.human)
    if config.human not in known:
        raise FxNormError(
            f"no rating of '{config.human}', with which the others are compared; name one of"
            f" {', '.join(known)}"
        )
    for system in config.labels:
        if system not in known:
            raise FxNormError(f"no system '{system}' to label; there are {', '.join(known)}")
    return mixes


def _without_references(ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings[~ratings["system"].isin([REFERENCE, *ANCHORS])]


def _titles(mixes: pd.DataFrame, criteria: Mapping[str, str] | None) -> dict[str, str]:
    rated = sorted(set(mixes["criterion"]), key=natural)
    known = criteria or {criterion.id: criterion.title for criterion in PAPER_CRITERIA}
    others = {name: name for name in rated if name not in known}
    return {name: title for name, title in {**known, **others}.items() if name in rated}


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["criterion", *(column for column in table.columns if column != "criterion")]]


def _write(
    analysis: ListeningAnalysis, results: Results, config: AnalysisConfig, folder: Path
) -> None:
    shown = _shown(analysis, config)
    texts = {
        "summary.md": to_markdown(shown),
        "summary.tex": to_latex(shown),
        "findings.md": _findings(analysis, results),
        "comments.md": collate(results.ratings, config),
    }
    for name in _TABLES:
        table = getattr(analysis, name)
        if len(table):
            texts[f"{name}.csv"] = to_csv(table)
    for name, text in texts.items():
        write_text(folder / name, text)
    # A fixed salt and no date: the same analysis gives the same bytes.
    with rc_context({"svg.hashsalt": "fxnorm", "pdf.fonttype": 42}):
        for name, metadata in _FIGURES.items():
            analysis.figure.savefig(folder / name, dpi=200, metadata=metadata)


def _findings(analysis: ListeningAnalysis, results: Results) -> str:
    parts = [
        f"**{title}.** {' '.join([analysis.findings[name], *analysis.notes[name]])}\n"
        for name, title in analysis.titles.items()
    ]
    for participant, reason in results.excluded.items():
        parts.append(f"Left out: {participant} ({reason}).\n")
    return "\n".join([*map(without_tags, parts), NOTE])


def _shown(analysis: ListeningAnalysis, config: AnalysisConfig) -> TextTable:
    summary = analysis.summary
    table = summary[["criterion", "system", "n"]].astype(str)
    table["criterion"] = [analysis.titles[name] for name in table["criterion"]]
    table["system"] = [config.labels.get(system, system) for system in table["system"]]
    for name in ("mean", "median"):
        table[name] = [
            _with_interval(value, low, high)
            for value, low, high in zip(
                summary[name], summary[f"{name}_low"], summary[f"{name}_high"], strict=True
            )
        ]
    return TextTable(list(table.columns), table.to_numpy().tolist(), alignment="llrll")


def _with_interval(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return _WITHOUT
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"
