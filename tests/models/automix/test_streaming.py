"""Mixing block by block equals mixing at once."""

import models_recipe as recipe
import pytest
import torch

from fxnorm.errors import FxNormError
from fxnorm.models import AutomixNet, mix_stream, share_stream
from fxnorm.models.automix import latent, long_latent, spectral
from fxnorm.models.automix.front_end import decode

HOP = AutomixNet(recipe.SMALL).blocks.hop


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return AutomixNet(recipe.SMALL)


def stream(net, song, block):
    """The mix in blocks; fails on reads outside of the song."""
    samples = song.shape[-1]

    def read(start, count):
        assert start >= 0
        assert start + count <= samples
        return song[..., start : start + count]

    parts = []
    mix_stream(net, read, parts.append, samples, block)
    return torch.cat(parts, -1)


@pytest.mark.parametrize("samples", [1, 15, HOP - 3, HOP, HOP + 1, HOP + 9, 4 * HOP + 7])
@pytest.mark.parametrize("block", [1, 2 * HOP, 10**6])
def test_streamed_mix_equals_forward(net, samples, block):
    song = torch.randn(4, 2, samples, generator=torch.Generator().manual_seed(samples))
    with torch.no_grad():
        whole = net.eval()(song[None])[0]
    # The same operations on other numbers of blocks at a time: float32 rounding.
    torch.testing.assert_close(stream(net, song, block), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [1, HOP + 9, 4 * HOP + 7])
@pytest.mark.parametrize("block", [1, 2 * HOP])
def test_shares_are_linear_in_the_stems_given_the_mask_and_add_up_to_the_mix(net, samples, block):
    song = torch.randn(4, 2, samples, generator=torch.Generator().manual_seed(samples))
    song[2] = 0.0
    parts = []
    share_stream(net, lambda at, n: song[..., at : at + n], parts.append, samples, [0, 1, 3], block)
    shares = torch.cat(parts, -1)
    net.eval()
    with torch.no_grad():
        encoded = net.encode(song[None])
        scale = net.scale(encoded.peaks, encoded.sums)
        kernel, decoded = net.mix_kernel(), []
        for stem in (0, 1, 3):
            alone = torch.zeros_like(song)
            alone[stem] = song[stem]
            p = net.encode(alone[None]).p
            decoded.append(decode(p, scale, kernel, net.blocks)[0, :, :samples].double())
        y = sum(decoded)
        gain = torch.where(y == 0.0, 1.0, torch.tanh(y) / y)
        expected = (torch.stack(decoded) * gain).float()
        torch.testing.assert_close(shares, expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(shares.sum(0), net(song[None])[0], rtol=0, atol=1e-6)


@pytest.fixture
def threads():
    """Sets the number of torch's threads for a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_chunks_side_by_side_give_the_same_bits_as_one_after_another(net, threads, monkeypatch):
    # Of a block each, and without what the threads share: torch's threads may add in another order.
    monkeypatch.setattr(spectral, "_CHUNK_VALUES", 1)
    net.eval()
    song = torch.randn(4, 2, 9 * HOP + 7, generator=torch.Generator().manual_seed(1))
    scale = torch.rand(1, recipe.SMALL.filters, net.blocks.count(song.shape[-1]) * 1000)
    monkeypatch.setattr(net, "scale", lambda peaks, sums: peaks + scale[..., : peaks.shape[-1]])
    found = []
    for count in (1, 5):
        threads(count)
        found.append(stream(net, song, 4 * HOP))
        assert torch.get_num_threads() == count
    assert torch.equal(*found)


def test_what_reads_and_writes_may_fail_while_threads_are_at_work(net, threads):
    threads(3)

    def read(start, count):
        if start > 3 * HOP:
            raise OSError("the disk has gone")
        return torch.zeros(4, 2, count)

    with pytest.raises(OSError, match="gone"):
        mix_stream(net, read, lambda part: None, 40 * HOP, 2 * HOP)
    assert torch.get_num_threads() == 3


def test_streaming_keeps_the_networks_mode(net):
    net.train()
    stream(net, torch.randn(4, 2, 100), 10)
    assert net.training


def test_reads_and_writes_are_of_the_wanted_size(net):
    lengths = []

    def read(start, count):
        lengths.append(count)
        return torch.zeros(4, 2, count)

    mix_stream(net, read, lambda part: lengths.append(part.shape[-1]), 40 * HOP, 4 * HOP)
    assert max(lengths) <= 4 * HOP + net.blocks.n_fft


def test_pretraining_networks_and_empty_songs_are_refused(net):
    with pytest.raises(FxNormError, match="mixing network"):
        mix_stream(AutomixNet(recipe.PRETRAINING), None, None, 100)
    with pytest.raises(FxNormError, match="at least one sample"):
        mix_stream(net, None, None, 0)


@pytest.mark.parametrize("frames", [3, 40, 5000])
def test_the_latent_network_in_parts_is_the_whole_one(net, monkeypatch, frames):
    monkeypatch.setattr(long_latent, "_FRAMES", 17)
    monkeypatch.setattr(latent, "_LSTM_FRAMES", 13)
    generator = torch.Generator().manual_seed(frames)
    peaks, sums = (torch.randn(1, recipe.SMALL.filters, frames, generator=generator) for _ in "ps")
    net.eval()
    with torch.inference_mode():
        expected = net.scale(peaks, sums.abs())
        found = long_latent.scale_in_parts(net, peaks, sums.abs())
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("frames", [7, 8, 9, 31])
def test_an_lstm_in_parts_is_the_whole_one(monkeypatch, layers, frames):
    monkeypatch.setattr(latent, "_LSTM_FRAMES", 8)
    torch.manual_seed(frames)
    lstm = torch.nn.LSTM(6, 5, layers, batch_first=True, bidirectional=True)
    x = torch.randn(2, frames, 6)
    with torch.no_grad():
        # The same products in matrices of another height: float32 rounding.
        torch.testing.assert_close(latent.run_lstm(lstm, x), lstm(x)[0], rtol=0, atol=1e-6)
