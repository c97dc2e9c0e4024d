"""Generated songs against real ones as one figure."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxnorm.conventions import STEMS
from fxnorm.reporting.figure_styles import STEM_COLORS, frequency_axis

_REAL, _GENERATED = "#000000", "#D55E00"


def comparison_figure(table: pd.DataFrame) -> Figure:
    """Spectra, spread between songs, and width of generated and of real songs.

    Args:
        table: of `compare_with_real_music`, with the features of the stems.
    """
    figure = Figure(figsize=(11.0, 7.5), layout="constrained")
    (spectrum, spread), (stems, width) = figure.subplots(2, 2)
    mixes = table[table["part"] == "mixture"]
    _mix_spectra(spectrum, spread, mixes[mixes["quantity"] == "third_octave_db"])
    _stem_curves(stems, table, "eq_db")
    _stem_curves(width, table, "phi")
    _mix_widths(width, mixes[mixes["quantity"] == "phi"])
    spectrum.set(title="Mixes: mean of the songs, ± deviation", ylabel="third octave (dB)")
    spectrum.legend(frameon=False, fontsize=8)
    spread.set(title="Mixes: deviation between songs", ylabel="dB", ylim=(0.0, None))
    spread.legend(frameon=False, fontsize=8)
    stems.set(title="Stems: mean spectrum at −30 LUFS", ylabel="magnitude (dB)")
    stems.legend(frameon=False, fontsize=8, ncols=2)
    width.set(title="Similarity of left and right", ylabel="φ (1 = centre)", ylim=(0.75, 1.0))
    width.legend(frameon=False, fontsize=8)
    for axes in (spectrum, spread, stems, width):
        axes.set_xscale("log")
        frequency_axis(axes, 20_000.0)
        axes.grid(alpha=0.25, linewidth=0.5)
    figure.suptitle("Dashed and black: real music; solid and coloured: generated", fontsize=10)
    return figure


def _mix_spectra(spectrum: Axes, spread: Axes, rows: pd.DataFrame) -> None:
    hz = rows["frequency_hz"]
    mean, deviation = rows["real_mean"], rows["real_deviation"]
    spectrum.fill_between(
        hz, rows["minimum"], rows["maximum"], color="#cccccc", lw=0, alpha=0.5, label="real, range"
    )
    spectrum.fill_between(hz, mean - deviation, mean + deviation, color="#999999", lw=0, alpha=0.5)
    spectrum.plot(hz, mean, color=_REAL, ls="--", label="real, mean ± deviation")
    spectrum.errorbar(
        hz,
        rows["generated_mean"],
        yerr=rows["generated_deviation"],
        color=_GENERATED,
        capsize=2,
        lw=1.4,
        elinewidth=0.8,
        label="generated, mean ± deviation",
    )
    spread.plot(hz, deviation, color=_REAL, ls="--", label="real")
    spread.plot(hz, 0.6 * deviation, color=_REAL, ls=":", lw=0.8, label="60 % of it")
    spread.plot(hz, rows["generated_deviation"], color=_GENERATED, label="generated")


def _stem_curves(axes: Axes, table: pd.DataFrame, quantity: str) -> None:
    for stem, color in zip(STEMS, STEM_COLORS, strict=False):
        rows = table[(table["part"] == stem) & (table["quantity"] == quantity)]
        style: dict[str, Any] = {"color": color}
        axes.plot(rows["frequency_hz"], rows["real_mean"], ls="--", lw=1.0, **style)
        axes.plot(rows["frequency_hz"], rows["generated_mean"], label=stem, **style)


def _mix_widths(axes: Axes, rows: pd.DataFrame) -> None:
    hz = rows["frequency_hz"]
    axes.errorbar(hz, rows["real_mean"], yerr=rows["real_deviation"], fmt="ks", ms=4, capsize=3)
    axes.plot(hz, rows["generated_mean"], "D", color=_GENERATED, ms=6, label="mixes, four bands")
