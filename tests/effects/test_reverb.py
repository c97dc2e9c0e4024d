"""Convolution with impulse responses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.effects import convolve


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 9000),
    taps=st.integers(1, 700),
    channels=st.sampled_from([(1, 1), (2, 1), (2, 2)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_convolution_from_the_response_s_peak_on(samples, taps, channels, seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, channels[0])).astype(np.float32)
    response = rng.standard_normal((taps, channels[1])).astype(np.float32)
    y = convolve(x, response)
    start = int(np.abs(response).max(axis=1).argmax())
    assert y.shape == x.shape
    assert y.dtype == np.float32
    for c in range(channels[0]):
        full = np.convolve(x[:, c].astype(float), response[:, c % channels[1]].astype(float))
        scale = np.abs(full).max()
        # Transformed in double, stored in single precision.
        np.testing.assert_allclose(y[:, c], full[start : start + samples], atol=1e-6 * scale)


def test_direct_sound_stays_in_place() -> None:
    x = np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32)
    response = np.zeros((900, 2), np.float32)
    response[137] = 1.0
    np.testing.assert_allclose(convolve(x, response), x, atol=1e-6)
    np.testing.assert_allclose(convolve(x, response[:, 0]), x, atol=1e-6)


def test_mono_audio_gets_one_channel_drawn_of_a_stereo_response() -> None:
    x = np.random.default_rng(0).standard_normal(3000).astype(np.float32)
    response = np.zeros((10, 2), np.float32)
    response[0] = [1.0, 0.5]
    gains = {
        round(float(convolve(x, response, np.random.default_rng(s))[5] / x[5]), 3)
        for s in range(20)
    }
    assert gains == {1.0, 0.5}
    assert convolve(x, response)[5] == pytest.approx(x[5])
    assert convolve(x, response).shape == x.shape


def test_silence_stays_silent() -> None:
    response = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32)
    assert not convolve(np.zeros((4000, 2), np.float32), response).any()
