"""Reading the released features file, a pickle, without running what is in it."""

import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from fxnorm.errors import FxNormError
from fxnorm.opcodes import check_opcodes

_LARGEST_FILE = 64 * 1024 * 1024


class _Array:
    """Stands for numpy's class, which could be asked for an array of any size."""


def _make_empty(subtype: Any, shape: Any, kind: Any) -> np.ndarray:
    if (subtype, shape) != (_Array, (0,)):
        raise pickle.UnpicklingError("it asks for memory")
    return np.asarray(_reconstruct(np.ndarray, (0,), b"b"))


#: The callables that pickled numpy arrays need, and nothing else.
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _make_empty,
    ("numpy._core.multiarray", "_reconstruct"): _make_empty,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): np.dtype,
}


def read(path: str | os.PathLike[str]) -> dict[str, dict[str, np.ndarray]]:
    """The nested dictionary of arrays in a `.npy` file: feature → stem type → array.

    Raises:
        FxNormError: missing, too large, or holds anything but dictionaries with text keys and
            numeric arrays.
    """
    file = Path(path)
    if not file.is_file():
        raise FxNormError(f"{path}: no such released features file")
    if file.stat().st_size > _LARGEST_FILE:
        raise FxNormError(f"{path}: too large for a released features file; refused")
    try:
        with warnings.catch_warnings(action="error"):
            root = _unpickled(file.read_bytes())
        if not isinstance(root, np.ndarray) or root.shape != () or not root.dtype.hasobject:
            raise pickle.UnpicklingError("not a pickled dictionary")
        nested = root.item()
        return {_text_key(feature): _arrays(stems) for feature, stems in _items(nested)}
    except Exception as error:  # numpy and pickle raise all kinds on what is damaged or hostile.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FxNormError(
            f"{path}: not the released features file ({reason}); nothing in it was run"
        ) from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"refused: it asks for {module}.{name}")
        return _ALLOWED[module, name]


def _unpickled(data: bytes) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise pickle.UnpicklingError(f"format version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if shape != () or not dtype.hasobject:
        raise pickle.UnpicklingError("not a pickled dictionary")
    start = stream.tell()
    check_opcodes(stream)
    stream.seek(start)
    return _Unpickler(stream, encoding="latin1").load()


def _items(value: Any) -> Any:
    if type(value) is not dict:
        raise pickle.UnpicklingError(f"holds a {type(value).__name__} in place of a dictionary")
    return value.items()


def _arrays(stems: Any) -> dict[str, np.ndarray]:
    arrays = {}
    for stem, array in _items(stems):
        if type(array) is not np.ndarray or array.dtype.kind != "f":
            raise pickle.UnpicklingError("holds something other than arrays of floats")
        arrays[_text_key(stem)] = array
    return arrays


def _text_key(key: Any) -> str:
    if type(key) is not str:
        raise pickle.UnpicklingError("has a key that is not text")
    return key
