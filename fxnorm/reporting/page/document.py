"""Putting the page together."""

import os
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_file
from fxnorm.progress import progress
from fxnorm.reporting.page.html_figures import PageFigure, figure_html
from fxnorm.reporting.page.html_tables import PageTable, table_html
from fxnorm.reporting.page.page_config import PageConfig
from fxnorm.reporting.page.players import PageSong, RenderedPlayer, render_player

_SIZE_STEP = 1e6


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    introduction: str = "",
    tables: Sequence[PageTable] = (),
    figures: Sequence[PageFigure] = (),
    songs: Sequence[PageSong] = (),
    config: PageConfig | None = None,
) -> None:
    """Write the report: one HTML file that needs no network and no server.

    The same arguments give the same bytes: the page holds no date and no identifier of a run.

    Args:
        path: the file to write.
        title: heading of the page.
        introduction: plain text; a blank line separates paragraphs.
        tables: shown in order, sortable by each column.
        figures: shown in order.
        songs: each gets a player that switches between its versions in sync, at one loudness.
        config: length, loudness and compression of the excerpts, and the size allowed.

    Raises:
        FxNormError: an unreadable or silent mix, or a page larger than `config.max_megabytes`.
    """
    config = config or PageConfig()
    players = [
        render_player(song, number, config)
        for number, song in enumerate(
            progress(songs, len(songs), "report page", "songs") if songs else (), start=1
        )
    ]
    page = Template(_asset("page.html")).substitute(
        title=escape(title),
        style=_asset("page.css"),
        script=_asset("page.js"),
        introduction=_paragraphs(introduction),
        contents=_contents(bool(songs), bool(tables), bool(figures)),
        listen=_listen(players, config),
        tables=_section("tables", "Tables", map(table_html, tables, _numbers(tables))),
        figures=_section("figures", "Figures", map(figure_html, figures, _numbers(figures))),
        audio="\n".join(player.audio for player in players),
    )
    data = page.encode()
    if len(data) > config.max_megabytes * _SIZE_STEP:
        raise FxNormError(
            f"{path}: would be {len(data) / _SIZE_STEP:.1f} MB, more than the"
            f" {config.max_megabytes:g} MB allowed; give fewer songs, or lower seconds or"
            " bitrate_kbps, or raise max_megabytes"
        )
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def _asset(name: str) -> str:
    return (files("fxnorm.reporting.page") / "assets" / name).read_text(encoding="utf-8")


def _numbers(items: Sequence[object]) -> range:
    return range(1, len(items) + 1)


def _paragraphs(text: str) -> str:
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    return "\n".join(f"<p>{escape(block)}</p>" for block in blocks if block)


def _contents(listen: bool, tables: bool, figures: bool) -> str:
    parts = {"listen": ("Listen", listen), "tables": ("Tables", tables)}
    parts["figures"] = ("Figures", figures)
    links = "".join(
        f'<a href="#{anchor}">{name}</a>' for anchor, (name, exists) in parts.items() if exists
    )
    return f'<nav aria-label="Contents">{links}</nav>' if links else ""


def _section(anchor: str, heading: str, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    if not body:
        return ""
    return f'<section id="{anchor}">\n<h2>{heading}</h2>\n{body}\n</section>'


def _listen(players: Sequence[RenderedPlayer], config: PageConfig) -> str:
    if not players:
        return ""
    hint = Template(_asset("hint.html")).substitute(
        seconds=f"{config.seconds:g}", lufs=f"{config.target_lufs:g}".replace("-", "−")
    )
    return _section("listen", "Listen", [hint, *(player.html for player in players)])
