"""Names of files, whose accents are encoded in one way or another, or not as text at all."""

import os
import unicodedata
from pathlib import Path

from fxnorm.errors import printable


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
