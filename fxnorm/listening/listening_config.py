"""Settings of the listening test."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from fxnorm.configuration import Config
from fxnorm.conventions import PROGRAM_CEILING_DBTP, PROGRAM_LUFS

#: Name of the system whose mixes are the songs' own.
HUMAN_MIX = "human"
#: Text that stands on one line.
Line = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]+$")]


class Criterion(Config):
    """One axis on which mixes are rated."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Name in results files: letters, digits and hyphens, beginning with a letter."""
    title: Line
    """Title shown to listeners."""
    question: Line
    """What to rate, in a sentence."""
    low: Line = "Low"
    """Label of the axis' lower end."""
    high: Line = "High"
    """Label of the axis' upper end."""


#: The criteria of the paper (section 4.3).
PAPER_CRITERIA = (
    Criterion(
        id="production-value",
        title="Production Value",
        question="Rate the technical quality of the mix.",
    ),
    Criterion(
        id="clarity",
        title="Clarity",
        question="Rate how well each element of the mix can be told apart.",
    ),
    Criterion(
        id="excitement",
        title="Excitement",
        question="Rate how much the mix excites you, leaving its technical quality aside.",
    ),
)


class OwnPageConfig(Config):
    """What the test page does that the two other tools do not."""

    consent: str = (
        "Taking part is voluntary, and you can stop at any time. Your ratings, comments and answers"
        " are stored on this computer until you hand them in, and are used for research only."
    )
    """What participants agree to before they begin; a blank line separates paragraphs."""
    instructions: str = (
        "You will hear several mixes of the same song. On each page, place every mix on the axis:"
        " the better it meets the criterion, the further to the right. Compare as often as you"
        " like.\n\nUse good headphones or loudspeakers in a quiet room."
    )
    """What they read then; a blank line separates paragraphs."""
    training: bool = True
    """Begin with a page to try things out, whose ratings do not count."""
    songs_per_participant: int | None = Field(default=None, ge=1)
    """Songs that each participant rates, all where none is given. Which ones goes round from
    participant to participant by their names, so that all songs get about as many ratings."""
    repeated_pages: int = Field(default=0, ge=0)
    """Pages that each participant meets a second time, to see how consistent the ratings are."""
    post_to: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[^\s;,'\"]*)?$"
    )
    """Address that results are sent to, beside being offered for download."""


class ListeningConfig(Config):
    """What `export_stimuli` writes."""

    name: Line = "Music mixes"
    """Title of the test."""
    test_id: str = Field(default="fxnorm", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    """Name of the test in results files and folders."""
    excerpt_s: float = Field(default=25.0, ge=1.0)
    """Length of the excerpts in seconds; songs that are shorter are used whole."""
    fade_ms: float = Field(default=20.0, ge=0.0)
    """Fade at both ends in milliseconds."""
    target_lufs: float = Field(default=PROGRAM_LUFS, ge=-60.0, le=-5.0)
    """Integrated loudness of every stimulus in LUFS."""
    ceiling_dbtp: float = Field(default=PROGRAM_CEILING_DBTP, le=-0.1)
    """Highest true peak in dBTP; a page that would exceed it is lowered as a whole."""
    common_level: bool = False
    """Lower all pages together where one must be, so that the whole test has one loudness."""
    bits: Literal[16, 24] = 16
    """Resolution of the files: 16 bits with TPDF dither, or 24."""
    hosted_at: str = Field(default="fxnorm", pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?$")
    """Folder, below the root of webMUSHRA or of the Web Audio Evaluation Tool, in which the hosted
    part will lie."""
    criteria: tuple[Criterion, ...] = Field(default=PAPER_CRITERIA, min_length=1)
    """What is rated, in this order."""
    page: OwnPageConfig = OwnPageConfig()
    """The test page of this project."""

    @field_validator("criteria")
    @classmethod
    def _differ(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        names = [criterion.id for criterion in criteria]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'{name}' is there twice")
        return criteria
