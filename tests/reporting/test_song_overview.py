"""The overview of generated songs by what it draws."""

import numpy as np
import pytest

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.errors import FxNormError
from fxnorm.reporting.song_overview import overview_figure

PARTS = (*STEMS, "mixture")
#: Tones of the parts of the first song, in Hz.
TONES_HZ = (440.0, 80.0, 6000.0, 1000.0, 2000.0)


def _songs(folder, count):
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for number in range(count):
        for part, hz in zip(PARTS, TONES_HZ, strict=True):
            tone = 0.5 * np.sin(2.0 * np.pi * hz * time_s)
            path = folder / "wet" / "train" / f"{number}" / f"{part}.wav"
            write(path, np.stack([tone, tone], axis=1).astype(np.float32), SAMPLE_RATE)


def test_every_part_of_four_songs_is_drawn_at_its_frequencies(tmp_path):
    _songs(tmp_path, 5)
    figure = overview_figure(tmp_path)
    assert len(figure.axes) == 4 * len(PARTS)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["0", "1", "2", "3"]
    for axes, hz in zip(figure.axes[::4], TONES_HZ, strict=True):
        (image,) = axes.collections
        levels_db = np.asarray(image.get_array())
        assert np.ptp(levels_db) > 40.0
        loudest = int(levels_db.mean(axis=1).argmax())
        edges_hz = image.get_coordinates()[loudest : loudest + 2, 0, 1]
        # Half a bin, and half a step of the axis.
        assert abs(edges_hz.mean() - hz) < 11.0 + 0.02 * hz


def test_a_folder_without_songs_is_named(tmp_path):
    with pytest.raises(FxNormError, match="run the stage 'synthesize' first"):
        overview_figure(tmp_path)
