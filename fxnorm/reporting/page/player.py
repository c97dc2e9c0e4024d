"""A player: an outline of each version, and its audio as MP3 in base64."""

import base64
import io
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import soundfile

from fxnorm.audio import from_db, integrated_loudness, peak, true_peak_db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.reporting.page.rendering import RenderedPlayer, minus_signs, render

#: Fades at both ends of an excerpt, in seconds.
FADE_S = 0.02

#: Size of a waveform's drawing.
_WAVE_COLUMNS, _WAVE_HEIGHT = 480, 200
_WAVE_HALF_HEIGHT = _WAVE_HEIGHT // 2
_LEAST_FULL_SCALE = 1e-6
#: libsndfile maps a compression level of 0 to 1 to 320 to 32 kbit/s.
_MP3_KBPS = (320, 32)
#: libsndfile refuses 1, its documented maximum; this is 32 kbit/s as well.
_HIGHEST_COMPRESSION = 0.999
#: LAME scales its input by this, lest it clip.
_MP3_SCALE = 0.95
#: Loudness that may be lost in encoding before it is made up for.
_TOLERANCE_DB = 0.05
#: Highest true peak after decoding, and how often to try for it.
_DECODED_CEILING_DBTP = -0.1
_PASSES = 6


class PlayedVersion(NamedTuple):
    """Something to listen to: (samples, 2) at 44.1 kHz, and its loudness before matching."""

    label: str
    audio: np.ndarray
    lufs: float


def rendered_player(
    versions: Sequence[PlayedVersion],
    *,
    number: int,
    name: str,
    details: str,
    seconds: float,
    bitrate_kbps: int,
    spectrograms: Mapping[str, str | int] | None = None,
) -> RenderedPlayer:
    """A player that switches between versions.

    Args:
        versions: in order.
        number: the player's on the page, from 1.
        name: its title.
        details: shown beside it.
        seconds: length of the versions.
        bitrate_kbps: of the encoded audio.
        spectrograms: an image's source, width and labels.
    """
    # One scale for all versions, so that their waveforms compare.
    full = max(*(peak(version.audio) for version in versions), _LEAST_FULL_SCALE)
    html = render(
        "player.html",
        number=number,
        name=name,
        details=details,
        seconds=f"{seconds:.3f}",
        versions=[
            {
                "label": label,
                "lufs": minus_signs(f"{lufs:.1f} LUFS") if math.isfinite(lufs) else "silent",
                "wave": _wave_path(audio, full),
            }
            for label, audio, lufs in versions
        ],
        wave_width=_WAVE_COLUMNS,
        wave_height=_WAVE_HEIGHT,
        spectrograms=spectrograms,
    )
    # The encoder lets other threads run.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        encoded = pool.map(lambda version: _encode(version.audio, bitrate_kbps), versions)
        return RenderedPlayer(html, tuple(base64.b64encode(data).decode() for data in encoded))


def between(start_s: float, seconds: float) -> str:
    """Where an excerpt begins and ends, in minutes and seconds."""
    first, last = (f"{int(at) // 60}:{int(at) % 60:02d}" for at in (start_s, start_s + seconds))
    return f"{first} to {last}"


def _wave_path(audio: np.ndarray, full: float) -> str:
    """Outline of the waveform: highest and lowest sample of both channels per column."""
    edges = np.linspace(0, audio.shape[0], _WAVE_COLUMNS, endpoint=False).astype(int)
    scale = _WAVE_HALF_HEIGHT / full
    high = np.maximum.reduceat(np.maximum(*audio.T), edges) * scale
    low = np.minimum.reduceat(np.minimum(*audio.T), edges) * scale
    # At least a hairline where there is silence.
    upper = np.minimum(np.rint(_WAVE_HALF_HEIGHT - high), _WAVE_HALF_HEIGHT - 1).astype(int)
    lower = np.maximum(np.rint(_WAVE_HALF_HEIGHT - low), _WAVE_HALF_HEIGHT + 1).astype(int)
    outline = [f"{x} {y}" for x, y in enumerate(upper)]
    outline += [f"{x} {lower[x]}" for x in range(_WAVE_COLUMNS - 1, -1, -1)]
    return f"M{'L'.join(outline)}Z"


def _encode(audio: np.ndarray, kbps: int) -> bytes:
    """MP3 as loud as the audio."""
    gain_db = 0.0
    data = _mp3(audio, kbps)
    loudness = integrated_loudness(audio, SAMPLE_RATE)
    for _ in range(_PASSES):
        decoded, _rate = soundfile.read(io.BytesIO(data), dtype="float32")
        # MP3 leaves out the highest frequencies: noisy sounds lose loudness, and peaks overshoot,
        # anew each time.
        lost_db = loudness - integrated_loudness(decoded, SAMPLE_RATE)
        if not math.isfinite(lost_db):
            break
        change_db = min(lost_db, _DECODED_CEILING_DBTP - true_peak_db(decoded))
        if abs(change_db) < _TOLERANCE_DB:
            break
        gain_db += change_db
        data = _mp3(audio * from_db(gain_db), kbps)
    return data


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
