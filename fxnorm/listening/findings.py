"""What a listening test found, in words: a sentence per criterion, and what limits it."""

import numpy as np
import pandas as pd

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import all_tied, make_units

#: Says how to read the figures of the sentences.
NOTE = (
    "Pairs: Wilcoxon signed-rank tests on the songs on which both are rated, p-values corrected"
    " after Holm within each criterion; r is the matched-pairs rank-biserial correlation, negative"
    " where the system is rated lower. No significant difference does not show that two systems"
    " are equal.\n"
)


def finding(
    items: pd.DataFrame, test: dict[str, float], pairs: pd.DataFrame, config: AnalysisConfig
) -> str:
    """One sentence: do systems differ, and which of them from the human mix.

    Args:
        items: see `make_items`.
        test: see `friedman`.
        pairs: see `pairwise`.
        config: what was compared.
    """
    lower: list[str] = []
    higher: list[str] = []
    alike: list[str] = []
    # The human mix is the first system, so it is always `a`.
    held = pairs[pairs["a"] == config.human]
    columns = held["p_holm"].to_numpy(float), -held["rank_biserial"].to_numpy(float)
    for system, p, effect in zip(held["b"], *columns, strict=True):
        name = config.labels.get(system, system)
        figures = f"{name} ({_p(p)})" if np.isnan(p) else f"{name} ({_p(p)}, r = {_signed(effect)})"
        if p <= config.alpha:
            (lower if effect < 0.0 else higher).append(figures)
        else:
            alike.append(figures)
    human = config.labels.get(config.human, config.human)
    parts = [
        f"rated {direction} than {human}: {', '.join(systems)}"
        for direction, systems in (("lower", lower), ("higher", higher))
        if systems
    ]
    if alike:
        parts.append(f"no significant difference from {human}: {', '.join(alike)}")
    return "; ".join([_friedman(items, test, config), *parts]) + "."


def limits(
    items: pd.DataFrame, test: dict[str, float], pairs: pd.DataFrame, config: AnalysisConfig
) -> list[str]:
    """Sentences on what was left out, and on what could not have been found."""
    sentences = []
    if test["left_out"] == len(items):
        sentences.append(
            "No page was rated for all systems: each system's mean is over pages of its own, and so"
            " means differ by these, too; pairs are compared on the pages that have both."
        )
    elif test["left_out"]:
        pages = "page lacks" if test["left_out"] == 1 else "pages lack"
        sentences.append(
            f"{test['left_out']} of {len(items)} rated {pages} a system: the means and the test of"
            " all systems are without them, pairs without those that lack one of the two."
        )
    sentences += _unequal(items)
    n = int(pairs.loc[pairs["a"] == config.human, "n"].min()) if len(pairs) else 0
    # The signed-rank test's smallest p, if all of n observations agree, times Holm's first factor.
    tested = int(pairs["p"].notna().sum())
    if n and 2.0 ** (1 - n) * tested > config.alpha:
        sentences.append(f"With {count(n, config)} no pair could have differed significantly.")
    return sentences


def equivalences(table: pd.DataFrame, config: AnalysisConfig) -> list[str]:
    """A sentence per system on its equivalence to the human mix; see `equivalence`."""
    human = config.labels.get(config.human, config.human)
    sentences = []
    columns = (table[name].to_numpy(float) for name in ("margin", "n", "difference", "p_holm"))
    for system, margin, n, difference, p in zip(table["system"], *columns, strict=True):
        name = config.labels.get(system, system)
        verdict = "is" if p <= config.alpha else "is not shown to be"
        figures = f"difference {_signed(difference)}, {_p(p)}"
        if np.isnan(p):
            figures = f"from {count(int(n), config)}, and the test needs two"
        sentences.append(f"{name} {verdict} equivalent to {human} within ±{margin:g} ({figures}).")
    return sentences


def count(n: int, config: AnalysisConfig) -> str:
    """So many units, in words."""
    if config.unit == "participant":
        return f"{n} participant" + "s" * (n != 1)
    return f"{n} rating" + "s" * (n != 1) + " by participant and song"


def _unequal(items: pd.DataFrame) -> list[str]:
    """Participants who rated fewer songs than most count as much as the others: say so."""
    songs = items.index.to_frame(index=False).groupby("participant")["song"].nunique()
    usual = int(songs.mode().max())
    fewer = songs[songs < usual]
    if fewer.empty:
        return []
    names = ", ".join(f"{name} ({number})" for name, number in fewer.items())
    who = "1 participant" if len(fewer) == 1 else f"{len(fewer)} participants"
    return [
        f"{who} rated fewer than the usual {usual} songs, which counts as much as what the others"
        f" rated: {names}; --exclude leaves participants out."
    ]


def _friedman(items: pd.DataFrame, test: dict[str, float], config: AnalysisConfig) -> str:
    text = f"Friedman test over {test['systems']} systems, {count(int(test['n']), config)}: "
    if not np.isnan(test["p"]):
        return text + (
            f"χ²({test['systems'] - 1}) = {test['chi2']:.2f}, {_p(test['p'])},"
            f" Kendall's W = {test['w']:.2f}"
        )
    units = make_units(items, config)
    if len(units) and units.shape[1] > 1 and all_tied(units):
        return text + "no difference, as all rate all systems alike"
    return text + "not possible, as it needs three systems and two complete observations"


def _p(p: float) -> str:
    if np.isnan(p):
        return "not rated by the same"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _signed(value: float) -> str:
    """Two decimals; what rounds to nothing has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"
