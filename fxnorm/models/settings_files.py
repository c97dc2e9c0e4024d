"""A model folder's settings, features and rooms, read without torch."""

import os
from pathlib import Path

from fxnorm.documents import read_json
from fxnorm.errors import FxNormError
from fxnorm.models.mixer_config import MixerConfig
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.impulse_responses import ImpulseResponse, load_impulse_responses

WEIGHTS, CONFIG, FEATURES = "model.safetensors", "config.json", "features.npz"
#: Folder of the impulse responses for the effect `reverb`, where the model has them.
ROOMS = "rooms"


def load_settings(folder: str | os.PathLike[str]) -> tuple[MixerConfig, DatasetFeatures]:
    """Read all of a model folder but its weights.

    Raises:
        FxNormError: a missing or damaged file, or unknown settings.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FxNormError(f"{folder}: no such model folder")
    for name in (WEIGHTS, CONFIG, FEATURES):
        if not (root / name).is_file():
            raise FxNormError(f"{root / name}: missing; train or import the model again")
    data = read_json(root / CONFIG, "train or import the model again")
    if not isinstance(data, dict):
        raise FxNormError(f"{root / CONFIG}: holds no mapping of settings")
    config = MixerConfig.parse(data, str(root / CONFIG))
    return config, DatasetFeatures.load(root / FEATURES)


def load_rooms(folder: str | os.PathLike[str]) -> tuple[ImpulseResponse, ...]:
    """The impulse responses that a model brings for the effect `reverb`; it may have none.

    Raises:
        FxNormError: one that can't be used.
    """
    rooms = Path(folder) / ROOMS
    return tuple(load_impulse_responses(rooms)) if rooms.is_dir() else ()
