"""Any chain on any audio: finite, as long as the input, the same again. Run with `-m slow`."""

import numpy as np
import pytest
from normalization_fixtures import reference_features, response

from fxnorm.conventions import STEMS
from fxnorm.normalization import FxNormalizer, NormalizationConfig
from fxnorm.normalization.effect_table import effect_names

#: What a channel may hold, from its number of samples and random draws.
KINDS = {
    "silence": lambda n, rng: np.zeros(n),
    "noise": lambda n, rng: rng.normal(0.0, 0.1, n),
    "impulses": lambda n, rng: (rng.random(n) < 1e-4) * rng.choice([-1.0, 1.0], n),
    "one impulse": lambda n, rng: 1.0 * (np.arange(n) == rng.integers(n)),
    "offset": lambda n, rng: np.full(n, rng.uniform(-1.0, 1.0)),
    "noise with offset": lambda n, rng: 0.5 + rng.normal(0.0, 0.1, n),
    "denormals": lambda n, rng: rng.normal(0.0, 1e-41, n),
    "half denormals": lambda n, rng: rng.normal(0.0, 1.0, n) * np.where(np.arange(n) % 2, 1e-41, 1),
    "tone": lambda n, rng: np.sin(10.0 ** rng.uniform(-4.0, 0.5) * np.arange(n)),
    "highest frequency": lambda n, rng: np.where(np.arange(n) % 2, 1.0, -1.0),
    "square": lambda n, rng: np.sign(np.sin(0.01 * np.arange(n))),
    "beyond full scale": lambda n, rng: rng.normal(0.0, 100.0, n),
    "late": lambda n, rng: rng.normal(0.0, 0.1, n) * (np.arange(n) > 0.9 * n),
}


def _audio(rng):
    """One or two channels, equal, silent on one side or different, at any level."""
    samples = int(10.0 ** rng.uniform(0.0, 4.7))
    channels = [KINDS[kind](samples, rng) for kind in rng.choice(list(KINDS), 2)]
    pair = [channels[:1], channels[:1] * 2, [channels[0], 0.0 * channels[1]], channels]
    level = 1.0 if rng.random() < 0.5 else 10.0 ** rng.uniform(-4.0, 0.0)
    return (level * np.transpose(pair[rng.integers(len(pair))])).astype(np.float32)


def _normalizer(rng):
    effects = [name for name in effect_names() if rng.random() < 0.7]
    strengths = {name: rng.random() for name in effects if rng.random() < 0.3}
    config = NormalizationConfig(
        effects=tuple(effects),
        strengths=strengths,
        released_quirks=bool(rng.random() < 0.2),
        expansion=bool(rng.random() < 0.3),
    )
    rooms = [response(seed, 10.0 ** rng.uniform(-3.0, 0.0)) for seed in range(2)]
    return FxNormalizer(
        reference_features(), config, impulse_responses=rooms, pre_impulse_responses=rooms
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("error:.*(invalid value|overflow):RuntimeWarning")
@pytest.mark.parametrize("part", range(10))
def test_the_output_is_finite_as_long_as_the_input_and_the_same_again(part) -> None:
    for number in range(50 * part, 50 * part + 50):
        rng = np.random.default_rng(number)
        audio, normalizer, stem = _audio(rng), _normalizer(rng), str(rng.choice(STEMS))
        sample_rate = int(rng.choice([44_100, 44_100, 48_000, 8000]))
        given = audio.copy()
        result = normalizer(audio, sample_rate, stem, number).audio
        assert result.shape == (len(audio), 2), number
        assert np.isfinite(result).all(), number
        np.testing.assert_array_equal(audio, given)
        if number % 5 == 0:
            again = normalizer(audio, sample_rate, stem, number).audio
            np.testing.assert_array_equal(result, again, strict=True)
