"""Configuration for the Web Audio Evaluation Tool (not part of this project).

https://github.com/BrechtDeMan/WebAudioEvaluationTool.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.listening.stimulus_pages import EQUIPMENT, StimulusPage
from fxnorm.outputs import atomic_file


def write_waet(path: Path, pages: Sequence[StimulusPage], config: ListeningConfig) -> None:
    """Write the XML of an APE test (De Man & Reiss 2014): one axis per criterion and page."""
    root = _waet(pages, config)
    ElementTree.indent(root)
    with atomic_file(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def _waet(pages: Sequence[StimulusPage], config: ListeningConfig) -> ElementTree.Element:
    root = ElementTree.Element("waet")
    hint = f" Put the folder 'stimuli' into {config.hosted_at.rstrip('/')} below the tool's root. "
    root.append(ElementTree.Comment(hint))
    setup = ElementTree.SubElement(
        root,
        "setup",
        {
            "interface": "APE",
            "projectReturn": "save.php",
            "randomiseOrder": "true",
            "poolSize": "0",
        },
    )
    _add_text(setup, "exitText", "Thank you. Your ratings have been sent.")
    _questions(setup)
    metric = ElementTree.SubElement(setup, "metric")
    for name in ("testTimer", "elementTimer", "elementFlagListenedTo", "elementFlagMoved"):
        _add_text(metric, "metricenable", name)
    interface = ElementTree.SubElement(setup, "interface")
    for kind, name in (
        ("check", "fragmentPlayed"),
        ("check", "fragmentMoved"),
        ("show", "playhead"),
        ("show", "page-count"),
        ("show", "volume"),
        ("show", "comments"),
    ):
        ElementTree.SubElement(interface, "interfaceoption", {"type": kind, "name": name})
    for number, page in enumerate(pages, start=1):
        _waet_page(root, page, f"Song {number}", config)
    return root


def _questions(setup: ElementTree.Element) -> None:
    survey = ElementTree.SubElement(setup, "survey", {"location": "before"})
    for kind, identifier, statement in (
        ("question", "participant", "Name or code"),
        ("number", "experience_years", "Years of mixing experience"),
        ("radio", "equipment", "Listening on"),
    ):
        entry = ElementTree.SubElement(
            survey, "surveyentry", {"type": kind, "id": identifier, "mandatory": "true"}
        )
        _add_text(entry, "statement", statement)
        if kind == "radio":
            for value, label in EQUIPMENT.items():
                _add_text(entry, "option", label, name=value)


def _waet_page(
    root: ElementTree.Element, page: StimulusPage, title: str, config: ListeningConfig
) -> None:
    element = ElementTree.SubElement(
        root,
        "page",
        {
            "id": page.id,
            "hostURL": f"{config.hosted_at.rstrip('/')}/stimuli/",
            "randomiseOrder": "true",
            "repeatCount": "0",
            "loop": "true",
            "synchronous": "true",
            "label": "capital",
        },
    )
    _add_text(element, "title", title)
    for criterion in config.criteria:
        axis = ElementTree.SubElement(element, "interface", {"name": criterion.id})
        _add_text(axis, "title", f"{criterion.title}: {criterion.question}")
        scales = ElementTree.SubElement(axis, "scales")
        _add_text(scales, "scalelabel", criterion.low, position="0")
        _add_text(scales, "scalelabel", criterion.high, position="100")
    kinds = [(stimulus, "normal") for stimulus in page.stimuli]
    # A `loudness` attribute would make the tool normalise again: there is none on purpose.
    for identifier, kind in [*kinds, (page.reference, "outside-reference")]:
        ElementTree.SubElement(
            element,
            "audioelement",
            {"id": identifier, "url": f"{identifier}.wav", "gain": "0", "type": kind},
        )


def _add_text(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text
