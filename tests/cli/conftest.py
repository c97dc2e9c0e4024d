import numpy as np
import pytest
import torch
from tiny_model import TINY, plain_features

from fxnorm.audio import write
from fxnorm.conventions import STEMS
from fxnorm.models import AutomixConfig, MixerConfig, build, save
from fxnorm.normalization import DatasetFeatures


@pytest.fixture(scope="session")
def stems(tmp_path_factory):
    """Two seconds of something in every stem, at 48 kHz; the vocals in mono, the bass shorter."""
    folder = tmp_path_factory.mktemp("stems")
    rng = np.random.default_rng(3)
    time_s = np.arange(96_000) / 48_000
    bursts = (np.sin(2 * np.pi * 4 * time_s) > 0.7)[:, None]
    for index, stem in enumerate(STEMS):
        tone = np.sin(2 * np.pi * 110 * 2**index * time_s)[:, None] * [0.5, 0.3]
        noise = rng.uniform(-0.1, 0.1, (96_000, 2))
        audio = ((tone + noise) * (0.2 + 0.8 * bursts)).astype(np.float32)
        audio = audio[:, :1] if stem == "vocals" else audio[: 80_000 if stem == "bass" else None]
        write(folder / f"{stem}.wav", audio, 48_000)
    return folder


@pytest.fixture(scope="session")
def features(tmp_path_factory):
    """A features file with plain averages."""
    path = tmp_path_factory.mktemp("features") / "features.npz"
    plain_features().save(path)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory, features):
    folder = tmp_path_factory.mktemp("model") / "tiny"
    torch.manual_seed(1)
    config = MixerConfig(system="tiny", network=AutomixConfig(**TINY))
    save(folder, build(config.network), DatasetFeatures.load(features), config)
    return folder
