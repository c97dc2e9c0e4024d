"""Checkpoints: everything a killed run needs to end with the bits it would have had.

All random numbers are functions of (seed, step), so no generator's state is among it.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from fxnorm.errors import FxNormError, lacks_memory
from fxnorm.outputs import atomic_file


def checkpoint_path(folder: str | os.PathLike[str], key: str) -> Path:
    """Where the checkpoint of a run is, among those of other runs."""
    return Path(folder) / key / "checkpoint.pt"


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all."""
    with atomic_file(path) as temporary:
        torch.save(content, temporary)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint to the CPU; None where there is none.

    Raises:
        FxNormError: the file is not a checkpoint. Nothing in it is executed.
    """
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # The unpickler raises all kinds on damaged bytes.
        if lacks_memory(error):
            raise  # It is no reason to delete the file.
        raise FxNormError(f"{path}: not a checkpoint; delete it to start again") from error
    return content


def discard_checkpoint(folder: str | os.PathLike[str], key: str) -> None:
    """Remove a run's checkpoint, once its results are safely written."""
    shutil.rmtree(Path(folder) / key, ignore_errors=True)
