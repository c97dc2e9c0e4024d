"""Line styles that tell any number of things apart, in colour and without it."""

from typing import Any

#: Okabe-Ito without yellow, which print loses.
PALETTE = ("#E69F00", "#D55E00", "#009E73", "#CC79A7", "#0072B2", "#56B4E9")

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
