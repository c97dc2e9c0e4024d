"""Players: excerpts of one song's versions, matched in loudness and encoded into the page."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxnorm.audio import info, integrated_loudness
from fxnorm.audio.excerpts import busiest_in_files, fade, match_loudness, read_excerpt
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.reporting.page.html_figures import displayed_width, image_source
from fxnorm.reporting.page.page_config import PageConfig
from fxnorm.reporting.page.player import FADE_S, PlayedVersion, between, rendered_player
from fxnorm.reporting.page.rendering import RenderedPlayer, minus_signs
from fxnorm.reporting.spectrograms import mel_spectrograms


@dataclass(frozen=True)
class PageSong:
    """A song to listen to."""

    name: str
    """Shown as the player's title."""
    test_set: str
    """Shown beside it."""
    versions: Mapping[str, str | os.PathLike[str]]
    """Audio file by label, in the order shown; the excerpt is where the first, the human mix, is
    loudest."""
    spectrograms: Sequence[str] = ()
    """Labels of the versions whose mel spectrograms are shown."""


def render_player(song: PageSong, number: int, config: PageConfig) -> RenderedPlayer:
    """Cut, match and encode one song.

    Args:
        song: what to play.
        number: its place on the page, from 1.
        config: lengths and levels.
    """
    if not song.versions:
        raise FxNormError(f"{song.name}: no mixes to play; give at least one")
    start_s, samples = _excerpt_samples(song, config.seconds)
    excerpts = {
        label: fade(read_excerpt(path, start_s, samples), round(FADE_S * SAMPLE_RATE))
        for label, path in song.versions.items()
    }
    match = match_loudness(
        song.name, excerpts, target_lufs=config.target_lufs, ceiling_dbtp=config.ceiling_dbtp
    )
    matched = match.apply(excerpts)
    seconds = samples / SAMPLE_RATE
    level = config.target_lufs - match.lowered_db
    return rendered_player(
        [
            PlayedVersion(label, audio, integrated_loudness(excerpts[label], SAMPLE_RATE))
            for label, audio in matched.items()
        ],
        number=number,
        name=song.name,
        details=minus_signs(
            f"{song.test_set} test set · {between(start_s, seconds)} · {level:.1f} LUFS"
        ),
        seconds=seconds,
        bitrate_kbps=config.bitrate_kbps,
        spectrograms=_spectrograms(song, matched),
    )


def _excerpt_samples(song: PageSong, seconds: float) -> tuple[int, int]:
    """Start in seconds and length in samples."""
    paths = list(song.versions.values())
    shortest = min(info(path).duration_s for path in paths)
    if shortest <= seconds:
        return 0, math.floor(shortest * SAMPLE_RATE)
    start_s, _ = busiest_in_files(paths[:1], shortest, seconds)
    return start_s, round(seconds * SAMPLE_RATE)


def _spectrograms(song: PageSong, matched: Mapping[str, np.ndarray]) -> dict[str, str | int] | None:
    if not song.spectrograms:
        return None
    figure = mel_spectrograms({label: matched[label] for label in song.spectrograms})
    return {
        "source": image_source(figure),
        "width": displayed_width(figure),
        "labels": ", ".join(song.spectrograms),
    }
