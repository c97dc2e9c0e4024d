"""Small networks and stems to mix."""

import numpy as np
import torch
from tiny_model import TINY

from fxnorm.conventions import STEMS
from fxnorm.models import AutomixConfig, LoadedModel, MixerConfig, WaveUNetConfig, build

AUTOMIX = AutomixConfig(**TINY)
WAVE_U_NET = WaveUNetConfig(filters=8, levels=2)
RATE = 44_100


def model(features, network, **settings):
    """An untrained network, always the same."""
    torch.manual_seed(0)
    config = MixerConfig(system="test", network=network, **settings)
    return LoadedModel(build(network).eval(), features, config)


def bursts(samples, channels=2, seed=0):
    """Noise that comes and goes, other in each stem."""
    rng = np.random.default_rng(seed)
    envelope = (np.sin(np.arange(samples) / 3000.0) ** 2)[:, None]
    return {
        stem: (envelope * rng.uniform(-0.3, 0.3, (samples, channels))).astype(np.float32)
        for stem in STEMS
    }
