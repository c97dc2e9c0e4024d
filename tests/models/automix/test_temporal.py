"""The temporal network's fast layers against torch's, and its path without gradients."""

import pytest
import torch
import torch.nn.functional as F

from fxnorm.models.automix import temporal
from fxnorm.models.automix.temporal import Depthwise, TemporalBlock, temporal_blocks


@pytest.mark.parametrize("frames", [1, 4, 30])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 8), (5, 2)])
def test_depthwise_convolution_and_gradients_equal_torchs(frames, kernel, dilation):
    torch.manual_seed(frames)
    layer = Depthwise(6, kernel, dilation).double()
    x = torch.randn(2, 6, frames, dtype=torch.float64, requires_grad=True)
    inputs = [x, layer.weight, layer.bias]
    wanted = F.conv1d(*inputs, padding=layer.reach, dilation=dilation, groups=6)
    found = layer(x)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)  # Double precision.
    probe = torch.randn(wanted.shape, dtype=torch.float64)
    for a, b in zip(
        torch.autograd.grad(found, inputs, probe),
        torch.autograd.grad(wanted, inputs, probe),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 7, 8, 9, 40])
@pytest.mark.parametrize("count", [1, 5])
def test_without_gradients_the_blocks_give_the_same(monkeypatch, frames, count):
    monkeypatch.setattr(temporal, "_FRAMES", 8)
    torch.manual_seed(frames)
    blocks = [
        TemporalBlock(bottleneck=12, skip=5, hidden=9, kernel=3, dilation=2**index).double()
        for index in range(count)
    ]
    for block in blocks:  # Fresh norms have scale 1 and shift 0, which would hide them.
        for norm in (block.norm1, block.norm2):
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 12, frames, dtype=torch.float64)
    wanted = temporal_blocks(x, blocks)
    with torch.no_grad():
        found = temporal_blocks(x, blocks)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)  # Double precision.
