"""Arrays for work in between: small ones in memory, large ones in files that nobody sees.

A song of two hours is 2.5 GB per stem. Its arrays lie in temporary files without a name, which are
gone when the array is, or the process. The system keeps what it can of them in its spare memory.
"""

import contextlib
import mmap
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from fxnorm.errors import FxNormError

_LARGEST_IN_MEMORY = 2**26
_BLOCK = 2**22
# Pages of a file count as memory of the process that has touched them until they are handed back.
_HAND_BACK_EVERY_S = 0.02

_files: "weakref.WeakSet[_File]" = weakref.WeakSet()
_watch = threading.Lock()


class _File(mmap.mmap):
    """A mapped file that can be referred to weakly."""


def empty(shape: int | tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """An array to be written to, in a temporary file where it takes more than 64 MB.

    Args:
        shape: of the array.
        dtype: of its values.

    Raises:
        FxNormError: the folder for temporary files has no room.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= _LARGEST_IN_MEMORY:
        return np.empty(shape, dtype)
    try:
        with tempfile.TemporaryFile(prefix="fxnorm-") as file:
            _reserve(file, size)
            mapped = _File(file.fileno(), size)
    except OSError as error:
        raise FxNormError(
            f"{tempfile.gettempdir()}: no room for {size / 1e9:.1f} GB of temporary files"
            f" ({error.strerror}); set TMPDIR to a folder with more"
        ) from error
    _files.add(mapped)
    _start_watching()
    return np.frombuffer(mapped, dtype).reshape(shape)


def blocks(samples: int, size: int = _BLOCK) -> Iterator[slice]:
    """Consecutive ranges that cover `samples`, for work on large arrays in little memory.

    After each, what was touched of arrays in files is handed back to the system.
    """
    for start in range(0, samples, size):
        yield slice(start, min(start + size, samples))
        _hand_pages_back()


def _reserve(file: BinaryIO, size: int) -> None:
    """Take the room at once: a full disk would end the process at a later write."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


def _start_watching() -> None:
    if hasattr(mmap, "MADV_DONTNEED") and _watch.acquire(blocking=False):
        threading.Thread(target=_keep_handing_back, name="fxnorm-scratch", daemon=True).start()


def _hand_pages_back() -> bool:
    """Take the pages of all files out of the process's memory; nothing of the files is lost.

    Returns:
        Whether there are any files.
    """
    files = list(_files)
    for file in files:
        with contextlib.suppress(ValueError, OSError, AttributeError):
            file.madvise(mmap.MADV_DONTNEED)
    return bool(files)


def _keep_handing_back() -> None:
    try:
        while _hand_pages_back():
            time.sleep(_HAND_BACK_EVERY_S)
    finally:
        _watch.release()
        if _files:
            _start_watching()
