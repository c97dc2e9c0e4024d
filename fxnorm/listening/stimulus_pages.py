"""What all three forms of the test show: songs with opaque names, and the words around them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from fxnorm.listening.answer_key import REFERENCE, KeyRow

#: What participants may listen on, by the name in results.
EQUIPMENT = {"headphones": "Headphones", "loudspeakers": "Loudspeakers"}
#: What the reference is.
REFERENCE_HINT = (
    "The reference is the unprocessed sum of the stems: it shows the material, not a goal."
)


@dataclass(frozen=True)
class StimulusPage:
    """One song: the opaque ids of its reference and of what is rated."""

    id: str
    reference: str
    stimuli: tuple[str, ...]


def stimulus_pages(rows: Iterable[KeyRow]) -> list[StimulusPage]:
    """The songs of a key, in its order."""
    pages = []
    for page, group in groupby(rows, key=lambda row: row.page):
        members = list(group)
        reference = next(row.id for row in members if row.system == REFERENCE)
        # Sorted by their opaque names: the order in the files gives nothing away either.
        stimuli = sorted(row.id for row in members if row.system != REFERENCE)
        pages.append(StimulusPage(page, reference, tuple(stimuli)))
    return pages
