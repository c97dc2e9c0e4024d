"""The FxNorm-Automix network against the reference implementation's numbers and closed forms."""

import models_recipe as recipe
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from fxnorm.errors import FxNormError
from fxnorm.models import AutomixConfig, AutomixNet
from fxnorm.models.automix.front_end import decode, encode
from fxnorm.models.automix.spectral import Blocks
from fxnorm.models.automix.temporal import temporal_blocks

# Two float32 implementations differ by up to 9e-7; the smallest of the usual mistakes (GroupNorm's
# epsilon) moves the small networks' output by 2.9e-5.
TOLERANCE = 5e-6
CASES = [(name, length) for name, lengths in recipe.AUTOMIX_LENGTHS.items() for length in lengths]
SMALL_CASES = [("T1", 1024), ("T2", 512)]


def reference_input(net, name, length):
    batch = 1 if name == "paper" and length > 30000 else 2
    return recipe.net_input(net.stems, length, batch)


def assert_like_golden(output, prefix):
    golden = recipe.golden()
    output = output.numpy()
    if prefix + "full" in golden:
        np.testing.assert_allclose(output, golden[prefix + "full"], rtol=0, atol=TOLERANCE)
    else:
        kept = recipe.windows(output)
        if golden[prefix + "win"].shape != kept.shape:  # Thinned out to keep the file small.
            kept = kept[..., ::4, ::4]
        np.testing.assert_allclose(kept, golden[prefix + "win"], rtol=0, atol=TOLERANCE)
    level = np.sqrt((output.astype(np.float64) ** 2).mean(-1))
    np.testing.assert_allclose(level, golden[prefix + "rms"], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(
        np.abs(output).max(-1), golden[prefix + "peak"], rtol=0, atol=TOLERANCE
    )


@pytest.mark.parametrize(("name", "length"), CASES)
def test_mix_equals_reference(name, length):
    net = recipe.reference_automix(name)
    with torch.no_grad():
        mix = net(reference_input(net, name, length))
    assert_like_golden(mix[None], f"mix/{name}/L{length}/")


@pytest.mark.parametrize(("name", "length"), CASES)
def test_rebuilt_stems_equal_reference(name, length):
    net = recipe.reference_automix(name, pretraining=True)
    with torch.no_grad():
        stems = net(reference_input(net, name, length))
    assert_like_golden(stems.transpose(0, 1), f"pretrain/{name}/L{length}/")


@pytest.mark.parametrize(("name", "length"), SMALL_CASES)
def test_activations_equal_reference(name, length):
    net = recipe.reference_automix(name)
    with torch.no_grad():
        encoded = net.encode(reference_input(net, name, length))
        pooled = F.softplus(encoded.peaks)
        normed = net.layerNorm(pooled)
        latent = net.bottleneck_conv1x1(normed)
        skip, hidden = net.repeats[0][0](latent)
        residual = latent + net.repeats[0][0].res_out(hidden)
        blocks = [block for repeat in net.repeats for block in repeat]
        output = F.softplus(net.output(temporal_blocks(latent.clone(), blocks)))
        lstm, _ = net.blstm(output.transpose(1, 2))
        scale = net.scale(encoded.peaks, encoded.sums)
        gates = scale[..., 0] / net.mask(encoded.peaks)[..., 0]
        mix = net.unbounded(reference_input(net, name, length))
    found = {
        "maxpool1d.a": pooled,
        "layerNorm": normed,
        "bottleneck_conv1x1": latent,
        "repeats.0.0.a": residual,
        "repeats.0.0.b": skip,
        "output": output,
        "blstm": lstm,
        "se_block.net": gates,
        "pre_tanh": mix[None],
    }
    for key, value in found.items():
        wanted = recipe.golden()[f"mix/{name}/L{length}/act/{key}"]
        item = value[:, :1] if key == "pre_tanh" else value[:1]
        # GroupNorm magnifies the rounding of pooled values that differ little.
        tolerance = TOLERANCE * max(1.0, np.abs(wanted).max())
        np.testing.assert_allclose(item.numpy(), wanted, rtol=0, atol=tolerance, err_msg=key)


@pytest.mark.parametrize(("name", "length"), SMALL_CASES)
def test_peak_positions_equal_reference(name, length):
    net = recipe.reference_automix(name, pretraining=True)
    with torch.no_grad():
        indices = net.encode(reference_input(net, name, length)).indices[:1]
    positions = indices + torch.arange(indices.shape[-1]) * net.blocks.pool
    wanted = recipe.golden()[f"pretrain/{name}/L{length}/act/maxpool1d.b"]
    np.testing.assert_array_equal(positions.numpy(), wanted)


@pytest.mark.parametrize("pretraining", [False, True])
@pytest.mark.parametrize(("name", "length"), SMALL_CASES)
def test_gradients_equal_reference(name, length, pretraining):
    kind = "pretrain" if pretraining else "mix"
    golden, prefix = recipe.golden(), f"{kind}/{name}/L{length}/grad/"
    net = recipe.reference_automix(name, pretraining=pretraining)
    x = reference_input(net, name, length).requires_grad_()
    output = net(x)
    output = output.transpose(0, 1) if pretraining else output[None]
    scalar = (output * recipe.probe(output.shape, f"{kind}/{name}")).sum()
    scalar.backward()
    # A sum of thousands of terms of size 0.1.
    assert scalar.item() == pytest.approx(golden[prefix + "scalar"], abs=1e-5)
    assert x.grad.norm().item() == pytest.approx(golden[prefix + "input_norm"], rel=1e-5)
    wanted = golden[prefix + "input"]
    found = x.grad.flatten(1, 2)[:1, :, : wanted.shape[-1]].numpy()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    parameters = dict(net.named_parameters())
    norms = dict(zip(golden[prefix + "param_names"], golden[prefix + "param_norms"], strict=True))
    assert set(parameters) == set(norms)
    largest = np.nanmax(list(norms.values()))
    for key, norm in norms.items():
        gradient = parameters[str(key)].grad
        if np.isnan(norm):
            assert gradient is None, key
        else:
            # Slopes shared by all channels are small differences of large sums.
            assert gradient.norm().item() == pytest.approx(norm, rel=1e-4, abs=1e-6 * largest), key


def plain_front_end(x, weight_1, weight_2, scale, weight):
    """Encoder and decoder by the framework's convolutions."""
    taps, pool = weight_1.shape[-1], x.shape[-1] // scale.shape[-1]
    left = (taps - 1) // 2
    p = F.conv1d(F.pad(x, (left, taps - 1 - left)), weight_1)
    smooth = F.conv1d(F.pad(p.abs(), (taps - 1, taps)), weight_2, groups=weight_1.shape[0])
    v = (scale.repeat_interleave(pool, -1) * p)[..., left : x.shape[-1] - (taps - 1 - left)]
    peaks = F.max_pool1d(smooth, pool)
    sums = p.abs().unflatten(-1, (-1, pool)).sum(-1)
    return peaks, sums, F.conv_transpose1d(v, weight)


@pytest.mark.parametrize("frames", [2, 3, 231, 232, 233, 700])
def test_front_end_and_gradients_equal_plain_convolutions(frames):
    # 232 frames of 8 samples are close to a block: lengths around its end and of several blocks.
    blocks = Blocks(kernel=16, pool=8)
    generator = torch.Generator().manual_seed(frames)
    x = torch.randn(2, 4, frames * 8, generator=generator)
    weights = [torch.randn(s, generator=generator) for s in ((6, 4, 16), (6, 1, 32), (6, 2, 16))]
    scale = torch.rand(2, 6, frames, generator=generator)
    inputs = [t.requires_grad_() for t in (x, *weights[:2], scale, weights[2])]
    encoded = encode(x, *weights[:2], blocks)
    found = encoded.peaks, encoded.sums, decode(encoded.p, scale, weights[2], blocks)
    wanted = plain_front_end(*inputs)
    probes = [torch.randn(t.shape, generator=generator) for t in wanted]
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6 * float(b.detach().abs().max()))
    gradients = [
        torch.autograd.grad(
            sum((o * p).sum() for o, p in zip(outputs, probes, strict=True)), inputs
        )
        for outputs in (found, wanted)
    ]
    for a, b in zip(*gradients, strict=True):
        # Sums of up to 11,200 float32 terms.
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5 * float(b.abs().max()))


