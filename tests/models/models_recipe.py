"""The rule behind the golden numbers: weights, inputs and probes from an integer hash.

`golden/networks.npz` holds what the reference implementation made of them: outputs (whole, or five
windows), levels, activations of the first item, and gradients of sum(output * probe).
"""

import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from fxnorm.models import AutomixConfig, AutomixNet

SEED = 20240611
GOLDEN = Path(__file__).parent / "golden"
WINDOWS, WINDOW = 5, 512

#: A network for tests that need no reference.
SMALL = AutomixConfig(
    filters=8, kernel=16, pool=8, bottleneck=12, skip=6, hidden=10, blocks=2, repeats=2
)
PRETRAINING = SMALL.model_copy(update={"pretraining": True})
#: Sizes of the reference networks.
AUTOMIX = {
    "T1": {
        "filters": 16, "bottleneck": 24, "skip": 12, "hidden": 20, "block_kernel": 3, "blocks": 3,
        "repeats": 2, "se_ratio": 4,
    },
    "T2": {
        "stems": 3, "filters": 10, "kernel": 32, "pool": 16, "bottleneck": 14, "skip": 6,
        "hidden": 9, "block_kernel": 5, "blocks": 2, "repeats": 3, "se_ratio": 2,
    },
    "paper": {},
}  # fmt: skip
AUTOMIX_LENGTHS = {"T1": (1024, 4096), "T2": (512, 2000), "paper": (6400, 22080, 88192)}
WAVE_U_NET = {"W1": {"filters": 8, "levels": 3}, "wpaper": {}}
WAVE_U_NET_PREFIX = "network.waveunets.ALL."


@lru_cache(maxsize=1)
def golden():
    with np.load(GOLDEN / "networks.npz") as archive:
        return dict(archive)


def reference_automix(name, *, pretraining=False):
    net = AutomixNet(AutomixConfig(**AUTOMIX[name], pretraining=pretraining))
    net.load_state_dict({k: fill(k, v.shape) for k, v in net.state_dict().items()})
    return net.eval()


def released_wave_u_net_state(net, *, random_taps=False):
    """A state dict in the released layout."""
    state = {}
    for name, tensor in net.state_dict().items():
        key = WAVE_U_NET_PREFIX + name
        if not name.endswith("conv.filter"):
            state[key] = fill(key, tensor.shape)
        elif random_taps:
            values = 0.25 * signed(key_seed(key), tensor.numel())
            state[key] = torch.tensor(values.reshape(tensor.shape).astype(np.float32))
        else:
            state[key] = tensor.clone()
    return state


def fill(key, shape):
    """One tensor of weights."""
    shape = tuple(shape)
    v = signed(key_seed(key), int(np.prod(shape)))
    if v.size == 1:
        v = 0.25 + 0.10 * v
    elif len(shape) == 1:
        is_norm_weight = "norm" in key.lower() and key.endswith(".weight")
        v = 1.0 + 0.2 * v if is_norm_weight else 0.1 * v
    else:
        v = np.sqrt(3.0 / np.prod(shape[1:])) * v
        if key == "conv_1.weight" and shape[0] >= 64:
            v = 0.5 * v
    return torch.tensor(v.reshape(shape).astype(np.float32))


def net_input(stems, length, batch=2):
    """(batch, stems, 2, length)."""
    items = [signal(2 * stems, length, f"net/item{item}") for item in range(batch)]
    return torch.tensor(np.stack(items)).unflatten(1, (stems, 2))


def signal(channels, length, tag):
    """(channels, length): three partials with slow amplitude modulation plus noise."""
    t = np.arange(length) / 44100.0
    out = np.empty((channels, length))
    for c in range(channels):
        h = uniform(key_seed(f"{tag}/{c}"), 6)
        f = 55.0 * 2.0 ** (3.0 * h[0] + 0.5 * c)
        envelope = 0.5 * (1.0 + np.sin(2 * np.pi * (1.0 + 4.0 * h[1]) * t + 6.0 * h[2]))
        partials = (
            np.sin(2 * np.pi * f * t + 6 * h[3])
            + 0.5 * np.cos(2 * np.pi * 2.01 * f * t + 6 * h[4])
            + 0.25 * np.sin(2 * np.pi * 5.03 * f * t + 6 * h[5])
        )
        noise = signed(key_seed(f"{tag}/noise/{c}"), length)
        out[c] = 0.30 * envelope * partials + 0.05 * noise
    return out.astype(np.float32)


def probe(shape, tag):
    values = signed(key_seed("probe/" + tag), int(np.prod(shape)))
    return torch.tensor(values.reshape(tuple(shape)).astype(np.float32))


def windows(y):
    """Five windows (..., 5, 512) of (..., T)."""
    last = y.shape[-1] - WINDOW
    starts = [round(i * last / (WINDOWS - 1)) for i in range(WINDOWS)]
    return np.stack([y[..., s : s + WINDOW] for s in starts], axis=-2)


def key_seed(key):
    return (zlib.crc32(key.encode()) << 20) ^ (SEED * 2654435761)


def signed(seed, n):
    return 2.0 * uniform(seed, n) - 1.0


def uniform(seed, n):
    """n numbers in [0, 1): splitmix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
        z = z + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
