"""Settings of the analysis."""

from typing import Literal

from pydantic import Field

from fxnorm.configuration import Config
from fxnorm.listening.listening_config import HUMAN_MIX


class AnalysisConfig(Config):
    """How ratings are compared."""

    human: str = HUMAN_MIX
    """Name, in the key, of the system all others are held against."""
    unit: Literal["participant", "participant-and-song"] = "participant"
    """What counts as one observation: a participant's mean over songs, or each of the participant's
    songs, which takes them for independent."""
    contrasts: Literal["all", "human"] = "all"
    """Which pairs are tested, and corrected for: all, or only those with the human mix."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Level of the bootstrap intervals."""
    resamples: int = Field(default=9999, ge=100)
    """Bootstrap resamples."""
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Significance level, after Holm's correction."""
    margin: float | None = Field(default=None, gt=0.0, lt=1.0)
    """The largest difference from the human mix that counts as none, in parts of the scale; tests
    equivalence where given."""
    group_by: str | None = None
    """Question of the questionnaire by whose answers participants are divided: numbers at their
    median, words as they are."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What systems are called in tables and figure, by their name in the key."""
