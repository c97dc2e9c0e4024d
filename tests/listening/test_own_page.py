"""The test page as a document: its policy, what it holds, and that it gives nothing away."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fxnorm.listening import Criterion, ListeningConfig, OwnPageConfig
from fxnorm.listening.own_page import write_own_page, write_stimulus_script
from fxnorm.listening.stimulus_pages import StimulusPage

PAGES = [
    StimulusPage("song01", "sr1", ("sa1", "sb1", "sc1")),
    StimulusPage("song02", "sr2", ("sa2", "sb2", "sc2")),
]


class Elements(HTMLParser):
    """Text and attributes of each element by its tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag):
        self.found.append(("", {}, ""))

    def handle_data(self, data):
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def write_page(folder: Path, seed: int = 1, **settings) -> str:
    write_own_page(folder / "index.html", PAGES, ListeningConfig(**settings), seed)
    return (folder / "index.html").read_text(encoding="utf-8")


def policy(text: str) -> dict[str, str]:
    (content,) = [a["content"] for a, _ in Elements(text).all("meta") if "http-equiv" in a]
    return dict(rule.split(" ", 1) for rule in content.split("; "))


def data(text: str) -> dict:
    (held,) = [text for a, text in Elements(text).all("script") if a.get("id") == "test"]
    return json.loads(held)


def sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_the_pages_own_style_and_script_by_hash_and_nothing_else(tmp_path):
    text = write_page(tmp_path)
    elements, rules = Elements(text), policy(text)
    ((_, style),) = elements.all("style")
    (script,) = [text for a, text in elements.all("script") if "type" not in a]
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == "'none'"
    assert rules["style-src"] == sha256(style)
    assert rules["script-src"] == f"{sha256(script)} 'strict-dynamic' 'self'"
    assert "unsafe" not in text
    # The policy forbids what would be ignored: attributes that hold style or script.
    assert not [a for _, a, _ in elements.found if any(n == "style" or n[:2] == "on" for n in a)]


def test_it_reaches_for_nothing_outside_its_folder(tmp_path) -> None:
    text = write_page(tmp_path)
    assert not re.search(r"https?:|\bimport\b|XMLHttpRequest|WebSocket", text)
    assert not [a for _, a, _ in Elements(text).found if a.get("href", "data:")[:5] != "data:"]
    assert not [a for _, a, _ in Elements(text).found if "src" in a]


def test_only_the_address_for_results_may_be_reached(tmp_path) -> None:
    config = OwnPageConfig(post_to="https://example.org:8443/save?a=b")
    text = write_page(tmp_path, page=config)
    assert policy(text)["connect-src"] == "https://example.org:8443"
    assert data(text)["postTo"] == "https://example.org:8443/save?a=b"


def test_awkward_text_is_only_text(tmp_path) -> None:
    awkward = '</script><script>alert(1)</script> & "it\'s" $title ${x} <!--'
    criterion = Criterion(id="x", title=awkward, question=awkward)
    page = OwnPageConfig(consent=awkward, instructions=awkward)
    text = write_page(tmp_path, name=awkward, criteria=(criterion,), page=page)
    assert "<script>alert" not in text
    held = data(text)
    assert held["title"] == held["consent"] == held["criteria"][0]["question"] == awkward
    ((_, title),) = Elements(text).all("title")
    assert title == awkward


def test_the_page_holds_the_test_but_not_its_seed(tmp_path) -> None:
    held = data(write_page(tmp_path, seed=12345))
    assert [song["id"] for song in held["songs"]] == ["song01", "song02"]
    assert held["songs"][0]["stimuli"] == ["sa1", "sb1", "sc1"]
    assert [criterion["id"] for criterion in held["criteria"]] == [
        *("production-value", "clarity", "excitement")
    ]
    # From the seed and guesses of songs and systems, names of stimuli could be tried out.
    assert "12345" not in held["seed"]
    assert held["seed"] != data(write_page(tmp_path, seed=12346))["seed"]


def test_what_a_browser_keeps_of_one_export_is_not_taken_for_another(tmp_path) -> None:
    first = data(write_page(tmp_path))["id"]
    assert first == data(write_page(tmp_path))["id"]
    assert first.startswith("fxnorm-")
    assert first != data(write_page(tmp_path, seed=2))["id"]
    assert first != data(write_page(tmp_path, page=OwnPageConfig(repeated_pages=1)))["id"]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_stimuli_are_handed_over_without_loss(tmp_path, subtype: str) -> None:
    rng = np.random.default_rng(0)
    path, script = tmp_path / "sabc.wav", tmp_path / "audio" / "sabc.js"
    soundfile.write(path, rng.uniform(-1, 1, (4410, 2)), 44_100, subtype=subtype)
    write_stimulus_script(path, script)
    name, audio = re.fullmatch(
        r'fxnormStimulus\("(\w+)", "([^"]*)"\);\n', script.read_text()
    ).groups()
    assert name == "sabc"
    (tmp_path / "again.flac").write_bytes(base64.b64decode(audio))
    original, _ = soundfile.read(path, dtype="int32")
    handed, rate = soundfile.read(tmp_path / "again.flac", dtype="int32")
    np.testing.assert_array_equal(handed, original)
    assert rate == 44_100
