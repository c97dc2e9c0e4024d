"""Excerpts as the page holds them: MP3 in base64, and outlines of waveforms."""

import base64
import io
import math

import numpy as np
import soundfile

from fxnorm.audio import from_db, integrated_loudness, true_peak_db
from fxnorm.conventions import SAMPLE_RATE

#: Fades at both ends of an excerpt, in seconds.
FADE_S = 0.02
#: Size of a waveform's drawing.
WAVE_COLUMNS, WAVE_HEIGHT = 480, 200

_WAVE_HALF_HEIGHT = WAVE_HEIGHT // 2
# libsndfile maps a compression level of 0 to 1 to 320 to 32 kbit/s.
_MP3_KBPS = (320, 32)
# libsndfile refuses 1, its documented maximum; this is 32 kbit/s as well.
_HIGHEST_COMPRESSION = 0.999
# LAME scales its input by this, lest it clip.
_MP3_SCALE = 0.95
# Loudness that may be lost in encoding before it is made up for.
_TOLERANCE_DB = 0.05
# Highest true peak after decoding, and how often to try for it.
_DECODED_CEILING_DBTP = -0.1
_PASSES = 6


def wave_path(audio: np.ndarray, full: float) -> str:
    """Outline of the waveform: highest and lowest sample of both channels per column."""
    edges = np.linspace(0, audio.shape[0], WAVE_COLUMNS, endpoint=False).astype(int)
    scale = _WAVE_HALF_HEIGHT / full
    high = np.maximum.reduceat(audio.max(axis=1), edges) * scale
    low = np.minimum.reduceat(audio.min(axis=1), edges) * scale
    # At least a hairline where there is silence.
    upper = np.minimum(np.rint(_WAVE_HALF_HEIGHT - high), _WAVE_HALF_HEIGHT - 1).astype(int)
    lower = np.maximum(np.rint(_WAVE_HALF_HEIGHT - low), _WAVE_HALF_HEIGHT + 1).astype(int)
    outline = [f"{x} {y}" for x, y in enumerate(upper)]
    outline += [f"{x} {lower[x]}" for x in range(WAVE_COLUMNS - 1, -1, -1)]
    return f"M{'L'.join(outline)}Z"


def encoded(audio: np.ndarray, kbps: int) -> str:
    """MP3 in base64, as loud as the audio; (samples, 2) at 44.1 kHz."""
    return base64.b64encode(_encode(audio, kbps)).decode()


def _encode(audio: np.ndarray, kbps: int) -> bytes:
    gain_db = 0.0
    data = _mp3(audio, kbps)
    loudness = integrated_loudness(audio, SAMPLE_RATE)
    for _ in range(_PASSES):
        decoded, _rate = soundfile.read(io.BytesIO(data), always_2d=True)
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


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
