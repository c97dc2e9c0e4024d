import numpy as np

from fxnorm.audio import (
    offsets,
    without_offsets,
)


def test_a_constant_offset_is_found_and_removed_and_music_has_none():
    rng = np.random.default_rng(2)
    music = rng.normal(0.0, 0.1, (44_100, 2)).astype(np.float32)
    assert not offsets(music).any()
    shifted = np.pad(music + np.float32([0.3, 0.0]), [(22_050, 0), (0, 0)])
    found = offsets(shifted)
    np.testing.assert_allclose(found, [0.3, 0.0], atol=2e-3)
    cleaned = without_offsets(shifted, found)
    np.testing.assert_allclose(cleaned[22_050:], music, atol=2e-3)
    assert not cleaned[:22_050].any()  # The silence before stays silent.


def test_a_one_sided_click_is_no_offset():
    click = np.zeros((44_100, 1), np.float32)
    click[100:3000] = 0.8
    click[-1] = 1e-3
    assert not offsets(click).any()
