from .checkpoint import discard_checkpoint
from .engine import Excerpt
from .machine import Machine, on_all_cores
from .state import Weights
from .trainer import Selected, TrainingResult, train
from .training_config import (
    AugmentationConfig,
    LossConfig,
    ProcessorConfig,
    SchedulePart,
    TrainingConfig,
    ValidationConfig,
)
from .training_songs import TrainingSong, open_songs
from .width import calibrate_width

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
    "calibrate_width",
    "discard_checkpoint",
    "on_all_cores",
    "open_songs",
    "train",
]
