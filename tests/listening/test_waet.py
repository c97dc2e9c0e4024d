"""The Web Audio Evaluation Tool's configuration."""

import re
from xml.etree import ElementTree

from fxnorm.listening import ListeningConfig
from fxnorm.listening.stimulus_pages import StimulusPage
from fxnorm.listening.waet import write_waet

CONFIG = ListeningConfig()
PAGES = [
    StimulusPage("song01", "sr1", ("sa1", "sb1", "sc1")),
    StimulusPage("song02", "sr2", ("sa2", "sb2", "sc2")),
    StimulusPage("song03", "sr3", ("sa3", "sb3", "sc3")),
]


def test_waet_gets_a_valid_ape_test(tmp_path) -> None:
    write_waet(tmp_path / "ape.xml", PAGES, CONFIG)
    root = ElementTree.parse(tmp_path / "ape.xml").getroot()
    assert root.tag == "waet"
    assert [child.tag for child in root] == ["setup", "page", "page", "page"]
    setup = root.find("setup")
    assert [child.tag for child in setup] == ["exitText", "survey", "metric", "interface"]
    assert setup.attrib == {
        "interface": "APE",
        "projectReturn": "save.php",
        "randomiseOrder": "true",
        "poolSize": "0",
    }
    ids = [element.get("id") for element in root.iter() if element.get("id") is not None]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", name) for name in ids)
    assert not [element for element in root.iter() if element.get("loudness") is not None]
    for page in root.findall("page"):
        tags = [child.tag for child in page]
        # The order of the tool's schema.
        assert tags == ["title", *["interface"] * 3, *["audioelement"] * 4]
        assert page.get("synchronous") == page.get("loop") == page.get("randomiseOrder") == "true"
        for axis, criterion in zip(page.findall("interface"), CONFIG.criteria, strict=True):
            assert axis.get("name") == criterion.id
            positions = [label.get("position") for label in axis.iter("scalelabel")]
            assert positions == ["0", "100"]
        song = next(song for song in PAGES if song.id == page.get("id"))
        elements = {e.get("id"): e.get("type") for e in page.findall("audioelement")}
        normal = dict.fromkeys(song.stimuli, "normal")
        assert elements == normal | {song.reference: "outside-reference"}
        assert all(e.get("url") == f"{e.get('id')}.wav" for e in page.findall("audioelement"))
