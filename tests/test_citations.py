"""What comments, docstrings and guides cite exists."""

import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    path.relative_to(ROOT).as_posix()
    for room in ("fxnorm", "stages", "benchmarks", "docs")
    for path in sorted((ROOT / room).rglob("*"))
    if path.suffix in (".py", ".md")
]
_NAME = re.compile(r"`(fxnorm(?:\.\w+)+)`")
_ROOMS = "docs|tests|benchmarks|fxnorm|stages|params"
_FILE = re.compile(rf"(?<![\w/<>.-])((?:{_ROOMS})/[\w/-]+\.(?:py|md|yaml|json|npz|csv|png))\b")
#: Files that a guide tells its reader to write.
TO_BE_WRITTEN = {
    "fxnorm/normalization/matching/width.py",
    "tests/normalization/matching/test_width.py",
}


@pytest.mark.parametrize("source", SOURCES)
def test_cited_names_and_files_exist(source) -> None:
    text = (ROOT / source).read_text()
    for name in _NAME.findall(text):
        pkgutil.resolve_name(name)
    missing = [cited for cited in _FILE.findall(text) if not (ROOT / cited).exists()]
    assert set(missing) <= TO_BE_WRITTEN
