"""Model folders: `model.safetensors`, `config.json` and `features.npz`, all that mixing needs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from fxnorm.errors import FxNormError
from fxnorm.models.building import Network, build
from fxnorm.models.mixer_config import MixerConfig
from fxnorm.models.settings_files import CONFIG, FEATURES, WEIGHTS, load_settings
from fxnorm.normalization.dataset_features import DatasetFeatures
from fxnorm.outputs import atomic_folder


class LoadedModel(NamedTuple):
    """A model folder's content; the network is in evaluation mode."""

    net: Network
    features: DatasetFeatures
    config: MixerConfig

    @property
    def output_offset(self) -> int:
        """Input sample that the network's output sample 0 is placed at."""
        return 0 if self.config.released_alignment else self.net.output_offset


def save(
    folder: str | os.PathLike[str],
    net: Network,
    features: DatasetFeatures,
    config: MixerConfig,
) -> None:
    """Write a model folder, whole or not at all; replaces an older one.

    Raises:
        FxNormError: the network is not the one that `config` describes, or the folder holds
            anything else.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    with torch.device("meta"):
        expected = build(config.network).state_dict()
    require_same_layout(state, expected, f"{folder}: the network to save")
    with atomic_folder(folder, replaces=(WEIGHTS, CONFIG, FEATURES)) as temporary:
        safetensors.torch.save_file(state, temporary / WEIGHTS)
        text = json.dumps(config.model_dump(mode="json"), indent=2)
        (temporary / CONFIG).write_text(text + "\n", encoding="utf-8")
        features.save(temporary / FEATURES)


def load(folder: str | os.PathLike[str], device: str | torch.device = "cpu") -> LoadedModel:
    """Read a model folder.

    Raises:
        FxNormError: a missing or damaged file, unknown settings, or weights of another network.
    """
    config, features = load_settings(folder)
    net = build(config.network)
    weights = Path(folder) / WEIGHTS
    state = read_weights(weights)
    require_same_layout(state, net.state_dict(), str(weights))
    net.load_state_dict(state)
    return LoadedModel(net.to(device).eval(), features, config)


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        FxNormError: it is missing or damaged.
    """
    if not Path(path).is_file():
        raise FxNormError(f"{path}: no such file")
    try:
        return safetensors.torch.load_file(path)
    except OSError as error:
        raise FxNormError(f"{path}: can't be read ({error.strerror or error})") from error
    except SafetensorError as error:
        raise FxNormError(f"{path}: damaged ({error}); train or import the model again") from error


def require_same_layout(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str
) -> None:
    """Compare names and shapes of two sets of weights.

    Raises:
        FxNormError: says which names are missing, unexpected or of another shape.
    """
    faults = [
        *_listed("missing", [name for name in expected if name not in state]),
        *_listed("unexpected", [name for name in state if name not in expected]),
        *_listed(
            "misshaped",
            [
                f"{name} {tuple(state[name].shape)}, not {tuple(tensor.shape)}"
                for name, tensor in expected.items()
                if name in state and state[name].shape != tensor.shape
            ],
        ),
    ]
    if faults:
        raise FxNormError(f"{source}: weights of another network: {'; '.join(faults)}")


def _listed(fault: str, names: list[str], shown: int = 3) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return [f"{fault} {', '.join(names[:shown])}{more}"]
