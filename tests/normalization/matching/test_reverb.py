"""Both reverbs: their sum, their draws and the stems they act on.

"Row n" in names of tests: see `normalization_fixtures`.
"""

import numpy as np
import pytest
import scipy.signal
from normalization_fixtures import SAMPLE_RATE, noise, reference_features, response

from fxnorm.audio import db
from fxnorm.effects import convolve, high_shelf, low_shelf
from fxnorm.normalization import FxNormalizer, NormalizationConfig
from fxnorm.stems import StemType

FEATURES = reference_features()
EFFECTS = ("prereverb", "reverb")


def test_reverb_adds_the_room_of_the_shelved_signal() -> None:
    x, room = noise(1.0, 8), response()
    y = FxNormalizer(FEATURES, NormalizationConfig(effects=("reverb",)), impulse_responses=[room])(
        x, SAMPLE_RATE, "vocals"
    )
    added = (y.audio - x).astype(float)
    assert y.report["effects"]["reverb"] == {"impulse_response": "room 0"}
    # The shelves' frequencies are drawn: compare with the ends of their ranges.
    candidates = []
    for low, high in ((500.0, 7000.0), (700.0, 10_000.0), (600.0, 8500.0)):
        shelves = [
            low_shelf(low, -30.0, SAMPLE_RATE),
            high_shelf(high, -30.0, SAMPLE_RATE),
        ]
        sent = scipy.signal.sosfilt(np.concatenate(shelves), x, axis=0).astype(np.float32)
        candidates.append(convolve(sent, room.samples).astype(float))
    errors = [np.sqrt(((added - c) ** 2).mean() / (c**2).mean()) for c in candidates]
    assert errors[2] < 0.3
    spread = np.sqrt(((candidates[0] - candidates[1]) ** 2).mean() / (added**2).mean())
    assert min(errors) < spread


def test_prereverb_is_half_dry_half_room() -> None:
    x, room = noise(1.0, 9), response(1)
    y = FxNormalizer(
        FEATURES, NormalizationConfig(effects=("prereverb",)), pre_impulse_responses=[room]
    )(x, SAMPLE_RATE, "other").audio
    expected = 0.5 * x + 0.5 * convolve(x, room.samples)
    np.testing.assert_allclose(y, expected, atol=1e-6)


def test_row_2_released_prereverb_is_the_shelves_alone() -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    x = (0.3 * np.sin(2 * np.pi * 100.0 * time_s)).astype(np.float32)
    stereo = np.stack([x, x], 1)
    levels_db = [
        float(
            db(
                FxNormalizer(
                    FEATURES,
                    NormalizationConfig(effects=("prereverb",), released_quirks=quirks),
                    pre_impulse_responses=[response()],
                )(stereo, SAMPLE_RATE, "vocals")
                .audio[SAMPLE_RATE:]
                .std()
                / stereo.std()
            )
        )
        for quirks in (False, True)
    ]
    assert levels_db[1] < -26.0
    assert levels_db[0] > -6.5


def test_row_3_draws_follow_from_seed_stem_and_effect() -> None:
    x = noise(0.6, 10)
    rooms = [response(k, 0.05) for k in range(12)]
    normalizer = FxNormalizer(
        FEATURES,
        NormalizationConfig(effects=EFFECTS),
        impulse_responses=rooms,
        pre_impulse_responses=rooms,
    )
    again = normalizer(x, SAMPLE_RATE, "vocals", 5).audio
    np.testing.assert_array_equal(normalizer(x, SAMPLE_RATE, "vocals", 5).audio, again)

    def drawn(stem: str, seed: int) -> tuple[str, str]:
        effects = normalizer(x, SAMPLE_RATE, stem, seed).report["effects"]
        return tuple(effects[e]["impulse_response"] for e in EFFECTS)

    draws = {(stem, seed): drawn(stem, seed) for stem in ("vocals", "other") for seed in range(6)}
    assert len({d for (stem, _), d in draws.items() if stem == "vocals"}) > 2
    assert any(draws["vocals", s] != draws["other", s] for s in range(6))
    assert any(first != second for first, second in draws.values())


def test_row_3_the_stem_the_seed_and_the_shelves_are_drawn_for() -> None:
    x, rooms = noise(0.6, 10), [response(k, 0.05) for k in range(12)]
    both = FxNormalizer(FEATURES, NormalizationConfig(effects=("reverb",)), impulse_responses=rooms)

    def drawn(stem: str, seed: int) -> str:
        return both(x, SAMPLE_RATE, stem, seed).report["effects"]["reverb"]["impulse_response"]

    assert any(drawn("vocals", seed) != drawn("other", seed) for seed in range(6))
    one = FxNormalizer(
        FEATURES, NormalizationConfig(effects=("reverb",)), impulse_responses=rooms[:1]
    )
    first, second = (one(x, SAMPLE_RATE, "vocals", seed).audio for seed in (0, 1))
    assert np.abs(first - second).max() > 1e-4


@pytest.mark.parametrize("stem", ["bass", "drums"])
def test_bass_and_drums_get_none(stem) -> None:
    x = noise(0.6, 11)
    result = FxNormalizer(
        FEATURES,
        NormalizationConfig(effects=EFFECTS),
        impulse_responses=[response()],
        pre_impulse_responses=[response()],
    )(x, SAMPLE_RATE, stem)
    np.testing.assert_array_equal(result.audio, x)


def test_without_impulse_responses_none_is_applied() -> None:
    x = noise(0.6, 12)
    result = FxNormalizer(FEATURES, NormalizationConfig(effects=EFFECTS))(x, SAMPLE_RATE, "vocals")
    np.testing.assert_array_equal(result.audio, x)
    assert result.report["effects"] == {}


def test_the_configuration_says_which_stem_types_have_it() -> None:
    x = noise(0.6, 11)
    stems = {"bass": StemType(reverberated=True), "other": StemType(reverberated=False)}
    config = NormalizationConfig(effects=EFFECTS, stems=stems)
    chain = FxNormalizer(FEATURES, config, impulse_responses=[response()])
    assert list(chain(x, SAMPLE_RATE, "bass").report["effects"]) == ["reverb"]
    assert not chain(x, SAMPLE_RATE, "other").report["effects"]
    assert list(chain(x, SAMPLE_RATE, "vocals").report["effects"]) == ["reverb"]
    assert not chain(x, SAMPLE_RATE, "drums").report["effects"]
