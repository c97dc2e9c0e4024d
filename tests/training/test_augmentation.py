"""Augmentation keeps inputs and target together."""

import numpy as np
import pytest

from fxnorm.errors import FxNormError
from fxnorm.training import AugmentationConfig, ProcessorConfig, open_songs
from fxnorm.training.augmentation import Augmentation

OFF = {"swap_channels": 0.0}


@pytest.fixture(scope="module")
def piece(songs):
    return open_songs(songs[:1])[0].chunk(1000, 4000, wet=True)


def augment(piece, songs, seed=0, **settings):
    augmentation = Augmentation(AugmentationConfig(**{**OFF, **settings}), open_songs(songs))
    before = [part.copy() for part in piece]
    result = augmentation(piece, np.random.default_rng(seed))
    for part, kept in zip(piece, before, strict=True):
        np.testing.assert_array_equal(part, kept)
    return result


def test_everything_off_changes_nothing(piece, songs):
    result = augment(piece, songs)
    assert result.inputs is piece.inputs
    assert result.target is piece.target


def test_channels_are_swapped_in_inputs_and_target_together(piece, songs):
    result = augment(piece, songs, swap_channels=1.0)
    np.testing.assert_array_equal(result.inputs, piece.inputs[..., ::-1])
    np.testing.assert_array_equal(result.target, piece.target[..., ::-1])
    swapped = [
        augment(piece, songs, seed, swap_channels=0.5).inputs is not piece.inputs
        for seed in range(60)
    ]
    # Binomial(60, 1/2): five deviations of 3.9.
    assert 11 <= sum(swapped) <= 49


def test_dropped_stems_are_missing_from_the_target(piece, songs):
    numbers = set()
    for seed in range(40):
        result = augment(piece, songs, seed, drop_stem=0.5)
        kept = np.abs(result.inputs).max(axis=(1, 2)) > 0
        numbers.add(int(kept.sum()))
        np.testing.assert_array_equal(result.inputs[kept], piece.inputs[kept])
        # The mixture file is float32: the sum's rounding.
        np.testing.assert_allclose(result.target, piece.wet[kept].sum(axis=0), atol=1e-6)
    assert 0 not in numbers
    assert {1, 2, 3} <= numbers
    only_one = augment(piece, songs, drop_stem=1.0)
    assert (np.abs(only_one.inputs).max(axis=(1, 2)) > 0).sum() == 1


def test_gain_and_polarity_change_inputs_by_one_factor_per_stem(piece, songs):
    factors = []
    for seed in range(30):
        result = augment(piece, songs, seed, gain_db=6.0, flip_polarity=0.5)
        assert result.target is piece.target
        for changed, stem in zip(result.inputs, piece.inputs, strict=True):
            factor = float((changed * stem).sum() / (stem * stem).sum())
            np.testing.assert_allclose(changed, factor * stem, atol=1e-6)
            factors.append(factor)
    levels_db = 20 * np.log10(np.abs(factors))
    assert levels_db.min() >= -6.0 - 1e-3
    assert levels_db.max() <= 6.0 + 1e-3
    assert np.std(levels_db) == pytest.approx(12 / np.sqrt(12), rel=0.15)
    assert 30 <= sum(factor < 0 for factor in factors) <= 90


def test_width_changes_the_difference_of_the_channels_alone(piece, songs):
    gains = []
    for seed in range(20):
        result = augment(piece, songs, seed, width_db=6.0)
        assert result.target is piece.target
        np.testing.assert_allclose(result.inputs.sum(-1), piece.inputs.sum(-1), atol=1e-6)
        before, after = (stems[..., 0] - stems[..., 1] for stems in (piece.inputs, result.inputs))
        ratio = (before * after).sum(-1) / (before**2).sum(-1)
        np.testing.assert_allclose(after, ratio[:, None] * before, atol=1e-6)
        gains.extend(20 * np.log10(ratio))
    assert -6.01 < min(gains) < -5
    assert 5 < max(gains) < 6.01


