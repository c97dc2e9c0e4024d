"""Configuration for webMUSHRA (not part of this project).

https://github.com/audiolabs/webMUSHRA.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from fxnorm.listening.listening_config import Criterion, ListeningConfig
from fxnorm.listening.stimulus_pages import EQUIPMENT, REFERENCE_HINT, StimulusPage
from fxnorm.outputs import write_text

#: Lines of the tool's YAML reader are not folded.
_WIDTH = 100_000


def write_webmushra(path: Path, pages: Sequence[StimulusPage], config: ListeningConfig) -> None:
    """Write the YAML that webMUSHRA loads from its `configs` folder.

    One `mushra` page per criterion and song: criteria one after another, songs and mixes shuffled.
    webMUSHRA also puts the reference, hidden, among what is rated.
    """
    text = yaml.safe_dump(
        _webmushra(pages, config), sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    hint = (
        f"# Put the folder with this file at {_root(config)} below webMUSHRA's root, copy this file"
        f" to configs/,\n# and open ?config={path.name} there.\n"
    )
    # The tool's reader takes a list in a list only where the outer dash stands on its own line.
    text = text.replace("\n- - ", "\n-\n  - ")
    write_text(path, hint + text)


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
            "content": f"You will rate mixes of {len(pages)} songs. {REFERENCE_HINT}",
        },
        {
            "type": "volume",
            "id": "volume",
            "name": "Volume",
            "content": "Set a comfortable volume and leave it there for the whole test.",
            "stimulus": _stimulus_url(config, pages[0].reference),
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
        "content": html.escape(f"{criterion.question} {REFERENCE_HINT}", quote=False),
        "showWaveform": True,
        "enableLooping": True,
        # Strict would refuse excerpts of more than 12 s.
        "strict": False,
        "reference": _stimulus_url(config, page.reference),
        "createAnchor35": False,
        "createAnchor70": False,
        "randomize": True,
        "showConditionNames": False,
        "switchBack": False,
        "stimuli": {stimulus: _stimulus_url(config, stimulus) for stimulus in page.stimuli},
    }


def _finish() -> dict[str, Any]:
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Please answer these questions and send your ratings.",
        "showResults": False,
        "writeResults": True,
        "questionnaire": [
            # The tool sends what is typed unencoded: an ampersand would lose the whole session.
            # So there is no field for free text.
            {
                "type": "text",
                "label": "Name or code (letters and digits only)",
                "name": "participant",
            },
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
                    {"value": value, "label": label} for value, label in EQUIPMENT.items()
                ],
            },
        ],
    }


def _stimulus_url(config: ListeningConfig, identifier: str) -> str:
    return f"{_root(config)}/stimuli/{identifier}.wav"


def _root(config: ListeningConfig) -> str:
    return config.hosted_at.rstrip("/")
