"""Batches are functions of (seed, step), whoever reads them."""

import numpy as np
import pytest
import torch
from training_fixtures import CONFIG

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.training import TrainingSong, open_songs
from fxnorm.training.loader import Loader, song_order

WIDE = CONFIG.model_copy(update={"batch_size": 4})


@pytest.mark.parametrize(("songs", "batch_size"), [(7, 4), (3, 5), (1, 2)])
def test_every_song_comes_batch_size_times_per_refill(songs, batch_size):
    for refill in range(3):
        steps = range(refill * songs, (refill + 1) * songs)
        order = np.concatenate([song_order(1, songs, batch_size, step) for step in steps])
        assert (np.bincount(order, minlength=songs) == batch_size).all()
        # A refill is permutations one after another: each stretch holds every song once.
        for stretch in order.reshape(batch_size, songs):
            assert sorted(stretch) == list(range(songs))


def test_refills_and_seeds_differ():
    orders = {
        tuple(song_order(seed, 20, 1, 20 * refill + step)[0] for step in range(20))
        for seed in range(3)
        for refill in range(3)
    }
    assert len(orders) == 9


def test_any_number_of_workers_and_any_start_gives_the_same_batches(songs):
    opened = open_songs(songs)
    reference = {step: Loader(opened, WIDE, 9).batch(step) for step in range(12)}
    for workers, first in [(1, 0), (5, 0), (2, 7)]:
        loader = Loader(opened, WIDE, 9, workers=workers)
        seen = list(loader.batches(first, 12))
        assert [step for step, _ in seen] == list(range(first, 12))
        for step, batch in seen:
            assert torch.equal(batch.inputs, reference[step].inputs)
            assert torch.equal(batch.target, reference[step].target)


def test_processes_share_a_batch(songs):
    opened = open_songs(songs)
    whole = Loader(opened, WIDE, 2).batch(3)
    parts = [Loader(opened, WIDE, 2, rank=rank, processes=2).batch(3) for rank in (0, 1)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.inputs, whole.inputs[rank::2])
        assert torch.equal(part.target, whole.target[rank::2])
    with pytest.raises(FxNormError, match="batch_size 4 can't be shared by 3 processes"):
        Loader(opened, WIDE, 2, processes=3)


def test_shapes(songs):
    opened = open_songs(songs)
    batch = Loader(opened, WIDE, 0).batch(0)
    assert batch.inputs.shape == (4, 4, 2, WIDE.sequence_samples)
    assert batch.target.shape == (4, 2, WIDE.sequence_samples)
    assert batch.inputs.dtype == torch.float32


def test_starts_are_spread_over_the_song(tmp_path):
    """400 chunks of 64 samples of a ramp: their first values tell where they start."""
    ramp = np.linspace(0.0, 1.0, 30_000, dtype=np.float32)[:, None]
    audio.write(tmp_path / "ramp.wav", ramp, 44_100, "FLOAT")
    opened = open_songs([TrainingSong("ramp", {"vocals": tmp_path / "ramp.wav"}, None)])
    short = CONFIG.model_copy(update={"sequence_s": 65 / 44_100, "batch_size": 4})
    loader = Loader(opened, short, 4)
    starts = np.concatenate([loader.batch(step).inputs[:, 0, 0, 0] for step in range(100)])
    counts, _ = np.histogram(starts, bins=10, range=(0.0, 1.0))
    # 40 expected per bin with a binomial deviation of 6; five of them either way.
    assert counts.min() > 10
    assert counts.max() < 70
