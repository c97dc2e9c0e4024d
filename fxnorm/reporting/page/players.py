"""Players: excerpts of one song's versions, matched in loudness and encoded into the page."""

import base64
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile
from markupsafe import Markup

from fxnorm.audio import (
    from_db,
    info,
    integrated_loudness,
    peak,
    read,
    short_term_loudness,
    to_stereo,
    true_peak_db,
)
from fxnorm.audio.excerpts import (
    busiest_start,
    fade,
    match_loudness,
    read_excerpt,
)
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.reporting.page.html_figures import displayed_width, image_source
from fxnorm.reporting.page.page_config import PageConfig
from fxnorm.reporting.page.rendering import render
from fxnorm.reporting.spectrograms import mel_spectrograms

_FADE_S = 0.02
_WAVE_COLUMNS = 480
_WAVE_HALF_HEIGHT = 100
# libsndfile maps a compression level of 0 to 1 to 320 to 32 kbit/s.
_MP3_KBPS = (320, 32)
# libsndfile refuses 1, its documented maximum; this is 32 kbit/s as well.
_HIGHEST_COMPRESSION = 0.999
# LAME scales its input by this, lest it clip.
_MP3_SCALE = 0.95
# Loudness that may be lost in encoding before it is made up for.
_TOLERANCE_DB = 0.05
# Highest true peak after decoding.
_DECODED_CEILING_DBTP = -0.1


@dataclass(frozen=True)
class PageSong:
    """A song to listen to.

    Attributes:
        name: shown as the player's title.
        test_set: shown beside it.
        versions: audio file by label, in the order shown; the excerpt is where the first, the
            human mix, is loudest unless there are `stems`.
        stems: when given, the excerpt is where all of them are active.
        spectrograms: labels of the versions whose mel spectrograms are shown.
    """

    name: str
    test_set: str
    versions: Mapping[str, str | os.PathLike[str]]
    stems: Sequence[str | os.PathLike[str]] = ()
    spectrograms: Sequence[str] = ()


@dataclass(frozen=True)
class RenderedPlayer:
    """A player's markup, and its versions' audio as base64, which goes to the end of the page."""

    html: Markup
    audio: tuple[str, ...]


def render_player(song: PageSong, number: int, config: PageConfig) -> RenderedPlayer:
    """Cut, match and encode one song.

    Args:
        song: what to play.
        number: its place on the page, from 1.
        config: lengths and levels.
    """
    if not song.versions:
        raise FxNormError(f"{song.name}: no mixes to play; give at least one")
    start_s, samples = _excerpt(song, config.seconds)
    excerpts = {
        label: fade(read_excerpt(path, start_s, samples, SAMPLE_RATE), round(_FADE_S * SAMPLE_RATE))
        for label, path in song.versions.items()
    }
    try:
        match = match_loudness(
            excerpts,
            SAMPLE_RATE,
            target_lufs=config.target_lufs,
            ceiling_dbtp=config.ceiling_dbtp,
        )
    except FxNormError as error:
        raise FxNormError(f"{song.name}: {error}") from error
    matched = match.apply(excerpts)
    original = {label: integrated_loudness(x, SAMPLE_RATE) for label, x in excerpts.items()}
    seconds = samples / SAMPLE_RATE
    level = config.target_lufs - match.lowered_db
    details = (
        f"{song.test_set} test set · {_clock(start_s)} to {_clock(start_s + seconds)}"
        f" · {level:.1f} LUFS"
    ).replace("-", "−")
    # One scale for all versions, so that their waveforms compare.
    full = max(peak(audio) for audio in matched.values())
    html = render(
        "player.html",
        number=number,
        name=song.name,
        details=details,
        seconds=f"{seconds:.3f}",
        versions=[
            {
                "label": label,
                "lufs": f"{original[label]:.1f} LUFS".replace("-", "−"),
                "wave": _wave_path(audio, full),
            }
            for label, audio in matched.items()
        ],
        wave_width=_WAVE_COLUMNS,
        wave_height=2 * _WAVE_HALF_HEIGHT,
        spectrograms=_spectrograms(song, matched),
    )
    audio = tuple(
        base64.b64encode(_encode(excerpt, config.bitrate_kbps)).decode()
        for excerpt in matched.values()
    )
    return RenderedPlayer(html, audio)


def _excerpt(song: PageSong, seconds: float) -> tuple[int, int]:
    """Start in seconds and length in samples."""
    shortest = min(info(path).duration_s for path in [*song.versions.values(), *song.stems])
    if shortest <= seconds:
        return 0, math.floor(shortest * SAMPLE_RATE)
    profiles = []
    for path in song.stems or [next(iter(song.versions.values()))]:
        audio, sample_rate = read(path)
        audio = to_stereo(audio)[: math.floor(shortest * sample_rate)]
        profiles.append(short_term_loudness(audio, sample_rate, hop_s=1.0)[1])
    start_s, _ = busiest_start(profiles, seconds)
    return min(start_s, math.floor(shortest - seconds)), round(seconds * SAMPLE_RATE)


def _spectrograms(song: PageSong, matched: Mapping[str, np.ndarray]) -> dict[str, str | int] | None:
    if not song.spectrograms:
        return None
    figure = mel_spectrograms({label: matched[label] for label in song.spectrograms}, SAMPLE_RATE)
    return {
        "source": image_source(figure),
        "width": displayed_width(figure),
        "labels": ", ".join(song.spectrograms),
    }


def _wave_path(audio: np.ndarray, full: float) -> str:
    """Outline of the waveform: highest and lowest sample of both channels per column."""
    edges = np.linspace(0, audio.shape[0], _WAVE_COLUMNS, endpoint=False).astype(int)
    scale = _WAVE_HALF_HEIGHT / full
    high = np.maximum.reduceat(audio.max(axis=1), edges) * scale
    low = np.minimum.reduceat(audio.min(axis=1), edges) * scale
    # At least a hairline where there is silence.
    upper = np.minimum(np.rint(_WAVE_HALF_HEIGHT - high), _WAVE_HALF_HEIGHT - 1).astype(int)
    lower = np.maximum(np.rint(_WAVE_HALF_HEIGHT - low), _WAVE_HALF_HEIGHT + 1).astype(int)
    outline = [f"{x} {y}" for x, y in enumerate(upper)]
    outline += [f"{x} {lower[x]}" for x in range(_WAVE_COLUMNS - 1, -1, -1)]
    return f"M{'L'.join(outline)}Z"


def _encode(audio: np.ndarray, kbps: int) -> bytes:
    data = _mp3(audio, kbps)
    decoded, _ = soundfile.read(io.BytesIO(data), always_2d=True)
    # MP3 leaves out the highest frequencies: noisy sounds lose loudness, and peaks may overshoot.
    lost_db = integrated_loudness(audio, SAMPLE_RATE) - integrated_loudness(decoded, SAMPLE_RATE)
    gain_db = min(lost_db, _DECODED_CEILING_DBTP - true_peak_db(decoded))
    return data if abs(gain_db) < _TOLERANCE_DB else _mp3(audio * from_db(gain_db), kbps)


def _mp3(audio: np.ndarray, kbps: int) -> bytes:
    # MP3 is what every browser decodes from memory.
    highest, lowest = _MP3_KBPS
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        audio / _MP3_SCALE,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=min((highest - kbps) / (highest - lowest), _HIGHEST_COMPRESSION),
    )
    return buffer.getvalue()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
