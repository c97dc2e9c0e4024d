"""Model folders, all that mixing needs: weights, settings, features and rooms."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.models.building import build, layout
from fxnorm.models.mixer_config import MixerConfig
from fxnorm.models.network import Network
from fxnorm.models.settings_files import CONFIG, FEATURES, ROOMS, WEIGHTS, load_rooms, load_settings
from fxnorm.models.weights import read_weights, require_same_layout
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.normalization.impulse_responses import ImpulseResponse
from fxnorm.outputs import atomic_file, atomic_folder, write_text


class LoadedModel(NamedTuple):
    """A model folder's content; the network is in evaluation mode."""

    net: Network
    features: DatasetFeatures
    config: MixerConfig
    rooms: tuple[ImpulseResponse, ...] = ()
    """For the effect `reverb`."""

    @property
    def output_offset(self) -> int:
        """Input sample that the network's output sample 0 is placed at."""
        return 0 if self.config.released_alignment else self.net.output_offset


def save(
    folder: str | os.PathLike[str],
    net: Network,
    features: DatasetFeatures,
    config: MixerConfig,
    rooms: Sequence[ImpulseResponse] = (),
) -> None:
    """Write a model folder, whole or not at all; replaces an older one.

    Args:
        folder: of the model.
        net: the network.
        features: what stems are normalised to.
        config: of the network and of the normalisation.
        rooms: for the effect `reverb`; stored with 16 bits.

    Raises:
        FxNormError: the network is not the one that `config` describes, or the folder holds
            anything else.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    require_same_layout(state, layout(config.network), f"{folder}: the network to save")
    with atomic_folder(folder, replaces=(WEIGHTS, CONFIG, FEATURES, ROOMS)) as temporary:
        # safetensors makes files that nobody else may read.
        with atomic_file(temporary / WEIGHTS) as weights:
            safetensors.torch.save_file(state, weights)
        text = json.dumps(config.model_dump(mode="json"), indent=2)
        write_text(temporary / CONFIG, text + "\n")
        features.save(temporary / FEATURES)
        for room in rooms:
            path = temporary / ROOMS / room.name / "impulse_response.flac"
            audio.write(path, room.samples, SAMPLE_RATE)


def load(folder: str | os.PathLike[str], device: str | torch.device = "cpu") -> LoadedModel:
    """Read a model folder.

    Raises:
        FxNormError: a missing or damaged file, unknown settings, or weights of another network.
    """
    config, features = load_settings(folder)
    weights = Path(folder) / WEIGHTS
    state = read_weights(weights)
    # Before the network is built: settings may ask for more memory than there is.
    require_same_layout(state, layout(config.network), str(weights))
    net = build(config.network)
    net.load_state_dict(state)
    return LoadedModel(net.to(device).eval(), features, config, load_rooms(folder))
