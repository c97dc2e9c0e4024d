"""Figures as images inside the page."""

import base64
import io
from dataclasses import dataclass

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from fxnorm.reporting.page.rendering import render

_WEBP_DPI, _WEBP_QUALITY = 160, 80
#: Pixels of the page per inch of a matplotlib figure: its 10-pt text gets about the page's size.
_PIXELS_PER_INCH = 110
#: A figure of more bytes than this as SVG, one of very many points, is smaller as an image.
_LARGEST_SVG = 400_000


@dataclass(frozen=True)
class PageFigure:
    """A figure of the page."""

    name: str
    """What follows "Figure 1." in bold."""
    image: Figure
    """What is drawn."""
    caption: str
    """Plain text."""
    alt: str
    """What the figure shows, for those who cannot see it."""


def figure_html(figure: PageFigure, number: int) -> Markup:
    """The image with its caption."""
    source, width = image_source(figure.image), displayed_width(figure.image)
    return render("figure.html", figure=figure, number=number, source=source, width=width)


def displayed_width(figure: Figure) -> int:
    """Width in pixels at which a figure's text is about as large as the page's."""
    return round(figure.get_figwidth() * _PIXELS_PER_INCH)


def image_source(figure: Figure) -> str:
    """A `data:` address: SVG, or WebP for figures that are rasterised or have very many points."""
    kind, data = _encoded(figure)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _encoded(figure: Figure) -> tuple[str, bytes]:
    if not figure.findobj(lambda artist: artist.get_rasterized()):
        svg = io.BytesIO()
        # A fixed salt and no date: the same figure gives the same bytes.
        with matplotlib.rc_context({"svg.hashsalt": "fxnorm", "svg.fonttype": "path"}):
            figure.savefig(svg, format="svg", bbox_inches="tight", metadata={"Date": None})
        if svg.tell() <= _LARGEST_SVG:
            return "svg+xml", svg.getvalue()
    webp = io.BytesIO()
    figure.savefig(
        webp,
        format="webp",
        dpi=_WEBP_DPI,
        bbox_inches="tight",
        pil_kwargs={"quality": _WEBP_QUALITY, "method": 6},
    )
    return "webp", webp.getvalue()
