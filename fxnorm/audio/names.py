"""Names of files: accents encoded in one way or another, or no text at all; links to nothing."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from fxnorm.errors import FxNormError, printable


def composed(name: str) -> str:
    """The name as text, with its accents composed (NFC), as names are compared and shown."""
    return printable(unicodedata.normalize("NFC", name))


def existing(path: str | os.PathLike[str]) -> Path:
    """The file that a path means: itself, or the one beside it whose name reads the same.

    A Mac writes the accents of names apart from their letters (NFD), most others together.
    """
    wanted = Path(path)
    if wanted.exists() or wanted.name.isascii() or not wanted.parent.is_dir():
        return wanted
    same = [p for p in wanted.parent.iterdir() if composed(p.name) == composed(wanted.name)]
    return same[0] if same else wanted


def shown(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """What is in a folder and not hidden, by name."""
    return (path for path in sorted(Path(folder).iterdir()) if not path.name.startswith("."))


def require_target(path: Path) -> None:
    """Refuse a symbolic link to nothing, which would be passed over as neither file nor folder.

    Raises:
        FxNormError: it is one.
    """
    if path.is_symlink() and not path.exists():
        raise FxNormError(
            f"{path}: is a link to what is not there ({os.readlink(path)}); restore that, or remove"
            " the link"
        )
