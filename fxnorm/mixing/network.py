"""Running a mixing network over whole songs."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F

from fxnorm.errors import FxNormError
from fxnorm.models import AutomixNet, LoadedModel, mix_stream, output_offset
from fxnorm.models.windows import run_in_windows


def choose_device(device: str) -> str:
    """Resolve "auto" to "cuda" where there is a GPU, else "cpu".

    Raises:
        FxNormError: torch doesn't know the device or can't use it here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise FxNormError(f"device '{device}' can't be used here ({reason}); try cpu") from error
    return device


def apply_network(stems: Mapping[str, np.ndarray], model: LoadedModel) -> np.ndarray:
    """Mix normalised stems.

    Args:
        stems: by stem type, each (samples, 2) float32 at 44.1 kHz; missing ones are silent.
        model: network and its configuration.

    Returns:
        (samples, 2) float32.

    Raises:
        FxNormError: the network is one for pretraining.
    """
    if isinstance(model.net, AutomixNet) and model.net.pretraining:
        raise FxNormError(
            f"model '{model.config.system}' is a pretrained front end; train a system from it"
        )
    samples = max(stem.shape[0] for stem in stems.values())
    inputs = torch.zeros(len(model.config.stems), 2, samples)
    for index, stem in enumerate(model.config.stems):
        if stem in stems:
            inputs[index, :, : stems[stem].shape[0]] = torch.from_numpy(stems[stem].T)
    with torch.inference_mode():
        mixed = _mix(inputs, model)
    return np.ascontiguousarray(mixed.float().cpu().numpy().T)


def _mix(inputs: torch.Tensor, model: LoadedModel) -> torch.Tensor:
    net, config = model.net, model.config
    if isinstance(net, AutomixNet) and config.window is None:
        return _stream(inputs, net)
    inputs = inputs.to(next(net.parameters()).device)
    offset = output_offset(net, config)
    if config.window is not None:
        window = config.window
        guards = window.guard_left, window.guard_right
        return run_in_windows(net, inputs, window.samples, guards, offset=offset, batch_size=1)
    mixed: torch.Tensor = net(F.pad(inputs, (offset, net.trim - offset))[None])
    return mixed[0]


def _stream(inputs: torch.Tensor, net: AutomixNet) -> torch.Tensor:
    """The whole song as one, in bounded memory."""
    parts: list[torch.Tensor] = []
    mix_stream(
        net, lambda start, count: inputs[..., start : start + count], parts.append, inputs.shape[-1]
    )
    return torch.cat(parts, dim=-1)