def test_stems_bleed_into_the_others(piece, songs):
    levels = []
    for seed in range(20):
        result = augment(piece, songs, seed, bleed_db=-20.0)
        assert result.target is piece.target
        for before, after in zip(piece.inputs, result.inputs, strict=True):
            others = piece.inputs.sum(axis=0) - before
            level = float((others * (after - before)).sum() / (others**2).sum())
            np.testing.assert_allclose(after, before + level * others, atol=1e-6)
            levels.append(20 * np.log10(level))
    assert -40.01 < min(levels) < -37
    assert -23 < max(levels) < -19.99


def test_a_chain_goes_over_the_inputs(piece, songs):
    louder = ProcessorConfig(processor="Gain", ranges={"gain": (6.0, 6.0)})
    result = augment(piece, songs, chain=(louder,))
    np.testing.assert_allclose(result.inputs, 10 ** (6 / 20) * piece.inputs, rtol=1e-6)
    never = louder.model_copy(update={"probability": 0.0})
    np.testing.assert_array_equal(augment(piece, songs, chain=(never,)).inputs, piece.inputs)
    equaliser = ProcessorConfig(processor="Equaliser", ranges={"first_band_gain": (-6.0, 6.0)})
    first, second = (augment(piece, songs, seed, chain=(equaliser,)).inputs for seed in (0, 1))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(augment(piece, songs, 0, chain=(equaliser,)).inputs, first)


def test_faults_are_found_before_training(songs):
    bare = [type(song)(song.name, song.inputs, song.target) for song in songs]
    with pytest.raises(FxNormError, match="song 0: has no wet stems"):
        Augmentation(AugmentationConfig(drop_stem=0.1), open_songs(bare))
    for step, fault in [
        (ProcessorConfig(processor="Flanger"), "Flanger"),
        (ProcessorConfig(processor="Gain", ranges={"gian": (0.0, 1.0)}), "gian"),
        (ProcessorConfig(processor="Gain", ranges={"gain": (0.0, 99.0)}), "out of range"),
    ]:
        with pytest.raises(FxNormError, match=fault):
            Augmentation(AugmentationConfig(chain=(step,)), open_songs(songs))


def test_mono_leans_by_third_octaves_as_far_as_the_side_was_strong(piece, songs):
    stereo = np.random.default_rng(3).standard_normal((4, 8192, 2)).astype(np.float32)
    stereo[..., 1] *= 0.5
    wide = piece._replace(inputs=stereo)
    assert augment(wide, songs, mono=0.0).inputs is stereo
    spread = augment(wide, songs, mono=1.0).inputs
    np.testing.assert_allclose(spread.sum(axis=-1), stereo.sum(axis=-1), atol=1e-5)
    hz = np.fft.rfftfreq(8192, 1.0 / 44_100)
    for before, after in zip(stereo, spread, strict=True):
        middle = np.fft.rfft(after.mean(axis=-1))
        sides = [np.fft.rfft(0.5 * (one[:, 0] - one[:, 1])) for one in (before, after)]
        for band in range(9):
            inside = (hz >= 86.0 * 2 ** (band / 3)) & (hz < 86.0 * 2 ** ((band + 1) / 3))
            was, powers = (np.sum(np.abs(side[inside]) ** 2) for side in sides)
            expected = 10.0**-0.24 * min(was, np.sum(np.abs(middle[inside]) ** 2))
            assert powers == pytest.approx(expected, rel=1e-3)
            # One channel is the louder one throughout the band.
            leaning = np.sign((sides[1] / middle)[inside].real)
            assert set(leaning) == {-1.0 if band % 2 == 0 else 1.0}
    others = augment(piece, songs, mono=0.5).inputs
    same = [np.array_equal(a, b) for a, b in zip(others, piece.inputs, strict=True)]
    assert 0 < sum(same) < len(same)


def test_a_processor_is_for_the_stem_types_it_names(piece, songs):
    louder = {"low_shelf_gain": (6.0, 6.0)}
    step = ProcessorConfig(processor="Equaliser", stems=("bass",), ranges=louder)
    result = augment(piece, songs, chain=(step,))
    changed = [not np.array_equal(a, b) for a, b in zip(result.inputs, piece.inputs, strict=True)]
    assert changed == [name == "bass" for name in songs[0].inputs]
    with pytest.raises(FxNormError, match="there is no 'tuba'"):
        augment(piece, songs, chain=(ProcessorConfig(stems=("tuba",)),))
