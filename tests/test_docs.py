"""The documentation against the code that it describes."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
    # Its files are those that the reader is to write; a test of its own carries the example out.
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.stem != "add-an-effect"),
]


def _layers():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return settings["contracts"][0]["layers"]


def test_the_diagram_has_the_rooms_in_the_order_of_the_rule_and_every_stage():
    diagram = (ROOT / "docs/architecture.svg").read_text()
    names = r'<rect class="{}"[^>]* y="(\d+)"[^>]*>\n<text class="name"[^>]*>(\w+)<'
    rows = {}
    for height, room in re.findall(names.format("room"), diagram):
        rows.setdefault(int(height), set()).add(room)
    *rooms, base = _layers()
    drawn = [rows[height] for height in sorted(rows)]
    assert drawn[: len(rooms)] == [set(layer.split(" | ")) for layer in rooms]
    assert all(module in diagram for module in re.findall(r"\w+", base))

    stages = {stage for _, stage in re.findall(names.format("stage"), diagram)}
    assert stages >= set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])


def test_the_table_of_rooms_names_every_folder_and_where_it_starts():
    page = (ROOT / "docs/architecture.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+\.py)` \|$", page, re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "fxnorm").glob("*/__init__.py")}
    assert set(table) == folders
    assert all((ROOT / "fxnorm" / room / start).is_file() for room, start in table.items())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(page):
    text = page.read_text()
    links = [page.parent / link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = re.findall(r"`((?:fxnorm|stages|tests|docs|benchmarks)/[\w/]+\.\w+)`", text)
    rooms = [room.name for room in (ROOT / "fxnorm").iterdir() if room.is_dir()]
    inner = re.findall(rf"`((?:{'|'.join(rooms)})/[\w/]+\.py)`", text)
    files = [*links, *(ROOT / name for name in named), *(ROOT / "fxnorm" / name for name in inner)]
    assert [str(file) for file in files if not file.exists()] == []
