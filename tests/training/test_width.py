"""A trained network's mixes get the width of the targets."""

import numpy as np
import pytest
import torch
from training_fixtures import AUTOMIX, WAVE_U_NET

from fxnorm.audio import db
from fxnorm.errors import FxNormError
from fxnorm.models import build
from fxnorm.training import calibrate_width, open_songs
from fxnorm.training.augmentation import spread
from fxnorm.training.training_songs import OpenSong, Piece

SAMPLES = 4096


class _Song(OpenSong):
    """A song of stems with a place each, whose target is their sum with another width."""

    def beginning(self, samples):
        inputs = super().beginning(samples).inputs[..., :1] * PANS
        total = inputs.sum(axis=0)
        side = 0.5 * (total[:, :1] - total[:, 1:])
        wider = total + (WIDTH - 1.0) * np.concatenate([side, -side], axis=1)
        return Piece(inputs, wider.astype(np.float32))


WIDTH = 10.0 ** (3.0 / 20.0)
PANS = np.array([[0.6, 0.4], [0.52, 0.48], [0.45, 0.55], [0.35, 0.65]], np.float32)[:, None]


def _network(config):
    torch.manual_seed(0)
    net = build(config)
    net.start_as_sum()
    return net


@pytest.fixture
def net():
    return _network(AUTOMIX)


def _apart_db(mixes):
    """How unlike the channels of (2, samples) are, 20 Hz to 16 kHz, the mean over songs."""
    return np.mean([10.0 * np.log10(np.mean(1.0 - _alike(mix))) for mix in mixes])


def _alike(mix):
    """phi of frames of 2,048 samples every 1,024."""
    starts = range(0, mix.shape[1] - 2047, 1024)
    frames = np.stack([mix[:, start : start + 2048] for start in starts])
    left, right = np.abs(np.fft.rfft(frames * np.sqrt(np.hanning(2048)), axis=2)).swapaxes(0, 1)
    return (2.0 * left * right / (left**2 + right**2))[:, 1:743]


def _mixes(net, songs):
    for song in songs:
        stems = torch.from_numpy(song.beginning(SAMPLES).inputs).transpose(1, 2)[None]
        yield net(stems)[0].detach().double().numpy()


def _targets(net, songs):
    """Without what the Wave-U-Net leaves out at its ends."""
    ends = slice(net.output_offset, SAMPLES - net.trim + net.output_offset)
    return (song.beginning(SAMPLES).target.T[:, ends] for song in songs)


@pytest.fixture
def opened(songs):
    return [_Song(one.song, one.lengths) for one in open_songs(songs)]


@pytest.mark.parametrize("config", [AUTOMIX, WAVE_U_NET])
def test_mixes_become_as_wide_as_the_targets(config, opened):
    net = _network(config)
    before, wanted = _apart_db(_mixes(net, opened)), _apart_db(_targets(net, opened))
    grown_db = calibrate_width(net, opened, SAMPLES)
    assert abs(wanted - before) > 0.3
    # Twice the tolerance of the side, as it goes with its square, and the mean over songs.
    assert _apart_db(_mixes(net, opened)) == pytest.approx(wanted, abs=0.25)
    assert grown_db * (wanted - before) > 0.0
    assert net.training
    assert abs(calibrate_width(net, opened, SAMPLES)) <= 0.1


def _side_db(mixes):
    """Power of the side over that of the middle of (2, samples), the mean over songs."""
    return np.mean(
        [20.0 * np.log10(np.std(left - right) / np.std(left + right)) for left, right in mixes]
    )


@pytest.mark.parametrize("config", [AUTOMIX, WAVE_U_NET])
def test_or_their_sides_as_powerful(config, opened):
    net = _network(config)
    before, wanted = _side_db(_mixes(net, opened)), _side_db(_targets(net, opened))
    grown_db = calibrate_width(net, opened, SAMPLES, "power")
    assert abs(wanted - before) > 1.0
    assert _side_db(_mixes(net, opened)) == pytest.approx(wanted, abs=0.2)
    assert grown_db == pytest.approx(wanted - before, abs=0.6)


def test_it_can_be_done_with_mono_stems(net, opened):
    class Spread(_Song):
        def beginning(self, samples):
            inputs, target, _ = super().beginning(samples)
            return Piece(np.stack([spread(stem) for stem in inputs]), target)

    grown_db = calibrate_width(net, opened, SAMPLES, mono=True)
    assert grown_db > 0.5
    as_mono = [Spread(one.song, one.lengths) for one in opened]
    assert abs(calibrate_width(net, as_mono, SAMPLES)) <= 0.1


def test_and_by_so_much_wider(opened):
    as_targets, wider = _network(AUTOMIX), _network(AUTOMIX)
    grown_db = calibrate_width(as_targets, opened, SAMPLES)
    assert calibrate_width(wider, opened, SAMPLES, beyond_db=2.0) == grown_db + 2.0
    more_db = _side_db(_mixes(wider, opened)) - _side_db(_mixes(as_targets, opened))
    assert more_db == pytest.approx(2.0, abs=0.3)


def test_the_middle_stays(net, songs):
    stem = open_songs(songs)[0].beginning(SAMPLES).inputs
    middle = np.repeat(stem.mean(axis=2, keepdims=True), 2, axis=2)
    x = torch.from_numpy(middle).transpose(1, 2)[None]
    before = net(x).detach()
    net.widen(7.0)
    torch.testing.assert_close(net(x).detach().sum(1), before.sum(1), rtol=1e-4, atol=1e-5)


def test_the_wave_u_nets_side_scales_and_its_middle_stays(songs):
    net = _network(WAVE_U_NET).eval()
    x = torch.from_numpy(0.1 * open_songs(songs)[0].beginning(SAMPLES).inputs).transpose(1, 2)[None]
    before = net(x).detach()
    net.widen(float(db(1.5)))
    left, right = net(x).detach()[0]
    torch.testing.assert_close(left + right, before[0].sum(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        left - right, 1.5 * (before[0, 0] - before[0, 1]), rtol=1e-4, atol=1e-5
    )


def test_songs_without_width_are_refused(net, songs):
    class Mono(OpenSong):
        def beginning(self, samples):
            inputs, target, _ = super().beginning(samples)
            return Piece(inputs, np.repeat(target.mean(axis=1, keepdims=True), 2, axis=1))

    with pytest.raises(FxNormError, match="no validation song has a side"):
        calibrate_width(net, [Mono(one.song, one.lengths) for one in open_songs(songs)], SAMPLES)


def test_a_network_that_mixes_in_mono_is_told_from_songs_without_width(net, opened):
    net.widen(-200.0)
    with pytest.raises(FxNormError, match="mixes no validation song in stereo; lower the learning"):
        calibrate_width(net, opened, SAMPLES)


def test_a_song_that_begins_with_silence_is_left_out(net, opened):
    class Silent(_Song):
        def beginning(self, samples):
            inputs, target, _ = super().beginning(samples)
            return Piece(inputs, np.zeros_like(target))

    grown_db = calibrate_width(net, [*opened, Silent(opened[0].song, opened[0].lengths)], SAMPLES)
    other = _network(AUTOMIX)
    assert grown_db == calibrate_width(other, opened, SAMPLES)


def test_less_than_a_frame_is_too_little_to_tell_positions(net, opened):
    with pytest.raises(FxNormError, match="no validation song has a side"):
        calibrate_width(net, opened, 1024)
