"""Writing files and folders that are either whole or absent."""

import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from fxnorm.errors import FxNormError

#: How temporary names begin. They don't repeat the output's, which may be as long as names can be.
_HIDDEN = ".fxnorm-"


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix; rename it to `path` on success.

    On an error or interrupt `path` keeps what it held and the temporary file goes.

    Raises:
        FxNormError: nothing can be written there.
    """
    target = Path(path).absolute()
    with _explained(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_HIDDEN, suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with _full_disk_named(path):
            yield temporary
        with _explained(path):
            # mkstemp makes files private; outputs get the usual permissions.
            temporary.chmod(0o666 & ~_umask())
            # To the disk before it gets its name: after a power cut, too, it is whole or absent.
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(
    path: str | os.PathLike[str], *, replaces: Collection[str] | None = None
) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it replaces `path`.

    Args:
        path: of the folder.
        replaces: names that an older folder may hold; one that holds anything else is kept. None
            replaces whatever is there.

    Raises:
        FxNormError: nothing can be written there, or something else is there.
    """
    target = Path(path).absolute()
    with _explained(path):
        if target.exists() and not target.is_dir():
            raise FxNormError(f"{path}: is a file; give a new or empty folder")
        if replaces is not None and target.exists():
            others = sorted({entry.name for entry in target.iterdir()} - set(replaces))
            if others:
                raise FxNormError(
                    f"{path}: holds something else ({others[0]}); give a new or empty folder"
                )
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=target.parent))
    old = temporary.with_name(f"{temporary.name}.old")
    try:
        yield temporary
        with _explained(path):
            temporary.chmod(0o777 & ~_umask())
            if target.exists():
                os.replace(target, old)
            os.replace(temporary, target)
    finally:
        if old.exists() and not target.exists():
            os.replace(old, target)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _full_disk_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say which file there was no room for, as the system's error does not."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise FxNormError(f"{path}: can't be written ({error.strerror}); make room") from error


@contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FxNormError(f"{path}: can't be written ({reason}); choose another place") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
