"""Weights of the released FxNorm-Automix files."""

import os
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from fxnorm.errors import FxNormError
from fxnorm.models.automix.automix_config import AutomixConfig
from fxnorm.models.building import build
from fxnorm.models.mixer_config import MixerConfig, NetworkConfig, WindowConfig
from fxnorm.models.network import Network
from fxnorm.models.waveunet.wave_u_net import WaveUNet
from fxnorm.models.waveunet.wave_u_net_config import WaveUNetConfig
from fxnorm.models.weights import require_same_layout
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.opcodes import check_opcodes

#: The released systems: the paper's network, its pretrained front end and the Wave-U-Net.
System = Literal["ours", "ours-pretrained", "wun"]

#: How a file begins that only says where git's large-file storage has the real one.
_LFS_POINTER = b"version https://git-lfs"
#: How an archive begins.
_ZIP = b"PK\x03\x04"
#: What precedes the numbers in files of torch before 1.6.
_PICKLES_OF_OLD_FILES = 5
#: What precedes every name in the Wave-U-Net's files.
_WAVE_U_NET_PREFIX = "network.waveunets.ALL."


def import_model(path: str | os.PathLike[str], system: System) -> tuple[Network, MixerConfig]:
    """A released file as a network, with the settings its weights were trained for.

    Args:
        path: a `.params` file.
        system: which network the file is of.

    Raises:
        FxNormError: not such a file, or weights of another network.
    """
    network: NetworkConfig = AutomixConfig(pretraining=system == "ours-pretrained")
    if system == "wun":
        network = WaveUNetConfig()
    config = MixerConfig(
        system=system,
        network=network,
        normalization=NormalizationConfig(released_quirks=True),
        warm_up_s=30.0,
        released_alignment=True,
        window=WindowConfig() if system == "wun" else None,
    )
    net = build(network)
    try:
        import_released(net, read_released(path))
    except FxNormError as error:
        raise FxNormError(str(error).replace("released weights", str(path), 1)) from error
    return net.eval(), config


def read_released(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a released `.params` file: a plain state dict, nothing in it is executed.

    Raises:
        FxNormError: missing, empty, damaged, or holding anything but named tensors.
    """
    file = Path(path)
    if not file.is_file():
        raise FxNormError(f"{path}: no such file")
    with file.open("rb") as stream:
        beginning = stream.read(len(_LFS_POINTER))
    if beginning in (b"", _LFS_POINTER):
        raise FxNormError(f"{path}: not the file itself; fetch it (git lfs pull)")
    try:
        _check_pickles(file)
        with warnings.catch_warnings(action="ignore"):  # of what it refuses then
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # The unpickler raises all kinds on a file that is something else.
        raise FxNormError(
            f"{path}: damaged, or holds more than tensors, which is not read; give a released "
            ".params file"
        ) from error
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and _is_plain(value) for name, value in content.items()
    ):
        raise FxNormError(f"{path}: holds more than named tensors; give a released .params file")
    return dict(content)


def _check_pickles(file: Path) -> None:
    """Look through the pickles of a file before torch reads them.

    Raises:
        pickle.UnpicklingError: they ask for too much, or for more than the file holds.
    """
    with file.open("rb") as stream:
        # As torch tells the formats apart: an archive may follow a file of the old one.
        if stream.read(len(_ZIP)) != _ZIP:
            stream.seek(0)
            check_opcodes(stream, _PICKLES_OF_OLD_FILES)
            return
    with zipfile.ZipFile(file) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise pickle.UnpicklingError("it is compressed")
        for name in archive.namelist():
            # Torch finds names in capitals, too.
            if name.lower().endswith("data.pkl"):
                with archive.open(name) as stream:
                    check_opcodes(stream)


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not value.is_nested
        and value.device.type == "cpu"
    )


def import_released(net: Network, state_dict: Mapping[str, Any]) -> None:
    """Put released weights into a network, name by name.

    Every tensor must be there with its shape, and none besides. Only for pretraining, the LSTM
    may be missing as a whole: the released pretrained file is older than it, and it is unused.

    Args:
        net: a network of the sizes the weights were trained with; changed in place.
        state_dict: tensors or arrays by the released files' names.

    Raises:
        FxNormError: names the first missing, unexpected or misshaped tensors; `net` is unchanged.
    """
    state = {name: torch.as_tensor(value) for name, value in state_dict.items()}
    state = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }
    current = net.state_dict()
    prefix = _WAVE_U_NET_PREFIX if isinstance(net, WaveUNet) else ""
    expected = {prefix + name: tensor for name, tensor in current.items()}
    if net.pretraining:
        lstm = {name for name in expected if name.startswith("blstm.")}
        if not lstm & set(state):
            expected = {name: expected[name] for name in expected if name not in lstm}
    require_same_layout(state, expected, "released weights")
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            raise FxNormError(f"released weights: {name} is {tensor.dtype}, not floating point")
        if not bool(torch.isfinite(tensor).all()):
            raise FxNormError(f"released weights: {name} holds NaN or infinite values")
    net.load_state_dict(
        current | {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    )
