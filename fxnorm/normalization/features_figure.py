"""The data set's features as a figure and as a table."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxnorm.audio import db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.matching.equalization import N_FFT

_LOWEST_HZ = 20.0
_POINTS = 240
# Okabe and Ito's colours, told apart with any colour vision; line styles serve print.
_STYLES: dict[str, dict[str, Any]] = {
    "vocals": {"color": "#0072B2", "linestyle": "-"},
    "bass": {"color": "#D55E00", "linestyle": "--"},
    "drums": {"color": "#009E73", "linestyle": "-."},
    "other": {"color": "#CC79A7", "linestyle": (0, (1, 1))},
}
_MARKERS = {"vocals": "o", "bass": "s", "drums": "^", "other": "D"}


def features_table(features: DatasetFeatures) -> pd.DataFrame:
    """Spectrum and position curves at log-spaced frequencies from 20 Hz, in long form.

    Returns:
        Columns frequency_hz, stem, eq_db and phi.
    """
    bins, frequencies = _log_bins()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "frequency_hz": frequencies,
                    "stem": stem,
                    "eq_db": db(features.eq[stem][bins]),
                    "phi": features.panning[stem][bins],
                }
            )
            for stem in features.stems
        ],
        ignore_index=True,
    )


def features_figure(features: DatasetFeatures, other: DatasetFeatures | None = None) -> Figure:
    """Curves of spectrum and position, and values of dynamics and loudness, by stem type.

    Args:
        features: drawn in full.
        other: drawn faintly behind, to compare with.
    """
    figure = Figure(figsize=(10.0, 7.0), layout="constrained")
    (spectrum, phi), (dynamics, loudness) = figure.subplots(2, 2)
    if other is not None:
        for axes, name in ((spectrum, "eq"), (phi, "panning")):
            _curves(axes, other, name, alpha=0.35)
        _values(dynamics, loudness, other, alpha=0.35)
    _curves(spectrum, features, "eq", alpha=1.0)
    _curves(phi, features, "panning", alpha=1.0)
    _values(dynamics, loudness, features, alpha=1.0)
    spectrum.set(title="Spectrum at −30 LUFS", ylabel="mean magnitude (dB)")
    phi.set(title="Similarity of left and right", ylabel="φ (1 = centre, 0 = one side)")
    dynamics.set(title="Strongest peaks below a peak of −10 dBFS", ylabel="mean ± std (dBFS)")
    loudness.set(title="Loudness", ylabel="integrated loudness (LUFS)")
    spectrum.legend(frameon=False)
    return figure


def _log_bins() -> tuple[np.ndarray, np.ndarray]:
    resolution_hz = SAMPLE_RATE / N_FFT
    wanted_hz = np.geomspace(_LOWEST_HZ, SAMPLE_RATE / 2.0, _POINTS)
    bins = np.unique(np.rint(wanted_hz / resolution_hz).astype(int))
    return bins, bins * resolution_hz


def _curves(axes: Axes, features: DatasetFeatures, name: str, alpha: float) -> None:
    bins, frequencies = _log_bins()
    for stem in features.stems:
        curve = getattr(features, name)[stem][bins]
        label = stem if alpha == 1.0 else None
        axes.semilogx(
            frequencies,
            db(curve) if name == "eq" else curve,
            label=label,
            alpha=alpha,
            **_STYLES[stem],
        )
    axes.set(xlabel="frequency (Hz)", xlim=(_LOWEST_HZ, SAMPLE_RATE / 2.0))
    axes.grid(alpha=0.25, which="both", linewidth=0.5)


def _values(dynamics: Axes, loudness: Axes, features: DatasetFeatures, alpha: float) -> None:
    stems = features.stems
    for index, stem in enumerate(stems):
        mean, deviation = features.compression[stem]
        style: dict[str, Any] = {
            "color": _STYLES[stem]["color"],
            "marker": _MARKERS[stem],
            "alpha": alpha,
        }
        dynamics.errorbar(index, mean, yerr=deviation, capsize=4, **style)
        loudness.plot(index, features.loudness[stem], **style)
    for axes in (dynamics, loudness):
        axes.set_xticks(range(len(stems)), stems)
        axes.margins(x=0.15)
        axes.grid(alpha=0.25, axis="y", linewidth=0.5)
