import numpy as np

from fxnorm.mixing.sources import open_stems
from fxnorm.mixing.tracks import tracks_of


def test_a_source_read_twice_says_the_same_twice():
    loud_and_mono = np.cos(np.arange(4_000.0))[:, None].astype(np.float32)
    (source,) = open_stems(tracks_of({"bass": loud_and_mono}), 44_100, ("bass",))
    (first, notes), (second, again) = source.read(5_000), source.read(5_000)
    np.testing.assert_array_equal(first, second)
    assert len(notes) == 2
    assert notes == again