def test_parameter_count_is_the_papers():
    with torch.device("meta"):
        assert sum(p.numel() for p in AutomixNet(AutomixConfig()).parameters()) == 2_752_817
        pretraining = AutomixNet(AutomixConfig(pretraining=True))
    trained = {name: p for name, p in pretraining.named_parameters() if p.requires_grad}
    assert sorted(trained) == ["conv_1.weight", "conv_2.0.weight"]
    assert sum(p.numel() for p in trained.values()) == 81_920


def test_silence_stays_exact_silence():
    torch.manual_seed(0)
    net = AutomixNet(recipe.SMALL).eval()
    with torch.no_grad():
        assert not net(torch.zeros(1, 4, 2, 5000)).any()


def test_any_length_equals_zero_padding():
    torch.manual_seed(0)
    net = AutomixNet(recipe.SMALL).eval()
    x = torch.randn(1, 4, 2, 1003)
    with torch.no_grad():
        torch.testing.assert_close(net(x), net(F.pad(x, (0, 5)))[..., :1003], rtol=0, atol=0)


def test_lstm_biases_follow_chrono_initialisation():
    torch.manual_seed(0)
    lstm = AutomixNet(recipe.SMALL.model_copy(update={"filters": 64})).blstm
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            into, forget, rest = bias.detach().split([32, 32, 64])
            assert torch.equal(into, -forget)
            assert not rest.any()
            assert forget.min() >= 0.0
            assert forget.max() <= np.log(31.0)
            # ln of a uniform variable on [1, 31]: mean 2.547, standard error 0.13 of 32 draws.
            assert abs(forget.mean() - 2.547) < 0.6


