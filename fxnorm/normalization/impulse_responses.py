"""Impulse responses on disk."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxnorm import audio
from fxnorm.audio.names import require_target
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

_FILES = ("impulse_response.wav", "impulse_response.flac")


@dataclass(frozen=True)
class ImpulseResponse:
    """A room's response."""

    name: str
    """Of its folder."""
    samples: np.ndarray
    """(samples, 1 or 2) float32 at 44.1 kHz."""


def load_impulse_responses(folder: str | os.PathLike[str]) -> list[ImpulseResponse]:
    """Read `<folder>/<name>/impulse_response.wav` or `.flac`, by name, resampled to 44.1 kHz.

    Raises:
        FxNormError: the folder is missing or has none, one is silent or has more than two channels,
            or a link leads nowhere.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FxNormError(f"{folder}: no such folder of impulse responses")
    for path in (*root.iterdir(), *root.glob("*/*")):
        require_target(path)
    paths = sorted(path for name in _FILES for path in root.glob(f"*/{name}"))
    if not paths:
        raise FxNormError(f"{folder}: holds no impulse responses; expected <name>/{_FILES[0]}")
    return [_load_response(path) for path in paths]


def _load_response(path: Path) -> ImpulseResponse:
    samples, sample_rate = audio.read(path)
    audio.require_stereo(path, samples.shape[1])
    if not samples.any():
        raise FxNormError(f"{path}: is silent; replace or remove it")
    return ImpulseResponse(path.parent.name, audio.resample(samples, sample_rate, SAMPLE_RATE))
