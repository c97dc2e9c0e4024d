"""Writing a mix and its stems."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fxnorm import audio, scratch
from fxnorm.seeds import generator

_STEP_16 = np.float32(2.0**-15)


def write_mix(
    path: str | os.PathLike[str],
    mixed: np.ndarray,
    sample_rate: int,
    subtype: str = "PCM_24",
    *,
    seed: int = 0,
) -> None:
    """Write a mix; 16 bits with triangular dither of two steps (Lipshitz et al., JAES 1992).

    Args:
        path: ends in .wav or .flac.
        mixed: (samples, 2).
        sample_rate: in Hz.
        subtype: see `fxnorm.audio.write`.
        seed: of the dither.

    Raises:
        FxNormError: see `fxnorm.audio.write`.
    """
    if subtype == "PCM_16":
        mixed = _dithered(mixed, seed)
    audio.write(path, mixed, sample_rate, subtype)


def write_stems(
    folder: str | os.PathLike[str], stems: Mapping[str, np.ndarray], sample_rate: int
) -> dict[str, Path]:
    """Write the stems of a mix as `<folder>/<stem>.wav` in 32-bit floating point.

    So that they add up to the mix, and none is clipped that exceeds full scale by itself.

    Returns:
        The files by stem type.

    Raises:
        FxNormError: they can't be written.
    """
    paths = {stem: Path(folder) / f"{stem}.wav" for stem in stems}
    for stem, path in paths.items():
        audio.write(path, stems[stem], sample_rate, "FLOAT")
    return paths


def _dithered(mixed: np.ndarray, seed: int) -> np.ndarray:
    draws = generator(seed, "dither")
    out = scratch.empty(mixed.shape)
    for block in scratch.blocks(len(mixed)):
        part = mixed[block]
        noise = draws.random(part.shape, np.float32) - draws.random(part.shape, np.float32)
        out[block] = part + _STEP_16 * noise
    return out
