"""Figures as images inside the page."""

import base64
import io
from dataclasses import dataclass
from html import escape

import matplotlib
from matplotlib.figure import Figure

from fxnorm.errors import FxNormError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DPI = 200
# Pixels of the page per inch of a matplotlib figure: its 10-pt text gets about the page's size.
_PIXELS_PER_INCH = 110
# A figure of more bytes than this as SVG, one of very many points, is smaller as PNG.
_LARGEST_SVG = 400_000


@dataclass(frozen=True)
class PageFigure:
    """A figure of the page.

    Attributes:
        name: what follows "Figure 1." in bold.
        image: a matplotlib figure, or the bytes of a PNG or SVG file.
        caption: plain text.
        alt: what the figure shows, for those who cannot see it.
    """

    name: str
    image: Figure | bytes
    caption: str
    alt: str


def figure_html(figure: PageFigure, number: int) -> str:
    """The image with its caption."""
    data = figure.image if isinstance(figure.image, bytes) else _encode(figure.image)
    if data.startswith(_PNG):
        kind = "png"
    elif b"<svg" in data[:2000]:
        kind = "svg+xml"
    else:
        raise FxNormError(f"figure '{figure.name}': is neither PNG nor SVG; give one of these")
    width = ""
    if isinstance(figure.image, Figure):
        width = f' width="{round(figure.image.get_figwidth() * _PIXELS_PER_INCH)}"'
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return (
        '<figure class="image">\n'
        f'<div class="scroll"><img src="{source}"{width} alt="{escape(figure.alt)}"></div>\n'
        f"<figcaption><b>Figure {number}. {escape(figure.name)}.</b>"
        f" {escape(figure.caption)}</figcaption>\n"
        "</figure>"
    )


def _encode(figure: Figure) -> bytes:
    svg = io.BytesIO()
    # A fixed salt and no date: the same figure gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "fxnorm", "svg.fonttype": "path"}):
        figure.savefig(svg, format="svg", bbox_inches="tight", metadata={"Date": None})
    if svg.tell() <= _LARGEST_SVG:
        return svg.getvalue()
    png = io.BytesIO()
    figure.savefig(
        png, format="png", dpi=_PNG_DPI, bbox_inches="tight", metadata={"Software": None}
    )
    return png.getvalue()
