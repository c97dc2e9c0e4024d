"""What figures share: lines told apart with and without colour, frequencies, mel spectrograms."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe-Ito without yellow, which print loses.
PALETTE = ("#E69F00", "#D55E00", "#009E73", "#CC79A7", "#0072B2", "#56B4E9")
#: Of stem types in the project's order: Okabe and Ito's, told apart with any colour vision.
STEM_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: Frequencies that are shown, and ticks of logarithmic axes.
LOWEST_HZ, HIGHEST_HZ = 30.0, 20_000.0
TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
#: FFT length and hop of mel spectrograms in samples, their bands, and the levels shown.
MEL_FFT, MEL_HOP, MEL_BANDS, MEL_RANGE_DB = 4096, 1024, 128, 70.0

_DASHES = (":", "--", "-.", (0, (6, 1.5)), "-", (0, (5, 1, 1, 1, 1, 1)))
_WIDTH, _WIDER = 1.3, 0.6


def line_style(place: int) -> dict[str, Any]:
    """Colour, dash and width of the line in this place, 0 or more: no two places share all three.

    Colours repeat after six places, each time with another dash; after 36, lines are wider.
    """
    turn, color = divmod(place, len(PALETTE))
    wider, shift = divmod(turn, len(_DASHES))
    return {
        "color": PALETTE[color],
        "linestyle": _DASHES[(color + shift) % len(_DASHES)],
        "lw": _WIDTH + _WIDER * wider,
    }


def frequency_label(hz: float) -> str:
    """A frequency in as few characters as it takes: 500, 2k."""
    return f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}"


def frequency_axis(axis: "Axes", end_hz: float) -> None:
    """Label a logarithmic axis of frequencies below `end_hz`."""
    ticks_hz = [hz for hz in TICKS_HZ if hz < end_hz]
    axis.set_xticks(ticks_hz, [frequency_label(hz) for hz in ticks_hz])
    axis.minorticks_off()
    axis.set_xlabel("frequency (Hz)")
