import numpy as np

from fxnorm.audio import (
    resample,
)


def _sine(frequency_hz, level_db, sample_rate=48000, seconds=5.0):
    time_s = np.arange(int(seconds * sample_rate)) / sample_rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.stack([wave, wave], axis=1)


def test_resampling_there_and_back_keeps_length_and_signal():
    wave = _sine(1000, -6.0, sample_rate=48000, seconds=0.5).astype(np.float32)
    there = resample(wave, 48000, 44100)
    assert there.shape[0] == 22050
    back = resample(there, 44100, 48000, samples=wave.shape[0])
    assert back.shape == wave.shape
    np.testing.assert_allclose(back[500:-500], wave[500:-500], atol=1e-4)
