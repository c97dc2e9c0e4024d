"""Settings of the evaluation."""

from pydantic import Field

from fxnorm.configuration import Config

#: The systems without a network: the sums of the dry and of the normalised stems.
DRY_SUM, NORMALIZED_SUM = "dry_sum", "normalized_sum"


class EvaluationConfig(Config):
    """How mixes are compared with human mixes, and how the scores are summarised."""

    trim: bool = True
    """Cut silence at the start and end of the human mix, and the same samples of the mix."""
    loss_segment_s: float = Field(default=60.0, gt=0.0)
    """Longest stretch in s over which the training losses are taken at once. Longer songs are
    averaged over equal stretches, which bounds the memory."""
    loss_guard_frames: int = Field(default=0, ge=0)
    """STFT frames that the training losses leave out at both ends of a stretch."""
    baseline: str = NORMALIZED_SUM
    """System that the others are tested against."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Coverage of the intervals."""
    resamples: int = Field(default=9_999, ge=100)
    """Bootstrap resamples (of songs) per interval."""
    significance: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Level of the paired tests, after Holm's correction."""
