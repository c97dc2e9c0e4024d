"""Formulas as MathML, which browsers show without a script: a hook of mkdocs."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(?:span|div) class="arithmatex">\\(?P<kind>[(\[])(?P<formula>.*?)\\[)\]]</(?:span|div)>',
    re.DOTALL,
)


def on_page_content(content: str, **_: Any) -> str:
    """Replace what the extension arithmatex has marked in a page."""
    return _FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    display = "inline" if found["kind"] == "(" else "block"
    return convert(html.unescape(found["formula"]), display=display)
