"""Training networks to mix: `fxnorm.training.trainer.train`.

What needs Lightning is imported from its own module, because loading it takes seconds.
"""

from fxnorm.training.checkpoint import discard_checkpoint, fingerprint
from fxnorm.training.config import (
    AugmentationConfig,
    LossConfig,
    ProcessorConfig,
    SchedulePart,
    TrainingConfig,
    ValidationConfig,
)
from fxnorm.training.songs import TrainingSong, open_songs
from fxnorm.training.state import Weights

__all__ = [
    "AugmentationConfig",
    "LossConfig",
    "ProcessorConfig",
    "SchedulePart",
    "TrainingConfig",
    "TrainingSong",
    "ValidationConfig",
    "Weights",
    "discard_checkpoint",
    "fingerprint",
    "open_songs",
]
