"""Putting the page together."""

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial

from markupsafe import Markup

from fxnorm.errors import FxNormError
from fxnorm.outputs import write_text
from fxnorm.progress import progress
from fxnorm.reporting.page.fitting import Excerpts, smaller_and_smaller
from fxnorm.reporting.page.html_figures import PageFigure, figure_html
from fxnorm.reporting.page.html_tables import PageTable, table_html
from fxnorm.reporting.page.page_config import PageConfig
from fxnorm.reporting.page.players import PageSong, render_player
from fxnorm.reporting.page.rendering import RenderedPlayer, minus_signs, page_assets, render

_MEGABYTE = 1e6

_log = logging.getLogger(__name__)


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
        config: length, loudness and compression of the excerpts, and the size allowed. Where it
            would be exceeded, excerpts get a lower bit rate, then shorter, then fewer, and the
            page says so.

    Raises:
        FxNormError: an unreadable or silent mix, or a page that is larger than
            `config.max_megabytes` even without excerpts.
    """
    config = config or PageConfig()
    page = partial(
        render,
        "page.html",
        title=title,
        **page_assets(),
        introduction=_paragraphs(introduction),
        tables=[table_html(table, number) for number, table in enumerate(tables, start=1)],
        figures=[figure_html(figure, number) for number, figure in enumerate(figures, start=1)],
        lufs=minus_signs(f"{config.target_lufs:g}"),
    )
    text, note = _fitted(page, path, songs, config)
    if note:
        _log.warning("%s: %s", path, note)
    write_text(path, f"{text}\n")


def _fitted(
    page: Callable[..., Markup],
    path: str | os.PathLike[str],
    songs: Sequence[PageSong],
    config: PageConfig,
) -> tuple[Markup, str]:
    """The page with as much audio as it may hold, and a note of what was cut down for it."""
    rest = _byte_count(page(players=(), note="", seconds=""))
    limit = config.max_megabytes * _MEGABYTE
    wanted = Excerpts(tuple(songs), config.seconds, config.bitrate_kbps)
    # Encoding takes long: what an attempt took beyond its audio, per song, tells which are in vain.
    beyond = 0.0
    for excerpts in smaller_and_smaller(wanted):
        if rest + excerpts.audio_bytes() + beyond * len(excerpts.songs) > limit:
            continue
        note = excerpts.note(wanted, config.max_megabytes)
        text = page(players=_players(excerpts, config), note=note, seconds=f"{excerpts.seconds:g}")
        if _byte_count(text) <= limit:
            return text, note
        beyond = (_byte_count(text) - rest - excerpts.audio_bytes()) / max(1, len(excerpts.songs))
    raise FxNormError(
        f"{path}: would be {rest / _MEGABYTE:.2f} MB without any excerpts, more than the"
        f" {config.max_megabytes:g} MB allowed; raise max_megabytes"
    )


def _players(excerpts: Excerpts, config: PageConfig) -> list[RenderedPlayer]:
    if not excerpts.songs:
        return []
    fitted = config.model_copy(
        update={"seconds": excerpts.seconds, "bitrate_kbps": excerpts.bitrate_kbps}
    )
    songs = progress(excerpts.songs, len(excerpts.songs), "report page", "songs")
    return [render_player(song, number, fitted) for number, song in enumerate(songs, start=1)]


def _paragraphs(text: str) -> list[str]:
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    return [block for block in blocks if block]


def _byte_count(text: str) -> int:
    return len(text.encode()) + 1
