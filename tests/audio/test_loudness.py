import math

import numpy as np
import pyloudnorm
import pytest
import scipy.signal

from fxnorm.audio import (
    db,
    integrated_loudness,
    peak,
    true_peak_db,
)


def _sine(frequency_hz, level_db, sample_rate=48000, seconds=5.0):
    time_s = np.arange(int(seconds * sample_rate)) / sample_rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.stack([wave, wave], axis=1)


def test_stereo_sine_at_minus_23_dbfs_reads_minus_23_lufs():
    # EBU Tech 3341, case 1: tolerance 0.1 LU.
    assert integrated_loudness(_sine(1000, -23.0), 48000) == pytest.approx(-23.0, abs=0.1)


# At 11,025 Hz the blocks are not all of one length.
@pytest.mark.parametrize("sample_rate", [11_025, 22_050, 44_100, 96_000])
def test_loudness_is_that_of_pyloudnorm(sample_rate):
    noise = np.random.default_rng(3).normal(0.0, 0.1, (7 * sample_rate, 2))
    for second, gain in enumerate([0.3, 2.0, 0.0, 0.1, 1.0, 0.01, 0.5]):
        noise[second * sample_rate :][:sample_rate] *= gain
    expected = pyloudnorm.Meter(sample_rate).integrated_loudness(noise)
    assert integrated_loudness(noise, sample_rate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("audio", [np.zeros((48000, 2)), np.ones((1000, 2)), _sine(1000, -90)])
def test_loudness_is_minus_infinity_where_undefined(audio):
    assert integrated_loudness(audio, 48000) == -math.inf


def test_loudness_does_not_depend_on_how_samples_lie_in_memory():
    audio = np.random.default_rng(4).uniform(-0.3, 0.3, (44_100, 2)).astype(np.float32)
    fields = np.zeros(44_100, [("note", np.int8), ("audio", np.float32, 2)])
    fields["audio"] = audio
    backwards = audio[::-1, ::-1].copy()[::-1, ::-1]
    expected = integrated_loudness(audio, 44_100)
    for same in (np.asfortranarray(audio), np.repeat(audio, 2, 0)[::2], backwards, fields["audio"]):
        assert integrated_loudness(same, 44_100) == expected
    constant = np.broadcast_to(np.float32(0.25), audio.shape)
    assert integrated_loudness(constant, 44_100) == integrated_loudness(constant.copy(), 44_100)


def test_true_peak_finds_the_crest_between_samples():
    # A quarter-rate sine sampled 45° off its crests: sample peak −3.01 dBFS, true peak 0 dBTP.
    time = np.arange(4800)
    wave = np.sin(2 * np.pi * time / 4 + np.pi / 4) * np.hanning(4800)
    assert db(peak(wave)) == pytest.approx(-3.01, abs=0.01)
    # BS.1770-4 annex 2 allows 4-times oversampling to read up to 0.6 dB low.
    assert true_peak_db(wave) == pytest.approx(0.0, abs=0.6)


def test_the_true_peak_of_a_long_signal_is_that_of_its_parts_joined():
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(2**18 + 1000, 2)).astype(np.float32)
    whole = scipy.signal.resample_poly(signal.astype(np.float64), 4, 1, axis=0)
    assert true_peak_db(signal) == pytest.approx(db(peak(whole)), abs=1e-9)
    signal[2**18 - 2 : 2**18 + 2] *= 40.0  # The crest lies where two parts meet.
    whole = scipy.signal.resample_poly(signal.astype(np.float64), 4, 1, axis=0)
    assert true_peak_db(signal) == pytest.approx(db(peak(whole)), abs=1e-9)
