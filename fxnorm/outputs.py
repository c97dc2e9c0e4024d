"""Writing files and folders that are either whole or absent."""

import ctypes
import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fxnorm.errors import FxNormError
from fxnorm.scratch import room_named, temporary_file, temporary_folder

try:
    import fcntl
except ImportError:  # Windows has no such locks: a second process is not refused there.
    fcntl = None  # type: ignore[assignment]

#: Of Linux: swap two paths, relative to the current folder.
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path with the suffix of `path`; rename it to `path` on success.

    On an error or interrupt `path` keeps what it held and the temporary file goes. A symbolic link
    is replaced, as what it points to may be in DVC's cache.

    Raises:
        FxNormError: nothing can be written there.
    """
    target = Path(path).absolute()
    with ExitStack() as stack:
        with writing_explained(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(temporary_file(target.parent, target.suffix))
        with room_named(path):
            yield temporary
        with writing_explained(path):
            # Temporary files are private; outputs get the usual permissions.
            temporary.chmod(0o666 & ~_umask())
            # To the disk before it gets its name: after a power cut, too, it is whole or absent.
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, target)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8; what UTF-8 does not have is spelt out.

    Raises:
        FxNormError: it can't be written.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


@contextmanager
def atomic_folder(
    path: str | os.PathLike[str], *, replaces: Collection[str] | None = None
) -> Iterator[Path]:
    """Yield an empty temporary folder; on success it replaces `path`, at once where Linux can.

    Elsewhere, a process that is killed between two renames leaves the older folder as
    `.<name>.old`, which comes back at the next use. A symbolic link stays: what it points to is
    replaced.

    Args:
        path: of the folder.
        replaces: names that an older folder may hold; one that holds anything else is kept. None
            replaces whatever is there.

    Raises:
        FxNormError: nothing can be written there, or something else is there.
    """
    target = Path(os.path.realpath(path))
    old = target.with_name(f".{target.name}.old")
    with ExitStack() as stack:
        with writing_explained(path):
            if old.is_dir() and not target.exists():
                old.rename(target)
            if target.exists() and not target.is_dir():
                raise FxNormError(f"{path}: is a file; give a new or empty folder")
            if replaces is not None and target.exists():
                others = sorted({entry.name for entry in target.iterdir()} - set(replaces))
                if others:
                    raise FxNormError(
                        f"{path}: holds something else ({others[0]}); give a new or empty folder"
                    )
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(temporary_folder(target.parent))
        with room_named(path), _final_names(temporary, path):
            yield temporary
        with writing_explained(path):
            temporary.chmod(0o777 & ~_umask())
            _replace_folder(target, temporary, old)


def require_own(folder: str | os.PathLike[str], mark: str) -> None:
    """Refuse early, before long work, a folder that holds files and not the one that marks ours.

    Raises:
        FxNormError: it does.
    """
    path = Path(folder)
    if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
        raise FxNormError(f"{folder}: holds files of something else; give a new or empty folder")


@contextmanager
def _final_names(temporary: Path, path: str | os.PathLike[str]) -> Iterator[None]:
    """Let messages name what files are to be called and not where they come into being."""
    try:
        yield
    except FxNormError as error:
        raise FxNormError(str(error).replace(str(temporary), os.fspath(path))) from error


def _replace_folder(target: Path, new: Path, old: Path) -> None:
    """Move a new folder to its place; what was there takes its name, or goes."""
    if not target.exists():
        try:
            new.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        # Another process was quicker.
    if not _exchange(new, target):
        target.rename(old)
        try:
            new.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders at once; False where the system or its disk can't."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    paths = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    return bool(rename(*paths, _RENAME_EXCHANGE) == 0)


@contextmanager
def alone_in(*folders: str | os.PathLike[str]) -> Iterator[None]:
    """Make folders, and refuse a second process in any of them, as files of the two would mingle.

    Raises:
        FxNormError: another process is at work there, or they can't be made.
    """
    with ExitStack() as stack:
        for folder in {os.path.realpath(folder): folder for folder in folders}.values():
            with writing_explained(folder):
                Path(folder).mkdir(parents=True, exist_ok=True)
            if fcntl is not None:
                lock = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, lock)
                _lock(lock, folder)
        yield


def _lock(lock: int, folder: str | os.PathLike[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FxNormError(
            f"{folder}: another process writes into it; wait for it, or choose another folder"
        ) from error
    except OSError:
        pass  # Some network disks lock no folders.


@contextmanager
def writing_explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say what could not be written.

    Raises:
        FxNormError: in the place of an error of the system.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FxNormError(f"{path}: can't be written ({reason}); choose another place") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
