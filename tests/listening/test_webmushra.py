"""webMUSHRA's configuration: its fields, and text that the tool's own YAML reader takes."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from fxnorm.listening import Criterion, ListeningConfig
from fxnorm.listening.stimulus_pages import StimulusPage
from fxnorm.listening.webmushra import write_webmushra

PAGES = [
    StimulusPage("song01", "sr1", ("sa1", "sb1", "sc1")),
    StimulusPage("song02", "sr2", ("sa2", "sb2", "sc2")),
    StimulusPage("song03", "sr3", ("sa3", "sb3", "sc3")),
]
AWKWARD = 'It\'s: "one" #1 & ~ ^ {a}, [b] - 100 % | > é – “x” \\n'


@pytest.fixture
def written(tmp_path) -> str:
    write_webmushra(tmp_path / "webmushra.yaml", PAGES, ListeningConfig())
    return (tmp_path / "webmushra.yaml").read_text(encoding="utf-8")


def flatten(pages: list) -> list[dict]:
    flat = []
    for page in pages:
        flat += flatten(page[1:]) if isinstance(page, list) else [page]
    return flat


def test_webmushra_gets_the_fields_it_needs(written) -> None:
    test = yaml.safe_load(written)
    assert test["bufferSize"] in {2**n for n in range(8, 15)}
    assert test["remoteService"] == "service/write.php"
    assert isinstance(test["testId"], str)
    assert isinstance(test["stopOnErrors"], bool)
    groups = [page for page in test["pages"] if isinstance(page, list)]
    # Criteria one after another, songs shuffled within each.
    assert [group[0] for group in groups] == ["random"] * 3
    assert all({page["id"][-7:] for page in group[1:]} == {group[1]["id"][-7:]} for group in groups)
    pages = flatten(test["pages"])
    assert [page["type"] for page in pages[:2]] == ["generic", "volume"]
    assert pages[-1]["type"] == "finish"
    assert pages[-1]["writeResults"] is True
    trials = [page for page in pages if page["type"] == "mushra"]
    assert len({page["id"] for page in pages if "id" in page}) == 2 + len(trials) == 11
    songs = {page.id: page for page in PAGES}
    for trial in trials:
        assert trial["strict"] is False
        assert trial["randomize"] is True
        assert trial["showConditionNames"] is False
        assert trial["createAnchor35"] is trial["createAnchor70"] is False
        song = songs[trial["id"].split("_")[0]]
        assert trial["reference"] == f"fxnorm/stimuli/{song.reference}.wav"
        assert trial["stimuli"] == {i: f"fxnorm/stimuli/{i}.wav" for i in song.stimuli}


def test_the_text_is_what_the_tools_reader_takes(written) -> None:
    """It reads a nested list only below a dash of its own, and folded lines not at all."""
    assert not re.search(r"^\s*- - ", written, re.MULTILINE)
    assert written.count("\n-\n  - random\n  - type: mushra\n    id: song01_") == 3
    assert all(re.match(r"\s*(#|- |-$|[\w-]+:)", line) for line in written.splitlines()), (
        "a line continues another"
    )


def test_there_is_no_field_for_free_text(written) -> None:
    """The tool posts what is typed unencoded: an ampersand ends the session's data."""
    questions = yaml.safe_load(written)["pages"][-1]["questionnaire"]
    assert [question["name"] for question in questions] == [
        *("participant", "experience_years", "equipment")
    ]
    assert "long_text" not in written
    assert "letters and digits only" in questions[0]["label"]


def write_awkward(path: Path) -> None:
    criterion = Criterion(id="x", title=AWKWARD, question="a < b & c > d")
    write_webmushra(path, PAGES, ListeningConfig(name=AWKWARD, criteria=(criterion,)))


def test_awkward_titles_are_quoted_and_what_becomes_html_is_escaped(tmp_path) -> None:
    write_awkward(tmp_path / "webmushra.yaml")
    test = yaml.safe_load((tmp_path / "webmushra.yaml").read_text(encoding="utf-8"))
    assert test["testname"] == AWKWARD
    trial = flatten(test["pages"])[2]
    assert trial["name"] == AWKWARD
    assert trial["content"].startswith("a &lt; b &amp; c &gt; d The reference")


def test_the_tools_own_reader_reads_the_same(tmp_path) -> None:
    """Where FXNORM_WEBMUSHRA names a copy of the tool and node is installed."""
    tool, node = os.environ.get("FXNORM_WEBMUSHRA"), shutil.which("node")
    if tool is None or node is None:
        pytest.skip("FXNORM_WEBMUSHRA does not name a copy of webMUSHRA, or node is missing")
    write_awkward(tmp_path / "webmushra.yaml")
    script = (
        "const fs = require('fs'), vm = require('vm'), window = {};"
        "const context = vm.createContext({ window, console });"
        "vm.runInContext(fs.readFileSync(process.argv[1], 'utf8'), context);"
        "const reader = window.YAML ?? context.YAML;"
        "const test = reader.parse(fs.readFileSync(process.argv[2], 'utf8'));"
        "console.log(JSON.stringify(test));"
    )
    reader = Path(tool) / "lib" / "external" / "yaml" / "yaml.min.js"
    words = [node, "-e", script, reader, tmp_path / "webmushra.yaml"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    written = (tmp_path / "webmushra.yaml").read_text(encoding="utf-8")
    assert json.loads(done.stdout) == yaml.safe_load(written)
