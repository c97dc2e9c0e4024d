"""Figures of the evaluation, each a function that returns a matplotlib figure.

A system has the same style in every figure, told apart by colour and by dash or position; text is
large enough for print at one text width (about 17 cm). `mixes` are (samples, channels) by system
at 44.1 kHz, `human` is the human mix, and `names` are the systems' display names, in their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from fxnorm.audio import short_term_loudness
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.evaluation.columns import metric_label
from fxnorm.reporting.curves import long_term_spectrum_db, position_curve
from fxnorm.reporting.figure_styles import HIGHEST_HZ, LOWEST_HZ, frequency_axis, line_style
from fxnorm.reporting.names import BASELINE_NAMES, HUMAN, ordered_systems, system_name

HUMAN_COLOR = "#000000"

_REFERENCE_CURVES = Path(__file__).with_name("reference_curves.csv")
_WIDTH = 6.7
_BOXES_PER_ROW = 21
_LEGEND_COLUMNS, _LEGEND_ROW = 4, 0.2
_QUIETEST_LUFS = -60.0
_AUDIBLE_RANGE_DB = 60.0


def metric_distributions(
    scores: pd.DataFrame,
    metrics: Sequence[tuple[str, str]],
    test_set: str | None = None,
    names: Mapping[str, str] = {},
) -> Figure:
    """One panel per metric: a box per system, and every song as a point joined across systems.

    Args:
        scores: tidy scores of several systems.
        metrics: (group, metric) of each panel.
        test_set: restrict to one; all songs otherwise.
        names: of the systems.
    """
    if test_set is not None:
        scores = scores[scores["test_set"] == test_set]
    systems = ordered_systems(scores["system"], names)
    columns = max(1, min(_BOXES_PER_ROW // len(systems), 3, len(metrics)))
    rows = -(-len(metrics) // columns)
    figure = Figure(figsize=(_WIDTH, 0.6 + 2.3 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, (group, metric) in zip(axes, metrics, strict=False):
        chosen = scores[(scores["group"] == group) & (scores["metric"] == metric)]
        table = chosen.pivot_table(index=["test_set", "song"], columns="system", values="value")
        _draw_distribution(axis, table.reindex(columns=systems), names)
        axis.set_title(metric_label(group, metric), fontsize=9)
    for axis in axes[len(metrics) :]:
        axis.set_visible(False)
    if test_set:
        figure.suptitle(f"{test_set} test set; every line is a song", fontsize=9)
    return figure


def long_term_spectra(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, names: Mapping[str, str] = {}
) -> Figure:
    """Long-term spectra of the human mix and of systems, and below it their difference.

    Third-octave smoothed, at equal overall level: what differs is the balance of frequencies.
    """
    figure = _empty_figure(4.6, len(mixes) + 1)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    frequency_hz, reference_db = long_term_spectrum_db(human, SAMPLE_RATE)
    upper.semilogx(frequency_hz, reference_db, color=HUMAN_COLOR, lw=1.8, label=HUMAN)
    lower.axhline(0.0, color=HUMAN_COLOR, lw=1.0)
    audible = reference_db > reference_db.max() - _AUDIBLE_RANGE_DB
    for system, style in _styles(mixes, names).items():
        _, level_db = long_term_spectrum_db(mixes[system], SAMPLE_RATE)
        upper.semilogx(frequency_hz, level_db, **style)
        lower.semilogx(frequency_hz, np.where(audible, level_db - reference_db, np.nan), **style)
    upper.set_ylim(reference_db.max() - _AUDIBLE_RANGE_DB, reference_db.max() + 6.0)
    lower.set_ylim(-15.0, 15.0)
    upper.set_ylabel("third-octave level (dB)")
    lower.set_ylabel("system − human (dB)")
    _frequency_axis(lower)
    _tidy(lower)
    return _finished(figure, upper)


def loudness_over_time(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, names: Mapping[str, str] = {}
) -> Figure:
    """Short-term loudness (3 s) of the human mix and of systems, of at least 3 s."""
    figure = _empty_figure(2.8, len(mixes) + 1)
    axis = figure.subplots()
    axis.plot(*_audible_loudness(human), color=HUMAN_COLOR, lw=1.8, label=HUMAN)
    for system, style in _styles(mixes, names).items():
        axis.plot(*_audible_loudness(mixes[system]), **style)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("short-term loudness (LUFS)")
    return _finished(figure, axis)


def position_over_frequency(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, names: Mapping[str, str] = {}
) -> Figure:
    """Similarity of the channels, φ, over frequency: 1 is the centre, 0 one side alone."""
    figure = _empty_figure(2.8, len(mixes) + 1)
    axis = figure.subplots()
    axis.semilogx(*position_curve(human, SAMPLE_RATE), color=HUMAN_COLOR, lw=1.8, label=HUMAN)
    for system, style in _styles(mixes, names).items():
        axis.semilogx(*position_curve(mixes[system], SAMPLE_RATE), **style)
    axis.set_ylim(0.0, 1.02)
    axis.set_ylabel("φ (power-weighted mean)")
    _frequency_axis(axis)
    return _finished(figure, axis)


def training_curves(
    curves: Mapping[str, pd.DataFrame],
    reference: Mapping[str, pd.DataFrame] = {},
    names: Mapping[str, str] = {},
) -> Figure:
    """Loss over epochs: training dashed, validation solid, the best validation epoch marked.

    Args:
        curves: tidy (epoch, split, value) by system; splits "train" and "valid".
        reference: the same of other runs, such as the paper's logs, drawn thin and grey.
        names: of the systems.
    """
    figure = _empty_figure(3.2, len(curves) + len(reference) + 1)
    axis = figure.subplots()
    for name, frame in reference.items():
        _draw_curves(axis, frame, "#999999", name, width=0.9)
    for system, style in _styles(curves, names).items():
        _draw_curves(axis, curves[system], style["color"], style["label"], width=1.5)
        valid = curves[system][curves[system]["split"] == "valid"].dropna(subset="value")
        if len(valid):
            best = valid.sort_values("value").iloc[0]
            axis.plot(best["epoch"], best["value"], "o", color=style["color"], ms=5)
    axis.plot([], [], "--", color="#555555", lw=1.0, label="training")
    frames = [*curves.values(), *reference.values()]
    if all((frame["value"].dropna() > 0.0).all() for frame in frames):
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")
    axis.set_ylabel("loss")
    return _finished(figure, axis)


def read_reference_curves() -> dict[str, pd.DataFrame]:
    """Losses that the authors logged on MUSDB18: (epoch, split, value) by the run's system."""
    curves = pd.read_csv(_REFERENCE_CURVES, comment="#")
    return {str(run): part.drop(columns="run") for run, part in curves.groupby("run")}


