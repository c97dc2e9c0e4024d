"""Settings of the analysis."""

from typing import Literal

from pydantic import Field

from fxnorm.configuration import Config


class AnalysisConfig(Config):
    """How ratings are compared."""

    #: Name, in the key, of the system all others are held against.
    human: str = "human"
    #: What counts as one observation: a participant's mean over songs, or each of the
    #: participant's songs, which takes them for independent.
    unit: Literal["participant", "participant-and-song"] = "participant"
    #: Which pairs are tested, and corrected for: all, or only those with the human mix.
    contrasts: Literal["all", "human"] = "all"
    #: Level of the bootstrap intervals.
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    #: Bootstrap resamples.
    resamples: int = Field(default=9999, ge=100)
    #: Significance level, after Holm's correction.
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    #: The largest difference from the human mix that counts as none, in parts of the scale; tests
    #: equivalence where given.
    margin: float | None = Field(default=None, gt=0.0, lt=1.0)
    #: Question of the questionnaire by whose answers participants are divided: numbers at their
    #: median, words as they are.
    group_by: str | None = None
    #: What systems are called in tables and figure, by their name in the key.
    labels: dict[str, str] = Field(default_factory=dict)
