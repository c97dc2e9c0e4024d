"""One digest for all that decides a result: files, folders, configurations, numbers and names."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from fxnorm.configuration import Config


def digest(*parts: Path | Config | str | int) -> str:
    """SHA-256 of what is given, in its order.

    Args:
        parts: a `Path` stands for the bytes of a file, or of the files with their names that are
            in a folder or linked there; anything else stands for its text.

    Returns:
        The first 16 hexadecimal digits.
    """
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            _add_files(sha, part)
        else:
            text = part.model_dump_json() if isinstance(part, Config) else str(part)
            sha.update(text.encode() + b"\0")
    return sha.hexdigest()[:16]


def _add_files(sha: "hashlib._Hash", root: Path) -> None:
    for file in sorted(_files_in(root)) if root.is_dir() else [root]:
        if file.is_file() and "__pycache__" not in file.parts:
            sha.update(os.fsencode(file.relative_to(root.parent).as_posix()) + b"\0")
            with file.open("rb") as stream:
                sha.update(hashlib.file_digest(stream, "sha256").digest())


def _files_in(root: Path) -> Iterator[Path]:
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # A link that leads back.
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (Path(folder, name) for name in names)
