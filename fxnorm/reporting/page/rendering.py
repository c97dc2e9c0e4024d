"""The page's templates and assets."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fxnorm.content_policy import content_policy

_PACKAGE = "fxnorm.reporting.page"
_NEGATIVE = re.compile(r"(?<![\w-])-(?=\d)")


@dataclass(frozen=True)
class RenderedPlayer:
    """A player's markup, and its versions' audio as base64, which goes to the end of the page."""

    html: Markup
    audio: tuple[str, ...]


def render(template: str, **context: Any) -> Markup:
    """A template of the page with its context, in which all text is escaped."""
    return Markup(_environment().get_template(template).render(context).strip())


def page_assets() -> dict[str, str]:
    """Style and script of a page, to be put in as they are, and the policy that allows them."""
    assets = files(_PACKAGE) / "assets"
    style, script = ((assets / name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = content_policy(style, script)
    return {"style": Markup(style), "script": Markup(script), "policy": policy}


def minus_signs(text: str) -> str:
    """The text with the sign of minus before its negative numbers, where a hyphen stood."""
    return _NEGATIVE.sub("−", text)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
