"""Weights in a safetensors file, and whether they are those of a network."""

import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from fxnorm.errors import FxNormError

#: Names in a message.
_SHOWN = 3


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        FxNormError: it is missing or damaged.
    """
    if not Path(path).is_file():
        raise FxNormError(f"{path}: no such file")
    try:
        return safetensors.torch.load_file(path)
    except OSError as error:
        raise FxNormError(f"{path}: can't be read ({error.strerror or error})") from error
    except SafetensorError as error:
        raise FxNormError(f"{path}: damaged ({error}); train or import the model again") from error


def require_same_layout(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str
) -> None:
    """Compare names and shapes of two sets of weights.

    Raises:
        FxNormError: says which names are missing, unexpected or of another shape.
    """
    faults = [
        *_listed("missing", [name for name in expected if name not in state]),
        *_listed("unexpected", [name for name in state if name not in expected]),
        *_listed(
            "misshaped",
            [
                f"{name} {tuple(state[name].shape)}, not {tuple(tensor.shape)}"
                for name, tensor in expected.items()
                if name in state and state[name].shape != tensor.shape
            ],
        ),
    ]
    if faults:
        raise FxNormError(f"{source}: weights of another network: {'; '.join(faults)}")


def _listed(fault: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{fault} {', '.join(names[:_SHOWN])}{more}"]
