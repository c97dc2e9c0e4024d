"""Configurations for webMUSHRA and the Web Audio Evaluation Tool.

Neither tool is part of this project: https://github.com/audiolabs/webMUSHRA and
https://github.com/BrechtDeMan/WebAudioEvaluationTool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from fxnorm.listening.listening_config import Criterion, ListeningConfig
from fxnorm.outputs import atomic_file

_EQUIPMENT = {"headphones": "Headphones", "loudspeakers": "Loudspeakers"}
_REFERENCE_HINT = (
    "The reference is the unprocessed sum of the stems: it shows the material, not a goal."
)


@dataclass(frozen=True)
class StimulusPage:
    """One song: the opaque ids of its reference and of what is rated."""

    id: str
    reference: str
    stimuli: tuple[str, ...]


def write_webmushra(path: Path, pages: Sequence[StimulusPage], config: ListeningConfig) -> None:
    """Write the YAML that webMUSHRA loads from its `configs` folder.

    One `mushra` page per criterion and song: criteria one after another, songs and mixes shuffled.
    webMUSHRA also puts the reference, hidden, among what is rated.
    """
    text = yaml.safe_dump(_webmushra(pages, config), sort_keys=False, allow_unicode=True, width=100)
    hint = (
        f"# Put the folder with this file at {_root(config)} below webMUSHRA's root, copy this file"
        f" to configs/,\n# and open ?config={path.name} there.\n"
    )
    with atomic_file(path) as temporary:
        temporary.write_text(hint + text, encoding="utf-8")


def write_waet(path: Path, pages: Sequence[StimulusPage], config: ListeningConfig) -> None:
    """Write the XML of an APE test (De Man & Reiss 2014): one axis per criterion and page."""
    root = _waet(pages, config)
    ElementTree.indent(root)
    with atomic_file(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def trial_id(page: str, criterion: str) -> str:
    """Name of a webMUSHRA page; `split_trial_id` undoes it."""
    return f"{page}_{criterion}"


def split_trial_id(trial: str) -> tuple[str, str]:
    """Page and criterion of a webMUSHRA page's name."""
    page, _, criterion = trial.partition("_")
    return page, criterion


def _webmushra(pages: Sequence[StimulusPage], config: ListeningConfig) -> dict[str, Any]:
    contents: list[Any] = [
        {
            "type": "generic",
            "id": "welcome",
            "name": config.name,
            "content": f"You will rate mixes of {len(pages)} songs. {_REFERENCE_HINT}",
        },
        {
            "type": "volume",
            "id": "volume",
            "name": "Volume",
            "content": "Set a comfortable volume and leave it there for the whole test.",
            "stimulus": _url(config, pages[0].reference),
            "defaultVolume": 0.5,
        },
    ]
    contents += [
        ["random", *(_mushra(page, criterion, config) for page in pages)]
        for criterion in config.criteria
    ]
    contents.append(_finish())
    return {
        "testname": config.name,
        "testId": config.test_id,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": True,
        "remoteService": "service/write.php",
        "pages": contents,
    }


def _mushra(page: StimulusPage, criterion: Criterion, config: ListeningConfig) -> dict[str, Any]:
    return {
        "type": "mushra",
        "id": trial_id(page.id, criterion.id),
        "name": criterion.title,
        "content": f"{criterion.question} {_REFERENCE_HINT}",
        "showWaveform": True,
        "enableLooping": True,
        # Strict would refuse excerpts of more than 12 s.
        "strict": False,
        "reference": _url(config, page.reference),
        "createAnchor35": False,
        "createAnchor70": False,
        "randomize": True,
        "showConditionNames": False,
        "switchBack": False,
        "stimuli": {stimulus: _url(config, stimulus) for stimulus in page.stimuli},
    }


def _finish() -> dict[str, Any]:
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Please answer these questions and send your ratings.",
        "showResults": False,
        "writeResults": True,
        "questionnaire": [
            {"type": "text", "label": "Name or code", "name": "participant"},
            {
                "type": "number",
                "label": "Years of mixing experience",
                "name": "experience_years",
                "min": 0,
                "max": 80,
                "default": 0,
            },
            {
                "type": "likert",
                "label": "Listening on",
                "name": "equipment",
                "response": [
                    {"value": value, "label": label} for value, label in _EQUIPMENT.items()
                ],
            },
            {"type": "long_text", "label": "Comments", "name": "remarks", "optional": True},
        ],
    }


def _waet(pages: Sequence[StimulusPage], config: ListeningConfig) -> ElementTree.Element:
    root = ElementTree.Element("waet")
    hint = f" Put the folder 'stimuli' into {_root(config)} below the tool's root. "
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
    _text(setup, "exitText", "Thank you. Your ratings have been sent.")
    _questions(setup)
    metric = ElementTree.SubElement(setup, "metric")
    for name in ("testTimer", "elementTimer", "elementFlagListenedTo", "elementFlagMoved"):
        _text(metric, "metricenable", name)
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
        _text(entry, "statement", statement)
        if kind == "radio":
            for value, label in _EQUIPMENT.items():
                _text(entry, "option", label, name=value)


def _waet_page(
    root: ElementTree.Element, page: StimulusPage, title: str, config: ListeningConfig
) -> None:
    element = ElementTree.SubElement(
        root,
        "page",
        {
            "id": page.id,
            "hostURL": f"{_root(config)}/stimuli/",
            "randomiseOrder": "true",
            "repeatCount": "0",
            "loop": "true",
            "synchronous": "true",
            "label": "capital",
        },
    )
    _text(element, "title", title)
    for criterion in config.criteria:
        axis = ElementTree.SubElement(element, "interface", {"name": criterion.id})
        _text(axis, "title", f"{criterion.title}: {criterion.question}")
        scales = ElementTree.SubElement(axis, "scales")
        _text(scales, "scalelabel", criterion.low, position="0")
        _text(scales, "scalelabel", criterion.high, position="100")
    kinds = [(stimulus, "normal") for stimulus in page.stimuli]
    # A `loudness` attribute would make the tool normalise again: there is none on purpose.
    for identifier, kind in [*kinds, (page.reference, "outside-reference")]:
        ElementTree.SubElement(
            element,
            "audioelement",
            {"id": identifier, "url": f"{identifier}.wav", "gain": "0", "type": kind},
        )


def _text(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text


def _url(config: ListeningConfig, identifier: str) -> str:
    return f"{_root(config)}/stimuli/{identifier}.wav"


def _root(config: ListeningConfig) -> str:
    return config.hosted_at.rstrip("/")
