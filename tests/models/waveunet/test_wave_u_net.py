"""The Wave-U-Net against the reference implementation's numbers and the framework's layers."""

import models_recipe as recipe
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fxnorm.errors import FxNormError
from fxnorm.models import WaveUNet, WaveUNetConfig, import_released
from fxnorm.models.waveunet.conv_layer import conv_norm_relu

# Float32 implementations are up to 5.5e-6 apart (sums of 1,920 products); ours rounds less.
TOLERANCE = 5e-6
CASES = [
    ("W1", "keep", 600, "eval"),
    ("W1", "keep", 600, "train"),
    ("W1", "keep", 1500, "eval"),
    ("W1", "random", 600, "eval"),
    ("W1", "random", 600, "train"),
    ("W1", "random", 1500, "eval"),
    ("wpaper", "keep", 8192, "eval"),
    ("wpaper", "keep", 8192, "train"),
    ("wpaper", "keep", 20000, "eval"),
]


@pytest.mark.parametrize(("name", "taps", "length", "mode"), CASES)
def test_mix_equals_reference(name, taps, length, mode):
    golden, prefix = recipe.golden(), f"wun/{name}/{taps}/out{length}/"
    net = WaveUNet(WaveUNetConfig(**recipe.WAVE_U_NET[name]))
    import_released(net, recipe.released_wave_u_net_state(net, random_taps=taps == "random"))
    net.train(mode == "train")
    samples_in, samples_out = golden[prefix + "sizes"]
    with torch.no_grad():
        mix = net(recipe.net_input(4, int(samples_in)))[None].numpy()
    assert mix.shape[-1] == samples_out
    level = np.sqrt((mix.astype(np.float64) ** 2).mean(-1))
    np.testing.assert_allclose(level, golden[f"{prefix}{mode}/rms"], rtol=0, atol=TOLERANCE)
    if f"{prefix}{mode}/full" in golden:
        np.testing.assert_allclose(mix, golden[f"{prefix}{mode}/full"], rtol=0, atol=TOLERANCE)
    else:
        kept = recipe.windows(mix)
        np.testing.assert_allclose(kept, golden[f"{prefix}{mode}/win"], rtol=0, atol=TOLERANCE)


def test_parameter_count_is_the_papers():
    with torch.device("meta"):
        net = WaveUNet(WaveUNetConfig())
    assert sum(p.numel() for p in net.parameters()) == 2_477_162
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == 2_455_562


@pytest.mark.parametrize("samples", [5, 6, 9, 10, 53])
@pytest.mark.parametrize("channels", [4, 24])
def test_layer_and_gradients_equal_the_frameworks(channels, samples):
    generator = torch.Generator().manual_seed(samples)
    shapes = ((2, samples, channels), (16, channels, 5), (16,), (16,), (16,))
    inputs = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]
    x, weight, bias, scale, shift = inputs
    found = conv_norm_relu(*inputs, 2)
    convolved = F.conv1d(x.transpose(1, 2), weight, bias)
    wanted = F.relu(F.group_norm(convolved, 2, scale, shift)).transpose(1, 2)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)  # Double precision.
    probe = torch.randn(wanted.shape, generator=generator, dtype=torch.float64)
    for a, b in zip(
        torch.autograd.grad(found, inputs, probe),
        torch.autograd.grad(wanted, inputs, probe),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("levels", [2, 3])
def test_output_is_aligned_to_the_receptive_field(levels):
    torch.manual_seed(0)
    net = WaveUNet(WaveUNetConfig(filters=8, levels=levels)).train()
    x = torch.randn(1, 4, 2, 8000, requires_grad=True)
    out = net(x)
    assert out.shape == (1, 2, 8000 - net.trim)
    gradient = torch.autograd.grad(out[0, :, 4000].sum(), x)[0].abs().sum((0, 1, 2))
    # Beyond the receptive field there is only the little that comes through GroupNorm.
    seen = (gradient > 20.0 * gradient.median()).nonzero().flatten()
    assert seen.min() >= 4000
    assert seen.max() <= 4000 + net.trim
    time = torch.arange(4000, 4001 + net.trim)
    centre = (time * gradient[time]).sum() / gradient[time].sum()
    assert abs(centre - (4000 + net.output_offset)) < net.trim / 10


def test_only_evaluation_clips():
    torch.manual_seed(0)
    net = WaveUNet(WaveUNetConfig(filters=8, levels=2))
    with torch.no_grad():
        net.output_conv.weight.mul_(100.0)
        x = torch.randn(1, 4, 2, 200)
        loud, clipped = net.train()(x), net.eval()(x)
    assert loud.abs().max() > 1.0
    torch.testing.assert_close(clipped, loud.clamp(-1.0, 1.0), rtol=0, atol=0)


def test_too_short_an_input_is_refused():
    with pytest.raises(FxNormError, match="more than 68 samples"):
        WaveUNet(WaveUNetConfig(filters=8))(torch.zeros(1, 4, 2, 68))
