"""Windows and the loss of whole songs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.losses import TimeL1
from fxnorm.models.windows import run_in_windows
from fxnorm.training import TrainingSong, open_songs
from fxnorm.training.validation import align, validate

GOLDEN = np.load(Path(__file__).with_name("golden") / "training.npz")


class Sum(torch.nn.Module):
    """Adds the stems; keeps the length."""

    output_offset = 0

    def forward(self, x):
        return x.sum(1)


class Smear(torch.nn.Module):
    """A valid 9-tap convolution of the stems' sum, aligned to its centre."""

    output_offset = 4

    def forward(self, x):
        taps = torch.arange(1.0, 10.0).expand(2, 1, 9)
        return torch.nn.functional.conv1d(x.sum(1), taps, groups=2)


class Same(torch.nn.Module):
    """Keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.windows = []

    def forward(self, x):
        self.windows.append(x)
        return x


def windowed(net, signal, window, guards, *, offset=0, batch_size=1):
    """A network's output for a signal; fails on reads outside of it."""
    samples = signal.shape[-1]

    def read(start, count):
        assert 0 <= start < start + count <= samples
        return signal[..., start : start + count]

    parts = []
    run_in_windows(
        net, read, parts.append, samples, window, guards, offset=offset, batch_size=batch_size
    )
    return torch.cat(parts, -1)


@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("batch_size", [1, 2])
def test_windows_are_the_released_helpers(case, batch_size):
    samples, window, left, right = GOLDEN[f"unfold_{case}_params"].tolist()
    signal = torch.arange(1.0, 2 * samples + 1).reshape(2, samples)
    net = Same()
    assert torch.equal(windowed(net, signal, window, (left, right), batch_size=batch_size), signal)
    np.testing.assert_array_equal(torch.cat(net.windows), GOLDEN[f"unfold_{case}_windows"])


@pytest.mark.parametrize("samples", [5000, 1000, 100])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_windowed_convolution_is_the_whole_one(samples, batch_size):
    signal = torch.randn(4, 2, samples, generator=torch.Generator().manual_seed(0))
    output = windowed(Smear(), signal, 512, (16, 16), offset=4, batch_size=batch_size)
    whole = Smear()(torch.nn.functional.pad(signal, (4, 4))[None])[0]
    # Float32 sums of 36 products of another order.
    torch.testing.assert_close(output, whole, rtol=1e-5, atol=1e-4)


def test_guards_must_cover_what_the_network_cuts_off(songs):
    opened, arguments = open_songs(songs[:1]), {"window": 4096, "batch_size": 2}
    with pytest.raises(FxNormError, match="raise them to 4"):
        validate(Smear(), opened, TimeL1(), guard=3, **arguments)
    with pytest.raises(FxNormError, match="leave nothing"):
        validate(Smear(), opened, TimeL1(), guard=2048, **arguments)
    # Four samples are all that the convolution sees: wider guards change nothing.
    (loss,) = validate(Smear(), opened, TimeL1(), guard=4, **arguments)
    (wider,) = validate(Smear(), opened, TimeL1(), guard=500, **arguments)
    assert loss == pytest.approx(wider, rel=1e-6)


def test_targets_are_aligned_to_shorter_outputs():
    target = torch.arange(20.0).view(1, 2, 10)
    assert align(target, torch.zeros(1, 2, 6), 2)[0].tolist() == [
        [2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        [12.0, 13.0, 14.0, 15.0, 16.0, 17.0],
    ]


def test_losses_of_known_songs(tmp_path):
    """Constant stems: the loss is the difference of their sum and the target."""
    songs = []
    for number, (level, samples) in enumerate([(0.1, 5000), (0.2, 2047), (0.05, 9000)]):
        files = {stem: tmp_path / f"{number} {stem}.wav" for stem in "abcd"}
        for path in files.values():
            audio.write(path, np.full((samples, 2), level, np.float32), 44_100, "FLOAT")
        target = tmp_path / f"{number} mixture.wav"
        audio.write(target, np.full((samples, 2), 0.5, np.float32), 44_100, "FLOAT")
        songs.append(TrainingSong(str(number), files, target))
    net = Sum().train()
    losses = validate(net, open_songs(songs), TimeL1(), window=640, guard=64, batch_size=2)
    assert losses == pytest.approx([0.1, 0.3, 0.3], abs=1e-6)
    assert net.training

    short = TrainingSong("short", songs[0].inputs, tmp_path / "short.wav")
    audio.write(short.target, np.zeros((1000, 2), np.float32), 44_100)
    with pytest.raises(FxNormError, match="short: is too short"):
        validate(net, open_songs([short]), TimeL1(), window=640, guard=64, batch_size=2)


def test_only_the_beginning_is_validated(tmp_path):
    """Zero for 2,048 samples, then a difference: a song cut there has no loss."""
    ramp = np.repeat([0.0, 1.0], [2048, 4000]).astype(np.float32)[:, None]
    audio.write(tmp_path / "vocals.wav", np.zeros_like(ramp), 44_100)
    audio.write(tmp_path / "mixture.wav", ramp, 44_100, "FLOAT")
    song = TrainingSong("song", {"vocals": tmp_path / "vocals.wav"}, tmp_path / "mixture.wav")
    arguments = {"window": 640, "guard": 64, "batch_size": 2}
    (cut,) = validate(Sum(), open_songs([song]), TimeL1(), max_samples=3000, **arguments)
    (whole,) = validate(Sum(), open_songs([song]), TimeL1(), **arguments)
    assert cut == 0.0
    # 6,048 samples are cut to 5 hops of 1,024.
    assert whole == pytest.approx((5120 - 2048) / 5120)
