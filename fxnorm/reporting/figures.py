"""Figures of the evaluation, each a function that returns a matplotlib figure.

Colours are the Okabe-Ito palette, told apart also by shape, dash or position; text is large enough
for print at one text width (about 17 cm).
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
from fxnorm.reporting.curves import long_term_spectrum_db, position_curve
from fxnorm.reporting.names import HUMAN, SYSTEM_NAMES, metric_label, ordered_systems, system_name

#: Okabe-Ito without yellow, which print loses; in the order of `SYSTEM_NAMES`.
PALETTE = ("#E69F00", "#D55E00", "#009E73", "#CC79A7", "#0072B2", "#56B4E9")
HUMAN_COLOUR = "#000000"

_REFERENCE_CURVES = Path(__file__).with_name("reference_curves.csv")
_WIDTH = 6.7
_DASHES = (":", "--", "-.", (0, (6, 1.5)), "-", (0, (5, 1, 1, 1, 1, 1)))
_FREQUENCY_TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_QUIETEST_LUFS = -60.0
_AUDIBLE_RANGE_DB = 60.0


def metric_distributions(
    scores: pd.DataFrame, metrics: Sequence[tuple[str, str]], test_set: str | None = None
) -> Figure:
    """One panel per metric: a box per system, and every song as a point joined across systems.

    Args:
        scores: tidy scores of several systems.
        metrics: (group, metric) of each panel.
        test_set: restrict to one; all songs otherwise.
    """
    if test_set is not None:
        scores = scores[scores["test_set"] == test_set]
    systems = ordered_systems(scores["system"])
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    figure = Figure(figsize=(_WIDTH, 0.6 + 2.3 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, (group, metric) in zip(axes, metrics, strict=False):
        chosen = scores[(scores["group"] == group) & (scores["metric"] == metric)]
        table = chosen.pivot_table(index=["test_set", "song"], columns="system", values="value")
        _draw_distribution(axis, table.reindex(columns=systems))
        axis.set_title(metric_label(group, metric), fontsize=9)
    for axis in axes[len(metrics) :]:
        axis.set_visible(False)
    if test_set:
        figure.suptitle(f"{test_set} test set; every line is a song", fontsize=9)
    return figure


def long_term_spectra(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, sample_rate: int
) -> Figure:
    """Long-term spectra of the human mix and of systems, and below it their difference.

    Third-octave smoothed, at equal overall level: what differs is the balance of frequencies.

    Args:
        mixes: (samples, channels) by system.
        human: (samples, channels).
        sample_rate: in Hz.
    """
    figure = Figure(figsize=(_WIDTH, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    frequency_hz, reference_db = long_term_spectrum_db(human, sample_rate)
    upper.semilogx(frequency_hz, reference_db, color=HUMAN_COLOUR, lw=1.8, label=HUMAN)
    lower.axhline(0.0, color=HUMAN_COLOUR, lw=1.0)
    audible = reference_db > reference_db.max() - _AUDIBLE_RANGE_DB
    for system, style in _styles(mixes).items():
        _, level_db = long_term_spectrum_db(mixes[system], sample_rate)
        upper.semilogx(frequency_hz, level_db, **style)
        lower.semilogx(frequency_hz, np.where(audible, level_db - reference_db, np.nan), **style)
    upper.set_ylim(reference_db.max() - _AUDIBLE_RANGE_DB, reference_db.max() + 6.0)
    lower.set_ylim(-15.0, 15.0)
    upper.set_ylabel("third-octave level (dB)")
    lower.set_ylabel("system − human (dB)")
    _frequency_axis(lower, sample_rate)
    for axis in (upper, lower):
        _tidy(axis)
    upper.legend(fontsize=8, frameon=False, ncols=2)
    return figure


def loudness_over_time(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, sample_rate: int
) -> Figure:
    """Short-term loudness (3 s) of the human mix and of systems.

    Args:
        mixes: (samples, channels) by system, at least 3 s.
        human: (samples, channels).
        sample_rate: in Hz.
    """
    figure = Figure(figsize=(_WIDTH, 2.8), layout="constrained")
    axis = figure.subplots()
    times_s, loudness = short_term_loudness(human, sample_rate)
    axis.plot(times_s, _audible(loudness), color=HUMAN_COLOUR, lw=1.8, label=HUMAN)
    for system, style in _styles(mixes).items():
        times_s, loudness = short_term_loudness(mixes[system], sample_rate)
        axis.plot(times_s, _audible(loudness), **style)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("short-term loudness (LUFS)")
    axis.legend(fontsize=8, frameon=False, ncols=3)
    _tidy(axis)
    return figure


def position_over_frequency(
    mixes: Mapping[str, np.ndarray], human: np.ndarray, sample_rate: int
) -> Figure:
    """Similarity of the channels, φ, over frequency: 1 is the centre, 0 one side alone.

    Args:
        mixes: (samples, 2) by system.
        human: (samples, 2).
        sample_rate: in Hz.
    """
    figure = Figure(figsize=(_WIDTH, 2.8), layout="constrained")
    axis = figure.subplots()
    frequency_hz, phi = position_curve(human, sample_rate)
    axis.semilogx(frequency_hz, phi, color=HUMAN_COLOUR, lw=1.8, label=HUMAN)
    for system, style in _styles(mixes).items():
        axis.semilogx(frequency_hz, position_curve(mixes[system], sample_rate)[1], **style)
    axis.set_ylim(0.0, 1.02)
    axis.set_ylabel("φ (power-weighted mean)")
    _frequency_axis(axis, sample_rate)
    axis.legend(fontsize=8, frameon=False, ncols=3, loc="lower left")
    _tidy(axis)
    return figure


def training_curves(
    curves: Mapping[str, pd.DataFrame],
    reference: Mapping[str, pd.DataFrame] | None = None,
    loss_name: str = "loss",
) -> Figure:
    """Loss over epochs: training dashed, validation solid, the best validation epoch marked.

    Args:
        curves: tidy (epoch, split, value) by system; splits "train" and "valid".
        reference: the same of other runs, such as the paper's logs, drawn thin and grey.
        loss_name: label of the axis.
    """
    figure = Figure(figsize=(_WIDTH, 3.2), layout="constrained")
    axis = figure.subplots()
    for name, frame in (reference or {}).items():
        _draw_curves(axis, frame, "#999999", name, width=0.9)
    for system, style in _styles(curves).items():
        _draw_curves(axis, curves[system], style["color"], style["label"], width=1.5)
        valid = curves[system][curves[system]["split"] == "valid"].dropna(subset="value")
        if len(valid):
            best = valid.sort_values("value").iloc[0]
            axis.plot(best["epoch"], best["value"], "o", color=style["color"], ms=5)
    axis.plot([], [], "--", color="#555555", lw=1.0, label="training")
    frames = [*curves.values(), *(reference or {}).values()]
    if all((frame["value"].dropna() > 0.0).all() for frame in frames):
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")
    axis.set_ylabel(loss_name)
    axis.legend(fontsize=8, frameon=False, ncols=3)
    _tidy(axis)
    return figure


def read_reference_curves() -> dict[str, pd.DataFrame]:
    """Losses that the authors logged on MUSDB18: (epoch, split, value) by run.

    The runs are "pretrained" (L1 of the samples), "ours_S_Lb" and "wun_S_Lb" (loss B).
    """
    curves = pd.read_csv(_REFERENCE_CURVES, comment="#")
    return {str(run): part.drop(columns="run") for run, part in curves.groupby("run")}


def _draw_curves(axis: Axes, frame: pd.DataFrame, color: str, label: str, width: float) -> None:
    frame = frame.sort_values("epoch")
    train, valid = (frame[frame["split"] == split] for split in ("train", "valid"))
    axis.plot(train["epoch"], train["value"], "--", color=color, lw=0.7 * width)
    axis.plot(valid["epoch"], valid["value"], "-", color=color, lw=width, label=label)


def _draw_distribution(axis: Axes, table: pd.DataFrame) -> None:
    """Boxes of the columns; a point per row and column, joined along the row."""
    positions = np.arange(table.shape[1])
    for _, values in table.iterrows():
        axis.plot(positions, values, color="#BBBBBB", lw=0.6, zorder=1)
    styles = _styles(table.columns)
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
    axis.axhline(0.0, color=HUMAN_COLOUR, lw=0.8)
    names = [system_name(name) for name in table.columns]
    axis.set_xticks(positions, names, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_xlim(-0.6, len(positions) - 0.4)
    _tidy(axis)


def _styles(systems: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "color": PALETTE[index % len(PALETTE)],
            "linestyle": _DASHES[index % len(_DASHES)],
            "lw": 1.3,
            "label": system_name(name),
        }
        for name, index in _places(ordered_systems(systems)).items()
    }


def _places(systems: Sequence[str]) -> dict[str, int]:
    """Where in the palette each system is: the same in every figure for those with a name."""
    known = list(SYSTEM_NAMES)
    others = [name for name in systems if name not in known]
    return {name: (known + others).index(name) for name in systems}


def _audible(loudness: np.ndarray) -> np.ndarray:
    return np.where(loudness > _QUIETEST_LUFS, loudness, np.nan)


def _frequency_axis(axis: Axes, sample_rate: int) -> None:
    ticks = [tick for tick in _FREQUENCY_TICKS if tick < sample_rate / 2]
    axis.set_xlim(30.0, min(20_000.0, sample_rate / 2))
    axis.set_xticks(ticks, [f"{tick / 1000:g}k" if tick >= 1000 else f"{tick}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("frequency (Hz)")


def _tidy(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#E5E5E5", lw=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8, which="both")
