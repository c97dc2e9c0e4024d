"""Work in between: large arrays in files that nobody sees, and temporary files that get swept.

A song of two hours is 2.5 GB per stem. Its arrays lie in temporary files without a name, which are
gone when the array is, or the process. The system keeps what it can of them in its spare memory.

Files and folders with a name are locked while their process lives, and begin with `PREFIX`. What a
killed process left has no lock, and goes when another one starts or needs the same place.
"""

import contextlib
import errno
import mmap
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fxnorm.errors import FxNormError

try:
    import fcntl
except ImportError:  # Windows has no such locks: nothing is swept there.
    fcntl = None  # type: ignore[assignment]

#: What the names of temporary files and folders begin with; git and DVC ignore them.
PREFIX = ".fxnorm-scratch-"

_LARGEST_IN_MEMORY = 2**26
_BLOCK = 2**20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: A disk with less is full. Libraries that write by themselves don't say so.
_FULL_BYTES = 2**16
#: Pages of a file count as memory of the process that has touched them until they are handed back.
_HAND_BACK_EVERY_S = 0.02

_files: "weakref.WeakSet[_File]" = weakref.WeakSet()
_watch = threading.Lock()
_place: Path | None = None
_swept: set[Path] = set()


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
        with tempfile.TemporaryFile(prefix=PREFIX) as file:
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


def use_place(folder: str | os.PathLike[str]) -> None:
    """Let what is to become an output come into being in a folder, as far as it can be moved.

    The pipeline has one outside everything that its stages depend on. Without, work lies beside
    where it goes.
    """
    global _place
    _place = Path(folder).absolute()
    _place.mkdir(parents=True, exist_ok=True)
    _sweep(_place)


@contextlib.contextmanager
def temporary_folder(beside: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yield an empty folder that goes at the end, or after the process's death when another starts.

    Args:
        beside: folder to or from which it can be renamed; None for the system's place for
            temporary files.
    """
    with _temporary(beside, tempfile.mkdtemp, "") as path:
        yield path


@contextlib.contextmanager
def temporary_file(beside: str | os.PathLike[str], suffix: str) -> Iterator[Path]:
    """The same for a file whose name ends in `suffix`."""

    def make(suffix: str, prefix: str, folder: Path) -> str:
        handle, name = tempfile.mkstemp(suffix, prefix, folder)
        os.close(handle)
        return name

    with _temporary(beside, make, suffix) as path:
        yield path


@contextlib.contextmanager
def _temporary(beside: str | os.PathLike[str] | None, make: Any, suffix: str) -> Iterator[Path]:
    folder = Path(tempfile.gettempdir() if beside is None else beside).absolute()
    _sweep(folder)
    path, lock = _locked(lambda: Path(make(suffix, PREFIX, folder)))
    try:
        if _place is not None and beside is not None:
            # Another file system can't be renamed to: the work stays here.
            with contextlib.suppress(OSError):
                path = path.rename(_place / path.name)
        yield path
    finally:
        _remove(path)
        os.close(lock)


@contextlib.contextmanager
def room_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say what there was no room for, as neither the system's error nor a library's does.

    Raises:
        FxNormError: something went wrong, for want of room on the disk of `path`.
    """
    try:
        yield
    except FxNormError:
        raise
    except Exception as error:
        folder = Path(path).absolute().parent
        full = isinstance(error, OSError) and error.errno in _NO_ROOM
        full |= os.strerror(errno.ENOSPC) in str(error)
        if not full and shutil.disk_usage(folder).free >= _FULL_BYTES:
            raise
        raise FxNormError(f"{path}: can't be written, no room in {folder}; make some") from error


def _locked(make: Any) -> tuple[Path, int]:
    """A new path and its open lock; one that is swept before it is locked is made again."""
    while True:
        path = make()
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY)
            if fcntl is not None:
                with contextlib.suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def _sweep(folder: Path) -> None:
    """Remove what dead processes left in a folder; once in each process."""
    if folder in _swept or fcntl is None:
        return
    _swept.add(folder)
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            # Anybody may have put a link or a pipe there, in the place for temporary files.
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
        thread = threading.Thread(target=_keep_handing_back, name="fxnorm-scratch", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # No memory for a thread: `blocks` hands back alone.
            _watch.release()


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
