"""From result files to tables, a figure and sentences."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxnorm.errors import FxNormError
from fxnorm.listening.rating_files import read_key, read_ratings
from fxnorm.listening.rating_statistics import (
    AnalysisConfig,
    friedman,
    make_blocks,
    pairwise,
    reliability,
    summarize,
    system_order,
)
from fxnorm.listening.stimuli import REFERENCE
from fxnorm.outputs import atomic_folder
from fxnorm.seeds import generator
from fxnorm.tabulation import TextTable, to_csv, to_latex, to_markdown

_ACCENT, _GREY = "#0a62a9", "#8a9099"
_BOX_WIDTH = 0.5
_TABLES = ("ratings", "summary", "friedman", "pairwise", "participants")
#: All that a folder of results holds.
_FILES = (
    *(f"{name}.csv" for name in _TABLES),
    "summary.md",
    "summary.tex",
    "findings.md",
    "ratings.png",
)
_NOTE = (
    "Pairs: Wilcoxon signed-rank tests, p-values corrected after Holm; r is the matched-pairs"
    " rank-biserial correlation, negative where the system is rated lower. No significant"
    " difference does not show that two systems are equal.\n"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListeningAnalysis:
    """What a listening test found.

    Attributes:
        ratings: the tidy table, see `read_ratings`.
        summary: per criterion and system, see `summarize`.
        friedman: per criterion, see `friedman`.
        pairwise: per criterion and pair, see `pairwise`.
        participants: see `reliability`.
        findings: a sentence or two per criterion.
        figure: a box plot with all observations per criterion.
    """

    ratings: pd.DataFrame
    summary: pd.DataFrame
    friedman: pd.DataFrame
    pairwise: pd.DataFrame
    participants: pd.DataFrame
    findings: dict[str, str]
    figure: Figure


def analyze(
    results: Sequence[str | os.PathLike[str]],
    key: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    config: AnalysisConfig | None = None,
    *,
    seed: int = 0,
) -> ListeningAnalysis:
    """Analyse a listening test, and write what it found.

    The dry sum is left out of the statistics where a tool had it rated (webMUSHRA does).

    Args:
        results: files of webMUSHRA, the Web Audio Evaluation Tool, or of our own page.
        key: the export's `key.csv`.
        folder: if given, gets `ratings.csv`, `summary.{csv,md,tex}`, `friedman.csv`,
            `pairwise.csv`, `participants.csv`, `findings.md` and `ratings.png`;
            an earlier analysis there is replaced.
        config: what is compared, and how.
        seed: of the bootstrap and of the points' places in the figure.

    Raises:
        FxNormError: see `read_ratings`; or no rating of the human mix, or `folder` holds
            something else.
    """
    config = config or AnalysisConfig()
    if folder is not None:
        _check(Path(folder))
    ratings = read_ratings(results, read_key(key))
    analysis = analyze_ratings(ratings, config, seed=seed)
    if folder is not None:
        with atomic_folder(folder, replaces=_FILES) as temporary:
            _write(analysis, temporary)
    return analysis


def analyze_ratings(
    ratings: pd.DataFrame, config: AnalysisConfig, *, seed: int = 0
) -> ListeningAnalysis:
    """Analyse a tidy table of ratings; see `analyze`."""
    mixes = ratings[ratings["system"] != REFERENCE]
    if config.human not in set(mixes["system"]):
        known = ", ".join(sorted(set(mixes["system"])))
        raise FxNormError(
            f"no rating of '{config.human}', with which the others are compared; name one of"
            f" {known}"
        )
    order = system_order(list(mixes["system"]), config.human)
    blocks = {
        str(criterion): make_blocks(rows, config).reindex(columns=order)
        for criterion, rows in mixes.groupby("criterion", sort=True)
    }
    summary, tests, pairs, findings = [], [], [], {}
    for criterion, table in blocks.items():
        test, pair = friedman(table), pairwise(table)
        if test["left_out"]:
            _log.warning(
                "%s: %d of %d observations lack a system and are left out of the Friedman test",
                criterion,
                test["left_out"],
                len(table),
            )
        summary.append(summarize(table, config, seed, criterion).assign(criterion=criterion))
        tests.append(pd.DataFrame([test]).assign(criterion=criterion))
        pairs.append(pair.assign(criterion=criterion))
        findings[criterion] = _finding(table, test, pair, config)
    return ListeningAnalysis(
        ratings,
        _stack(summary),
        _stack(tests),
        _stack(pairs),
        reliability(mixes),
        findings,
        _draw(blocks, _stack(summary), seed),
    )


def _check(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "findings.md").is_file():
        raise FxNormError(f"{folder}: holds files of something else; give a new or empty folder")


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["criterion", *(column for column in table.columns if column != "criterion")]]


def _finding(
    blocks: pd.DataFrame, test: dict[str, float], pairs: pd.DataFrame, config: AnalysisConfig
) -> str:
    units = "participants" if config.unit == "participant" else "ratings by participant and song"
    text = f"Friedman test over {test['systems']} systems, {test['n']} {units}: "
    if np.isnan(test["p"]):
        text += "not possible (it needs three systems and two complete observations)."
    else:
        text += (
            f"χ²({test['systems'] - 1}) = {test['chi2']:.2f}, {_p(test['p'])},"
            f" Kendall's W = {test['w']:.2f}."
        )
    differing, others = [], []
    # The human mix is the first system, so it is always `a`.
    held = pairs[pairs["a"] == config.human]
    effects = -held["rank_biserial"].to_numpy(float)
    for system, p, effect in zip(held["b"], held["p_holm"].to_numpy(float), effects, strict=True):
        figures = _p(p) if np.isnan(p) else f"{_p(p)}, r = {effect:.2f}"
        if p <= config.alpha:
            direction = "lower" if effect < 0.0 else "higher"
            differing.append(f"{system} is rated {direction} than {config.human} ({figures})")
        else:
            others.append(f"{system} ({figures})")
    if differing:
        text += f" {'; '.join(differing)}."
    if others:
        text += f" No significant difference from {config.human}: {', '.join(others)}."
    # The signed-rank test's smallest p, if all of n observations agree, times Holm's first factor.
    if others and 2.0 ** (1 - len(blocks)) * len(pairs) > config.alpha:
        text += f" With {len(blocks)} {units} none could have been significant."
    return text


def _p(p: float) -> str:
    if np.isnan(p):
        return "not rated by the same"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _draw(blocks: dict[str, pd.DataFrame], summary: pd.DataFrame, seed: int) -> Figure:
    figure = Figure(figsize=(max(5.0, 3.2 * len(blocks)), 3.6), layout="constrained")
    axes = figure.subplots(1, len(blocks), sharey=True, squeeze=False)[0]
    for axis, (criterion, table) in zip(axes, blocks.items(), strict=True):
        _draw_criterion(axis, table, summary[summary["criterion"] == criterion], seed, criterion)
    axes[0].set_ylabel("Rating")
    axes[0].set_ylim(-0.02, 1.02)
    return figure


def _draw_criterion(
    axis: Axes, table: pd.DataFrame, summary: pd.DataFrame, seed: int, criterion: str
) -> None:
    places = np.arange(len(table.columns))
    values = [table[system].dropna().to_numpy() for system in table.columns]
    plain = {"color": _GREY, "linewidth": 1.0}
    axis.boxplot(
        values,
        positions=places,
        widths=_BOX_WIDTH,
        showfliers=False,
        boxprops=plain,
        whiskerprops=plain,
        capprops=plain,
        medianprops={"color": "black", "linewidth": 1.5},
    )
    for place, column in zip(places, values, strict=True):
        rng = generator(seed, "jitter", criterion, int(place))
        jitter = rng.uniform(-0.4, 0.4, column.size) * _BOX_WIDTH
        axis.plot(place + jitter, column, "o", color=_GREY, markersize=3.5, alpha=0.6, mew=0)
    means = summary["mean"].to_numpy()
    spread = np.stack([means - summary["mean_low"], summary["mean_high"] - means])
    axis.errorbar(
        places, means, np.nan_to_num(spread), fmt="D", color=_ACCENT, markersize=5, capsize=3
    )
    axis.set_title(criterion.replace("-", " ").capitalize(), fontsize=11)
    axis.set_xticks(places, [str(name) for name in table.columns], rotation=30, ha="right")
    axis.spines[["top", "right"]].set_visible(False)


def _write(analysis: ListeningAnalysis, folder: Path) -> None:
    for name in _TABLES:
        _write_text(folder / f"{name}.csv", to_csv(getattr(analysis, name)))
    shown = _shown(analysis.summary)
    _write_text(folder / "summary.md", to_markdown(shown))
    _write_text(folder / "summary.tex", to_latex(shown))
    findings = [f"**{criterion}.** {text}\n" for criterion, text in analysis.findings.items()]
    _write_text(folder / "findings.md", "\n".join([*findings, _NOTE]))
    analysis.figure.savefig(folder / "ratings.png", dpi=200, metadata={"Software": None})


def _shown(summary: pd.DataFrame) -> TextTable:
    table = summary[["criterion", "system", "n"]].astype(str)
    for name in ("mean", "median"):
        table[name] = [
            f"{value:.2f} [{low:.2f}, {high:.2f}]"
            for value, low, high in zip(
                summary[name], summary[f"{name}_low"], summary[f"{name}_high"], strict=True
            )
        ]
    return TextTable(list(table.columns), table.to_numpy().tolist(), alignment="llrll")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
