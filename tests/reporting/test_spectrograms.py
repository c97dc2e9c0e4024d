"""Mel spectrograms by what they draw."""

import numpy as np
import pytest

from fxnorm.reporting.spectrograms import mel_spectrograms

SR = 44_100


def drawn(axis) -> tuple[np.ndarray, np.ndarray]:
    """Levels in dB (bands, frames), and the centre of each band in Hz."""
    (mesh,) = axis.collections
    edges_hz = mesh.get_coordinates()[:, 0, 1]
    return mesh.get_array(), (edges_hz[1:] + edges_hz[:-1]) / 2


def test_a_tone_is_the_band_at_its_frequency_and_levels_compare() -> None:
    time = np.arange(2 * SR) / SR
    tone = np.sin(2 * np.pi * 1000.0 * time)
    loud = np.stack([tone, -tone], axis=1).astype(np.float32)
    figure = mel_spectrograms({"Human": loud, "Ours": 0.1 * loud})
    human, ours = figure.axes[:2]
    assert [axis.get_title() for axis in (human, ours)] == ["Human", "Ours"]
    levels, centres_hz = drawn(human)
    # Opposite channels do not cancel; a band at 1 kHz is some 30 Hz wide.
    middle = levels[:, levels.shape[1] // 2]
    assert centres_hz[middle.argmax()] == pytest.approx(1000.0, abs=30.0)
    assert levels.max() == pytest.approx(0.0, abs=1e-4)
    assert drawn(ours)[0].max() == pytest.approx(-20.0, abs=1e-3)


def test_silence_is_drawn() -> None:
    figure = mel_spectrograms({"Human": np.zeros((SR, 2), np.float32)})
    assert np.isfinite(drawn(figure.axes[0])[0]).all()
