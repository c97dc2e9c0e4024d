"""The page's templates and assets."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_PACKAGE = "fxnorm.reporting.page"


@dataclass(frozen=True)
class RenderedPlayer:
    """A player's markup, and its versions' audio as base64, which goes to the end of the page."""

    html: Markup
    audio: tuple[str, ...]


def render(template: str, **context: Any) -> Markup:
    """A template of the page with its context, in which all text is escaped."""
    return Markup(_environment().get_template(template).render(context).strip())


def asset(name: str) -> Markup:
    """The text of a style sheet or script, to be put in as it is."""
    return Markup((files(_PACKAGE) / "assets" / name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
