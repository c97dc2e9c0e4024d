"""Names and arguments that programs of others call."""

import inspect
from pathlib import Path

import numpy as np
import pytest

import fxnorm
from fxnorm import evaluation, losses, models, normalization
from fxnorm.conventions import SAMPLE_RATE

FEATURES = Path(__file__).parents[1] / "params/features/musdb18.npz"
LOSS = "guard_frames filters sample_rate n_fft hop"
PAIR = "mix target sample_rate"
CALLED = {
    fxnorm: {
        "mix": "stems sample_rate model seed device",
        "mix_stems": "stems sample_rate model seed device",
    },
    normalization: {
        "normalize_loudness": "audio sample_rate target_lufs",
        "match_equalization": "audio sample_rate reference_spectrum max_boost_db",
        "match_compression": "audio sample_rate stem reference",
        "match_panning": "audio sample_rate stem reference_phi released_quirks",
        "detect_onsets": "samples sample_rate",
        "mean_peak": "audio sample_rate percentile",
        "position": "audio n_fft hop",
        "NormalizationConfig": "effects released_quirks",
        "FxNormalizer": "features config impulse_responses pre_impulse_responses",
    },
    evaluation: {
        "loudness_metrics": PAIR,
        "spectral_metrics": PAIR,
        "panning_metrics": PAIR,
        "dynamics_metrics": PAIR,
    },
    models: {
        "AutomixConfig": "stems channels filters kernel pool bottleneck skip hidden block_kernel"
        " blocks repeats se_ratio pretraining",
        "WaveUNetConfig": "stems channels filters levels kernel",
        "AutomixNet": "config",
        "WaveUNet": "config",
        "import_released": "net state_dict",
        "save": "folder net features config",
        "load": "folder device",
    },
    losses: {"StereoLossA": LOSS, "StereoLossB": LOSS},
}
NAMES = [(room, name, words) for room, names in CALLED.items() for name, words in names.items()]


@pytest.mark.parametrize(("room", "name", "words"), NAMES)
def test_a_name_takes_its_arguments(room, name, words):
    assert set(words.split()) <= set(inspect.signature(getattr(room, name)).parameters)


def test_features_are_dictionaries_by_stem():
    features = normalization.DatasetFeatures.load(FEATURES)
    for curves in (features.eq, features.compression, features.panning, features.loudness):
        assert set(curves) == {"vocals", "bass", "drums", "other"}
    assert features.panning["bass"].shape == (32_769,)
    assert len(features.compression["drums"]) == 2


def test_no_model_is_the_default_one():
    noise = 0.1 * np.random.default_rng(0).standard_normal((SAMPLE_RATE, 2)).astype(np.float32)
    named, default = (fxnorm.mix({"drums": noise}, SAMPLE_RATE, *model) for model in ((None,), ()))
    np.testing.assert_array_equal(named, default)
