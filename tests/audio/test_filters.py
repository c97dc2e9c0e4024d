"""Filters against the magnitudes that define them."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from fxnorm.audio.filters import high_pass, high_shelf, low_pass, low_shelf, peaking
from fxnorm.errors import FxNormError

SAMPLE_RATE = 44_100


def gain_db(sos: np.ndarray, *frequencies_hz: float) -> np.ndarray:
    _, response = scipy.signal.freqz_sos(sos, frequencies_hz, fs=SAMPLE_RATE)
    return 20 * np.log10(np.abs(response) + 1e-300)


@given(st.floats(30, 15_000), st.floats(-40, 40), st.floats(0.3, 3))
def test_shelves_and_bell_meet_their_definitions(frequency_hz, gain, q) -> None:
    nyquist = SAMPLE_RATE / 2
    expected = {low_shelf: (gain, gain / 2, 0.0), high_shelf: (0.0, gain / 2, gain)}
    for design, levels in expected.items():
        sos = design(frequency_hz, gain, SAMPLE_RATE, q)
        np.testing.assert_allclose(gain_db(sos, 0.0, frequency_hz, nyquist), levels, atol=1e-6)
        assert np.abs(np.roots(sos[0, 3:])).max() < 1.0
    bell = gain_db(peaking(frequency_hz, gain, SAMPLE_RATE, q), 0.0, frequency_hz, nyquist)
    np.testing.assert_allclose(bell, (0.0, gain, 0.0), atol=1e-6)


@given(st.floats(30, 15_000), st.floats(0.3, 3))
def test_passes_meet_their_definitions(frequency_hz, q) -> None:
    low = gain_db(low_pass(frequency_hz, SAMPLE_RATE), 0.0, frequency_hz)
    np.testing.assert_allclose(low, (0.0, 20 * np.log10(0.707)), atol=1e-6)
    high = gain_db(high_pass(frequency_hz, SAMPLE_RATE, q), SAMPLE_RATE / 2, frequency_hz)
    np.testing.assert_allclose(high, (0.0, 20 * np.log10(q)), atol=1e-6)
    # 12 dB per octave, well below the corner.
    slope = gain_db(high_pass(8000.0, SAMPLE_RATE, q), 20.0, 40.0)
    assert slope[1] - slope[0] == pytest.approx(12.04, abs=0.05)


@pytest.mark.parametrize("frequency_hz", [0.0, -5.0, 22_050.0, 30_000.0, float("nan")])
def test_frequencies_outside_the_band_are_refused(frequency_hz) -> None:
    with pytest.raises(FxNormError, match="between 0 and 22050 Hz"):
        low_pass(frequency_hz, SAMPLE_RATE)


def test_q_must_be_positive() -> None:
    with pytest.raises(FxNormError, match="Q 0"):
        peaking(1000.0, 3.0, SAMPLE_RATE, 0.0)
