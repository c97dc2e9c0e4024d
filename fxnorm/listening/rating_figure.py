"""The figure of a listening test: a box plot with all observations per criterion."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import make_units
from fxnorm.seeds import generator

_ACCENT, _GRAY = "#0a62a9", "#8a9099"
_BOX_WIDTH = 0.5
_PANEL_INCHES, _INCHES_PER_SYSTEM, _HEIGHT_INCHES = 2.0, 0.3, 4.0


def draw_ratings(
    items: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame,
    titles: Mapping[str, str],
    config: AnalysisConfig,
    seed: int,
) -> Figure:
    """One panel per criterion, systems side by side.

    Args:
        items: see `make_items`, by criterion.
        summary: see `summarize_ratings`, with the criterion.
        titles: of the criteria.
        config: what is one observation, and what systems are called.
        seed: of the points' places.
    """
    systems = max(len(table.columns) for table in items.values())
    width = len(items) * (_PANEL_INCHES + _INCHES_PER_SYSTEM * systems)
    figure = Figure(figsize=(max(5.0, width), _HEIGHT_INCHES), layout="constrained")
    axes = figure.subplots(1, len(items), sharey=True, squeeze=False)[0]
    for axis, (criterion, table) in zip(axes, items.items(), strict=True):
        own = summary[summary["criterion"] == criterion]
        _draw_criterion(axis, table, own, config, seed, criterion)
        # Names are not formulas, though they may hold the signs of some.
        axis.set_title(titles[criterion], fontsize=11, parse_math=False)
    axes[0].set_ylabel("Rating")
    axes[0].set_ylim(-0.02, 1.02)
    figure.legend(handles=_entries(config), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_criterion(
    axis: Axes,
    table: pd.DataFrame,
    summary: pd.DataFrame,
    config: AnalysisConfig,
    seed: int,
    criterion: str,
) -> None:
    places = np.arange(len(table.columns))
    units = make_units(table, config)
    values = [
        (units if len(units) else make_units(table[[system]], config))[system].to_numpy()
        for system in table.columns
    ]
    plain = {"color": _GRAY, "linewidth": 1.0}
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
        axis.plot(place + jitter, column, "o", color=_GRAY, markersize=3.5, alpha=0.6, mew=0)
    means = summary["mean"].to_numpy(float)
    spread = np.stack([means - summary["mean_low"], summary["mean_high"] - means])
    axis.errorbar(
        places, means, np.nan_to_num(spread), fmt="D", color=_ACCENT, markersize=5, capsize=3
    )
    names = [config.labels.get(str(system), str(system)) for system in table.columns]
    axis.set_xticks(places, names, rotation=30, ha="right", parse_math=False)
    axis.spines[["top", "right"]].set_visible(False)


def _entries(config: AnalysisConfig) -> list[Line2D]:
    unit = "participant" if config.unit == "participant" else "participant and song"
    plain: dict[str, Any] = {"linestyle": "none", "color": _GRAY}
    return [
        Line2D([], [], marker="D", color=_ACCENT, label=f"mean, {config.confidence:.0%} interval"),
        Line2D([], [], color="black", linewidth=1.5, label="median"),
        Line2D([], [], marker="s", mfc="none", markersize=8, label="quartiles", **plain),
        Line2D([], [], marker="o", markersize=3.5, label=f"one {unit}", **plain),
    ]
