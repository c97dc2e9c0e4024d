from .checkpoint import discard_checkpoint
from .config import (
    AugmentationConfig,
    LossConfig,
    ProcessorConfig,
    SchedulePart,
    TrainingConfig,
    ValidationConfig,
)
from .engine import Excerpt
from .machine import Machine
from .songs import TrainingSong, open_songs
from .state import Weights
from .trainer import Selected, TrainingResult, train

__all__ = [
    "AugmentationConfig",
    "Excerpt",
    "LossConfig",
    "Machine",
    "ProcessorConfig",
    "SchedulePart",
    "Selected",
    "TrainingConfig",
    "TrainingResult",
    "TrainingSong",
    "ValidationConfig",
    "Weights",
    "discard_checkpoint",
    "open_songs",
    "train",
]
