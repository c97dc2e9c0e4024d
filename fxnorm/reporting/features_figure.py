"""The data set's features as a figure and as a table."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxnorm.conventions import LONG_TERM_FFT, SAMPLE_RATE, STEMS
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.effect_table import measured_features
from fxnorm.normalization.matching.effect import Curve
from fxnorm.reporting.figure_styles import STEM_COLORS
from fxnorm.stems import in_order

_LOWEST_HZ = 20.0
_POINTS = 240
_COLUMNS = 2
#: For print, beside the colours.
_LINES = ("-", "--", "-.", (0, (1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def features_table(features: DatasetFeatures) -> pd.DataFrame:
    """Features over frequency at log-spaced frequencies from 20 Hz, in long form.

    Returns:
        Columns frequency_hz, stem, and one for every feature that is a curve: eq_db, phi.
    """
    bins, frequencies = _log_bins()
    curves = [
        (name, feature.curve)
        for name, feature in measured_features().items()
        if feature.curve is not None and name in features.references
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {"frequency_hz": frequencies, "stem": stem}
                | {c.column: c.shown(features.references[name][stem][bins]) for name, c in curves}
            )
            for stem in features.stems
        ],
        ignore_index=True,
    )


def features_figure(features: DatasetFeatures, other: DatasetFeatures | None = None) -> Figure:
    """One plot for each feature: its curves, or its values, by stem type.

    Args:
        features: drawn in full.
        other: drawn faintly behind, to compare with.
    """
    measured = {n: f for n, f in measured_features().items() if n in features.references}
    rows = -(-len(measured) // _COLUMNS)
    figure = Figure(figsize=(5.0 * _COLUMNS, 3.5 * rows), layout="constrained")
    axes_list = list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)
    for axes in axes_list[len(measured) :]:
        axes.remove()
    drawn = [(features, 1.0)] if other is None else [(other, 0.35), (features, 1.0)]
    for axes, (name, feature) in zip(axes_list, measured.items(), strict=False):
        for source, alpha in drawn:
            references = source.references.get(name, {})
            if feature.curve is None:
                _draw_values(axes, references, alpha)
            else:
                _curves(axes, references, feature.curve, alpha)
        axes.set(title=feature.title, ylabel=feature.label)
    axes_list[0].legend(frameon=False)
    return figure


def _log_bins() -> tuple[np.ndarray, np.ndarray]:
    resolution_hz = SAMPLE_RATE / LONG_TERM_FFT
    wanted_hz = np.geomspace(_LOWEST_HZ, SAMPLE_RATE / 2.0, _POINTS)
    bins = np.unique(np.rint(wanted_hz / resolution_hz).astype(int))
    return bins, bins * resolution_hz


def _curves(axes: Axes, references: dict[str, np.ndarray], curve: Curve, alpha: float) -> None:
    bins, frequencies = _log_bins()
    for stem, reference in references.items():
        index = _style_index(stem, references)
        axes.semilogx(
            frequencies,
            curve.shown(reference[bins]),
            label=stem if alpha == 1.0 else None,
            alpha=alpha,
            color=STEM_COLORS[index % len(STEM_COLORS)],
            linestyle=_LINES[index % len(_LINES)],
        )
    axes.set(xlabel="frequency (Hz)", xlim=(_LOWEST_HZ, SAMPLE_RATE / 2.0))
    axes.grid(alpha=0.25, which="both", linewidth=0.5)


def _draw_values(axes: Axes, references: dict[str, np.ndarray], alpha: float) -> None:
    """A value for each stem type, with its spread where the reference has one."""
    for position, (stem, (value, *spread)) in enumerate(references.items()):
        index = _style_index(stem, references)
        style: dict[str, Any] = {
            "color": STEM_COLORS[index % len(STEM_COLORS)],
            "marker": _MARKERS[index % len(_MARKERS)],
            "alpha": alpha,
        }
        axes.errorbar(position, value, yerr=spread[0] if spread else None, capsize=4, **style)
    axes.set_xticks(range(len(references)), list(references))
    axes.margins(x=0.15)
    axes.grid(alpha=0.25, axis="y", linewidth=0.5)


def _style_index(stem: str, references: dict[str, np.ndarray]) -> int:
    """Known stem types look the same in every figure."""
    return in_order({*STEMS, *references}).index(stem)
