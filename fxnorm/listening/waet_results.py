"""Results of the Web Audio Evaluation Tool: one XML file per session."""

import logging
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from fxnorm.documents import read_text
from fxnorm.errors import FxNormError
from fxnorm.listening.sessions import FoundRating, RatingSession, as_rating, as_seconds

_log = logging.getLogger(__name__)


def read_waet(path: Path) -> RatingSession:
    """The session of a file.

    The tool saves the whole test with the answers: only pages right below the root are answers.
    """
    try:
        root = ElementTree.fromstring(read_text(path, "save the results again"))
    except ElementTree.ParseError as error:
        raise FxNormError(f"{path}: not XML ({error}); save the results again") from error
    if root.tag != "waetresult":
        raise FxNormError(f"{path}: a '{root.tag}' document; give the tool's 'waetresult' files")
    pages = root.findall("page")
    if not pages:
        _log.warning("%s: holds no ratings and is left out", path)
    answers = dict(_answers(root))
    key = root.get("key", "")
    return RatingSession(
        file=path.name,
        # Without a key the file, one per session, stands for the participant.
        participant=key or path.stem,
        name=answers.pop("participant", ""),
        answers=answers,
        identifier=key,
        ratings=[rating for page in pages for rating in _ratings(path, page)],
    )


def _answers(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for result in root.iterfind("survey/surveyresult"):
        responses = result.findall("response")
        texts = [response.get("name") or (response.text or "").strip() for response in responses]
        yield result.get("ref", ""), ", ".join(text for text in texts if text)


def _ratings(path: Path, page: ElementTree.Element) -> Iterator[FoundRating]:
    name = page.get("ref", "")
    if page.get("state", "complete") != "complete":
        _log.warning("%s: page '%s' was not finished and is left out", path, name)
        return
    for element in page.findall("audioelement"):
        place = f"{path}, page '{name}', element '{element.get('ref')}'"
        values = element.findall("value")
        if not values and element.get("type") != "outside-reference":
            raise FxNormError(f"{place}: has no rating; remove the page or the file")
        for value in values:
            yield FoundRating(
                place=place,
                trial=name,
                page=name,
                stimulus=element.get("ref", ""),
                criterion=value.get("interface-name", ""),
                rating=as_rating(value.text, place),
                seconds=as_seconds(_element_timer(element), place),
                comment=(element.findtext("comment/response") or "").strip(),
            )


def _element_timer(element: ElementTree.Element) -> str | None:
    for result in element.iter("metricresult"):
        if "elementtimer" in (result.get("id", "") + result.get("name", "")).lower():
            return result.text
    return None
