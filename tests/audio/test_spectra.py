import numpy as np

from fxnorm.audio import (
    frame_count,
    sqrt_hann,
    stft,
)


def test_stft_matches_a_direct_transform():
    signal = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    spectrum = stft(signal, 1024, 256)
    assert spectrum.shape == (frame_count(5000, 1024, 256), 513)
    frame = signal[512 : 512 + 1024].astype(np.float64) * sqrt_hann(1024)
    exponent = -2j * np.pi * np.outer(np.arange(513), np.arange(1024)) / 1024
    # Results are rounded to complex64: 2^-24 of the largest magnitude, about 1e-6 of 50.
    np.testing.assert_allclose(spectrum[2], np.exp(exponent) @ frame, atol=1e-5)


def test_a_signal_shorter_than_a_frame_has_no_frames():
    assert stft(np.zeros(1023), 1024, 256).shape == (0, 513)
