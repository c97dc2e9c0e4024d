"""The test page: one HTML file beside the stimuli, for any host and for none.

Browsers let a page that was opened from a folder load scripts, but no other files. So each stimulus
is also there as a script that hands its audio, losslessly compressed, to the page.
"""

import base64
import hashlib
import html
import io
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import soundfile

from fxnorm.content_policy import content_policy
from fxnorm.listening.listening_config import ListeningConfig
from fxnorm.listening.stimulus_pages import EQUIPMENT, REFERENCE_HINT, StimulusPage
from fxnorm.outputs import write_text
from fxnorm.seeds import derive_seed

#: In the order in which they need each other.
_SCRIPTS = (
    *("random", "plan", "sound", "dom", "axis", "store", "results"),
    *("transport", "rating", "screens", "main"),
)


def write_own_page(
    path: Path, pages: Sequence[StimulusPage], config: ListeningConfig, seed: int
) -> None:
    """Write `index.html`; it holds all but the audio and reaches for nothing outside its folder.

    Args:
        path: the file to write, beside the folder `audio` with the stimuli as scripts.
        pages: the songs.
        config: texts, criteria, and what the page is to do.
        seed: orders of songs, criteria and markers derive from it and the participant's name.
    """
    style, script = _asset("page.css"), _script()
    post_to = config.page.post_to
    policy = content_policy(
        style,
        script,
        # Lets the script load the stimuli's; browsers that do not know it take `self`.
        scripts="'strict-dynamic' 'self'",
        connect="'none'" if post_to is None else _origin(post_to),
    )
    text = Template(_asset("page.html")).substitute(
        policy=html.escape(policy),
        title=html.escape(config.name),
        style=style,
        script=script,
        test=_json(_test(pages, config, seed)),
    )
    write_text(path, text)


def write_stimulus_script(path: Path, script: Path) -> None:
    """Write the audio of a WAV file as a script."""
    header = soundfile.info(path)
    samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
    flac = io.BytesIO()
    soundfile.write(flac, samples, rate, format="FLAC", subtype=header.subtype)
    audio = base64.b64encode(flac.getvalue()).decode()
    write_text(script, f'fxnormStimulus("{path.stem}", "{audio}");\n')


def _test(pages: Sequence[StimulusPage], config: ListeningConfig, seed: int) -> dict[str, Any]:
    test = {
        "title": config.name,
        "testId": config.test_id,
        # Not the export's own seed, from which the names of systems could be tried out.
        "seed": str(derive_seed(seed, "test page")),
        "consent": config.page.consent,
        "instructions": config.page.instructions,
        "referenceHint": REFERENCE_HINT,
        "criteria": [criterion.model_dump() for criterion in config.criteria],
        "songs": [
            {"id": page.id, "reference": page.reference, "stimuli": page.stimuli} for page in pages
        ],
        "equipment": EQUIPMENT,
        "training": config.page.training,
        "songsPerParticipant": config.page.songs_per_participant,
        "repeatedPages": config.page.repeated_pages,
        "postTo": config.page.post_to,
    }
    # What a browser keeps of another export does not fit this one.
    digest = hashlib.sha256(_json(test).encode()).hexdigest()
    return test | {"id": f"{config.test_id}-{digest[:12]}"}


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _script() -> str:
    """All scripts in a scope of their own."""
    parts = "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n{{\n{parts}}}\n'


def _asset(name: str) -> str:
    return (files("fxnorm.listening") / "page" / name).read_text(encoding="utf-8")


def _json(data: Mapping[str, Any]) -> str:
    """JSON that may stand in HTML."""
    return json.dumps(data, ensure_ascii=False).replace("<", r"\u003c")