def _draw_curves(axis: Axes, frame: pd.DataFrame, color: str, label: str, width: float) -> None:
    frame = frame.sort_values("epoch")
    train, valid = (frame[frame["split"] == split] for split in ("train", "valid"))
    axis.plot(train["epoch"], train["value"], "--", color=color, lw=0.7 * width)
    axis.plot(valid["epoch"], valid["value"], "-", color=color, lw=width, label=label)


def _draw_distribution(axis: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Boxes of the columns; a point per row and column, joined along the row."""
    positions = np.arange(table.shape[1])
    for _, values in table.iterrows():
        axis.plot(positions, values, color="#BBBBBB", lw=0.6, zorder=1)
    styles = _styles(table.columns, names)
    for position, system in enumerate(table.columns):
        color = styles[system]["color"]
        values = table[system].dropna()
        if values.empty:
            continue
        axis.boxplot(
            values,
            positions=[position],
            widths=0.55,
            showfliers=False,
            medianprops={"color": color, "lw": 2.0},
            boxprops={"color": color},
            whiskerprops={"color": color},
            capprops={"color": color},
            zorder=2,
        )
        axis.plot(
            np.full(len(values), position), values, "o", color=color, ms=3, alpha=0.8, zorder=3
        )
    axis.axhline(0.0, color=HUMAN_COLOR, lw=0.8)
    labels = [style["label"] for style in styles.values()]
    axis.set_xticks(positions, labels, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_xlim(-0.6, len(positions) - 0.4)
    _tidy(axis)


def _styles(systems: Iterable[str], names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Line style and label by system; the same in every figure for those that have a name."""
    ordered = ordered_systems(systems, names)
    known = list(dict.fromkeys([*BASELINE_NAMES, *names]))
    places = [*known, *(system for system in ordered if system not in known)]
    return {
        system: line_style(places.index(system)) | {"label": system_name(system, names)}
        for system in ordered
    }


def _empty_figure(height: float, labels: int) -> Figure:
    """A figure with axes of this height in inches, and room for a legend below them."""
    rows = -(-labels // _LEGEND_COLUMNS)
    return Figure(figsize=(_WIDTH, height + _LEGEND_ROW * rows), layout="constrained")


def _finished(figure: Figure, axis: Axes) -> Figure:
    """The figure with a legend of what is drawn on an axis."""
    _tidy(axis)
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        fontsize=8,
        frameon=False,
        ncols=min(_LEGEND_COLUMNS, len(labels)),
    )
    return figure


def _audible_loudness(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times_s, loudness = short_term_loudness(audio, SAMPLE_RATE)
    return times_s, np.where(loudness > _QUIETEST_LUFS, loudness, np.nan)


def _frequency_axis(axis: Axes) -> None:
    axis.set_xlim(LOWEST_HZ, HIGHEST_HZ)
    frequency_axis(axis, SAMPLE_RATE / 2)


def _tidy(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#E5E5E5", lw=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8, which="both")
