"""Settings of the evaluation."""

from pydantic import Field

from fxnorm.configuration import Config


class EvaluationConfig(Config):
    """How mixes are compared with human mixes, and how the scores are summarised."""

    #: Cut silence at the start and end of the human mix, and the same samples of the mix.
    trim: bool = True
    #: Longest stretch in s over which the training losses are taken at once. Longer songs are
    #: averaged over equal stretches, which bounds the memory.
    loss_segment_s: float = Field(default=60.0, gt=0.0)
    #: STFT frames that the training losses leave out at both ends of a stretch.
    loss_guard_frames: int = Field(default=0, ge=0)
    #: System that the others are tested against.
    baseline: str = "normalized_sum"
    #: Coverage of the intervals.
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    #: Bootstrap resamples (of songs) per interval.
    resamples: int = Field(default=9_999, ge=100)
    #: Level of the paired tests, after Holm's correction.
    significance: float = Field(default=0.05, gt=0.0, lt=1.0)
