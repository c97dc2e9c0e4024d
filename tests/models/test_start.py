"""Networks before they are trained: the sum of the stems, at a wanted level."""

import models_recipe as recipe
import numpy as np
import pytest
import torch

from fxnorm.errors import FxNormError
from fxnorm.models import (
    AutomixConfig,
    AutomixNet,
    WaveUNet,
    WaveUNetConfig,
    calibrate_gain,
)
from fxnorm.models.automix.sum_start import band_filters

SMALL = {"bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1, "lstm_layers": 2}


@pytest.mark.parametrize(
    ("stems", "channels", "filters", "kernel"),
    [(4, 2, 32, 64), (4, 2, 32, 512), (5, 2, 34, 64), (3, 1, 6, 32)],
)
def test_the_mixing_network_starts_as_the_sum(stems, channels, filters, kernel):
    torch.manual_seed(0)
    config = AutomixConfig(
        stems=stems, channels=channels, filters=filters, kernel=kernel, lstm_dropout=0.0, **SMALL
    )
    net = AutomixNet(config)
    net.start_as_sum()
    x = torch.randn(2, stems, channels, 6400)
    total = x.sum(1)
    inner = slice(kernel, -kernel)
    with torch.no_grad():
        error = (net.unbounded(x) - total)[..., inner]
    assert error.std() < 0.002 * total.std()


@pytest.mark.parametrize("network", [AutomixConfig(filters=8, **SMALL), WaveUNetConfig(filters=8)])
def test_every_weight_of_the_start_can_learn(network):
    torch.manual_seed(0)
    net = (AutomixNet if isinstance(network, AutomixConfig) else WaveUNet)(network)
    net.start_as_sum()
    x = 0.1 * torch.randn(1, 4, 2, 3200)
    net(x).square().mean().backward()
    for _ in range(2):  # What lies below a weight of zero learns from the second step on.
        torch.optim.Adam(net.parameters(), 1e-2).step()
        net(x).square().mean().backward()
    dead = [
        name
        for name, weights in net.named_parameters()
        if weights.requires_grad and not weights.grad.abs().sum() > 0
    ]
    assert not dead


@pytest.mark.parametrize(("levels", "filters"), [(2, 8), (3, 8), (3, 16)])
def test_the_wave_u_net_starts_about_as_the_sum(levels, filters):
    torch.manual_seed(0)
    net = WaveUNet(WaveUNetConfig(filters=filters, levels=levels)).eval()
    net.start_as_sum()
    for level in (0.01, 0.03):
        x = level * torch.randn(1, 4, 2, 20_000)
        with torch.no_grad():
            mix = net(x)
        total = x.sum(1)[..., net.output_offset :][..., : mix.shape[-1]]
        gain = (mix * total).sum() / total.square().sum()
        # What the carrying features are raised by keeps the level in group normalisation.
        assert 0.9 < gain < 1.1
        assert (mix - gain * total).std() < 0.005 * total.std()


def test_the_wave_u_net_starts_without_distortion_of_quiet_music():
    torch.manual_seed(0)
    net = WaveUNet(WaveUNetConfig(filters=8, levels=3)).eval()
    net.start_as_sum()
    # Training makes weights that mirror each other differ by a few per cent.
    with torch.no_grad():
        for weights in net.parameters():
            weights.mul_(1.0 + 0.03 * torch.randn_like(weights))
    samples = torch.arange(44_100 + net.trim)
    tone = torch.sin(2 * np.pi * 1000 / 44_100 * samples)
    with torch.no_grad():
        mix = net(0.005 * tone.expand(1, 4, 2, -1))[0].double()
    spectrum = torch.fft.rfft((mix - mix.mean(-1, keepdim=True))[:, :44_100]).abs()
    treble = spectrum[:, 5_000:].square().sum().sqrt()
    assert treble < 1e-3 * spectrum[:, 1000].square().sum().sqrt()


def test_band_filters_share_the_spectrum():
    filters = band_filters(4, 256)
    magnitudes = np.abs(np.fft.rfft(filters, 8192))
    total = (magnitudes**2).sum(0)
    assert abs(10 * np.log10(total)).max() < 0.01
    # Each has its own part, from low to high, and none leaks far below -40 dB into another's.
    centres = [int(np.argmax(band)) for band in magnitudes[:-1]]
    assert centres == sorted(centres)
    assert (magnitudes.max(1) > 0.98).all()
    assert magnitudes[0, 2048:].max() < 0.01
    assert magnitudes[-1, :256].max() < 0.01


def test_a_network_too_small_for_the_sum_is_refused():
    net = AutomixNet(recipe.SMALL.model_copy(update={"filters": 6}))
    with pytest.raises(FxNormError, match=r"at least 8 filters, the network has 6"):
        net.start_as_sum()
    with pytest.raises(FxNormError, match="2 channels, not 1"):
        WaveUNet(WaveUNetConfig(filters=8, levels=2, channels=1)).start_as_sum()


@pytest.mark.parametrize("initial", [0.05, 1.0, 30.0])
def test_calibration_reaches_the_wanted_level(initial):
    torch.manual_seed(0)
    net, x = AutomixNet(recipe.SMALL), torch.randn(2, 4, 2, 4000)
    net.scale_mix(initial**2)
    weight = net.conv_1.weight.detach().clone()
    gain = calibrate_gain(net, x, 0.1)
    with torch.no_grad():
        rms = net.eval().unbounded(x).square().mean().sqrt().item()
    assert rms == pytest.approx(0.1, rel=0.01)
    # One multiplication per step of up to 30.
    torch.testing.assert_close(net.conv_1.weight.detach(), weight * gain**0.5, rtol=1e-5, atol=0)


def test_calibration_of_the_wave_u_net_is_exact():
    torch.manual_seed(0)
    net, x = WaveUNet(WaveUNetConfig(filters=8, levels=2)), torch.randn(2, 4, 2, 4000)
    calibrate_gain(net, x, 3.0)
    with torch.no_grad():
        assert net(x).square().mean().sqrt().item() == pytest.approx(3.0, rel=1e-5)
    assert net.training


def test_calibration_on_silence_is_refused():
    with pytest.raises(FxNormError, match="audible"):
        calibrate_gain(AutomixNet(recipe.SMALL), torch.zeros(1, 4, 2, 800), 0.1)
