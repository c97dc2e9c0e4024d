"""Audio files, levels, loudness and short-time spectra."""

from fxnorm.audio.convolution import convolved
from fxnorm.audio.decoding import READABLE, AudioInfo, blocks, info
from fxnorm.audio.levels import db, from_db, is_finite, peak, peak_db, weighted_sum
from fxnorm.audio.loudness import (
    channel_loudness,
    integrated_loudness,
    short_term_loudness,
    true_peak_db,
)
from fxnorm.audio.offset import offsets, without_offsets
from fxnorm.audio.rates import checked_rate
from fxnorm.audio.resampling import resample
from fxnorm.audio.sound_files import (
    WRITABLE,
    audio_files,
    is_audio,
    mixes_by_system,
    read,
    to_stereo,
    write,
)
from fxnorm.audio.stft import frame_count, sqrt_hann, stft

__all__ = [
    "READABLE",
    "WRITABLE",
    "AudioInfo",
    "audio_files",
    "blocks",
    "channel_loudness",
    "checked_rate",
    "convolved",
    "db",
    "frame_count",
    "from_db",
    "info",
    "integrated_loudness",
    "is_audio",
    "is_finite",
    "mixes_by_system",
    "offsets",
    "peak",
    "peak_db",
    "read",
    "resample",
    "short_term_loudness",
    "sqrt_hann",
    "stft",
    "to_stereo",
    "true_peak_db",
    "weighted_sum",
    "without_offsets",
    "write",
]
