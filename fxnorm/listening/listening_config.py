"""Settings of the listening test."""

from typing import Literal

from pydantic import Field

from fxnorm.configuration import Config


class Criterion(Config):
    """One axis on which mixes are rated."""

    #: Name in results files: letters, digits and hyphens, beginning with a letter.
    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    #: Title shown to listeners.
    title: str
    #: What to rate, in a sentence.
    question: str
    #: Label of the axis' lower end.
    low: str = "Low"
    #: Label of the axis' upper end.
    high: str = "High"


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


class ListeningConfig(Config):
    """What `export_stimuli` writes."""

    #: Title of the test.
    name: str = "Music mixes"
    #: Name of the test in results files and folders.
    test_id: str = Field(default="fxnorm", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    #: Length of the excerpts in seconds; songs that are shorter are used whole.
    excerpt_s: float = Field(default=25.0, ge=1.0)
    #: Fade at both ends in milliseconds.
    fade_ms: float = Field(default=20.0, ge=0.0)
    #: Integrated loudness of every stimulus in LUFS.
    target_lufs: float = Field(default=-23.0, ge=-60.0, le=-5.0)
    #: Highest true peak in dBTP; a page that would exceed it is lowered as a whole.
    ceiling_dbtp: float = Field(default=-1.0, le=-0.1)
    #: Resolution of the files: 16 bits with TPDF dither, or 24.
    bits: Literal[16, 24] = 16
    #: Folder, below the root of webMUSHRA or of the Web Audio Evaluation Tool, in which the hosted
    #: part will lie.
    hosted_at: str = "fxnorm"
    #: What is rated, in this order.
    criteria: tuple[Criterion, ...] = Field(default=PAPER_CRITERIA, min_length=1)
