"""The command's own help as a page: a hook of mkdocs."""

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

from fxnorm.cli.command import make_parser

_PLACE = "<!-- the help of every command -->"
_WIDTH = 100


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put every command's help where the page says so."""
    return markdown.replace(_PLACE, command_reference()) if _PLACE in markdown else markdown


def command_reference() -> str:
    """One section for each command, with its help as the command prints it."""
    parts = []
    for parser in _with_actions(make_parser()):
        parser.formatter_class = partial(argparse.HelpFormatter, width=_WIDTH)  # type: ignore[assignment]
        parts.append(f"## {parser.prog}\n\n```text\n{parser.format_help()}```\n")
    return "\n".join(parts)


def _with_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _with_actions(inner)