def test_weights_follow_the_seed():
    nets = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        nets.append(torch.cat([p.flatten() for p in AutomixNet(recipe.SMALL).parameters()]))
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])


@pytest.mark.parametrize("shape", [(4, 2, 64), (1, 3, 2, 64), (1, 4, 1, 64), (1, 4, 2, 0)])
def test_input_of_another_shape_is_refused(shape):
    with pytest.raises(FxNormError, match="network input has shape"):
        AutomixNet(recipe.SMALL)(torch.zeros(shape))


def _trained(net):
    """After a few steps towards noise."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-3, amsgrad=True)
    for _ in range(3):
        stems = 0.1 * torch.randn(2, net.stems, 2, 2048)
        optimizer.zero_grad()
        net(stems).sub(torch.randn(2, 2, 2048)).square().mean().backward()
        optimizer.step()
    return net


@pytest.mark.parametrize(("mirrored", "start"), [(True, "sum"), (True, "random"), (False, "sum")])
def test_a_mirrored_network_gives_the_mirrored_mix_of_mirrored_stems(mirrored, start):
    torch.manual_seed(0)
    net = AutomixNet(recipe.SMALL.model_copy(update={"filters": 16, "mirrored": mirrored}))
    if start == "sum":
        net.start_as_sum()
    stems = 0.1 * torch.randn(1, net.stems, 2, 4096)
    net = _trained(net).eval()
    with torch.no_grad():
        mix = net(stems)
        difference = net(stems.flip(2)).flip(1) - mix
    deviation = float(difference.std() / mix.std())
    assert deviation < 1e-5 if mirrored else deviation > 0.01


def test_a_mirrored_network_starts_as_the_same_sum_and_mirrors_what_it_is_given():
    torch.manual_seed(0)
    plain, mirrored = (
        AutomixNet(recipe.SMALL.model_copy(update={"filters": 16, "mirrored": mirrored}))
        for mirrored in (False, True)
    )
    given = plain.conv_1.weight.detach().unflatten(1, (-1, 2))
    mirrored.set_front_end(plain.state_dict())
    kept = mirrored.conv_1.weight.detach().unflatten(1, (-1, 2))
    middle, side = given.mean(2), given.diff(dim=2)[:, :, 0] / 2.0
    torch.testing.assert_close(kept[::2], torch.stack((middle, middle), 2)[::2])
    torch.testing.assert_close(kept[1::2], torch.stack((-side, side), 2)[1::2])
    plain.start_as_sum()
    mirrored.start_as_sum()
    assert torch.equal(plain.conv_1.weight, mirrored.conv_1.weight)


def test_mirroring_needs_two_channels():
    with pytest.raises(ValidationError, match="mirrored needs two channels per stem"):
        AutomixConfig(channels=1, mirrored=True)
