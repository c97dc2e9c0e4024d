"""The Wave-U-Net of the paper's comparison: never decimated, 5-tap convolutions, GroupNorm."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxnorm.audio import from_db
from fxnorm.errors import FxNormError
from fxnorm.models.network import Network
from fxnorm.models.waveunet import sum_start
from fxnorm.models.waveunet.conv_layer import conv_norm_relu
from fxnorm.models.waveunet.wave_u_net_config import CHANNELS_PER_GROUP, WaveUNetConfig

_RESAMPLER_TAPS = 15


class WaveUNet(Network):
    """Stems to mix by convolutions at the full rate, without padding.

    Parameters have the released files' names (without their common prefix) and are drawn from
    torch's global generator: call `torch.manual_seed` first.
    """

    def __init__(self, config: WaveUNetConfig) -> None:
        super().__init__()
        self.stems, self.channels = config.stems, config.channels
        self.levels, self.kernel = config.levels, config.kernel
        widths = [config.filters * 2**level for level in range(config.levels)]
        inputs = [config.stems * config.channels, *widths[1:-1]]
        self.downsampling_blocks = nn.ModuleList(
            _DownBlock(inputs[i], widths[i], widths[i + 1], config.kernel)
            for i in range(config.levels - 1)
        )
        self.upsampling_blocks = nn.ModuleList(
            _UpBlock(widths[i + 1], widths[i], config.kernel)
            for i in reversed(range(config.levels - 1))
        )
        self.bottlenecks = nn.ModuleList([_ConvLayer(widths[-1], widths[-1], config.kernel)])
        self.output_conv = nn.Conv1d(config.filters, config.channels, 1)

    @property
    def trim(self) -> int:
        """Samples by which the output is shorter than the input (68 by default)."""
        return (self.kernel - 1) * (4 * (self.levels - 1) + 1)

    @property
    def output_offset(self) -> int:
        """Input sample that output sample 0 belongs to: the centre of its receptive field.

        The released weights were trained with 0 instead: their output is early by this much.
        """
        return self.trim // 2

    def start_as_sum(self) -> None:
        """See `fxnorm.models.waveunet.sum_start`."""
        sum_start.start_as_sum(self)

    @torch.no_grad()
    def scale_mix(self, factor: float) -> None:
        """Scale the last convolution by `factor`."""
        for weights in self.output_conv.parameters():
            weights.mul_(factor)

    @torch.no_grad()
    def widen(self, side_db: float) -> None:
        """Raise the difference of the last convolution's two channels; their sum stays."""
        factor = float(from_db(side_db))
        for weights in self.output_conv.parameters():
            middle = weights.mean(0, keepdim=True)
            weights.copy_(middle + factor * (weights - middle))

    def forward(self, x: Tensor) -> Tensor:
        """Mix normalised stems.

        Args:
            x: (B, S, C, T), T > `trim`.

        Returns:
            (B, C, T - trim); in evaluation mode clipped to [-1, 1].
        """
        y = self.unbounded(x)
        return y if self.training else y.clamp(-1.0, 1.0)

    def unbounded(self, x: Tensor) -> Tensor:
        """The mix (B, C, T - trim) before it is clipped."""
        if x.ndim != 4 or x.shape[1:3] != (self.stems, self.channels) or x.shape[-1] <= self.trim:
            raise FxNormError(
                f"network input has shape {tuple(x.shape)}; it takes (batch, {self.stems}, "
                f"{self.channels}, samples) with more than {self.trim} samples"
            )
        features = x.flatten(1, 2).transpose(1, 2)  # Time-major from here on: (B, T, features).
        shortcuts = []
        for down in self.downsampling_blocks:
            shortcut, features = down(features)
            shortcuts.append(shortcut)
        for bottleneck in self.bottlenecks:
            features = bottleneck(features)
        for up in self.upsampling_blocks:
            features = up(features, shortcuts.pop())
        weight, bias = self.output_conv.weight, self.output_conv.bias
        return F.linear(features, weight.squeeze(-1), bias).transpose(1, 2)


class _ConvLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        # Only their parameters are used: `conv_norm_relu` is both, faster.
        self.filter = nn.Conv1d(inputs, outputs, kernel)
        self.norm = nn.GroupNorm(outputs // CHANNELS_PER_GROUP, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return conv_norm_relu(
            x,
            self.filter.weight,
            self.filter.get_parameter("bias"),
            self.norm.weight,
            self.norm.bias,
            self.norm.num_groups,
        )


class _DownBlock(nn.Module):
    def __init__(self, inputs: int, shortcut: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.pre_shortcut_convs = nn.ModuleList([_ConvLayer(inputs, shortcut, kernel)])
        self.post_shortcut_convs = nn.ModuleList([_ConvLayer(shortcut, outputs, kernel)])
        self.downconv = _Resampler(outputs, transposed=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shortcut = self.pre_shortcut_convs[0](x)
        return shortcut, self.downconv(self.post_shortcut_convs[0](shortcut))


class _UpBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.upconv = _Resampler(inputs, transposed=True)
        self.pre_shortcut_convs = nn.ModuleList([_ConvLayer(inputs, outputs, kernel)])
        self.post_shortcut_convs = nn.ModuleList([_ConvLayer(2 * outputs, outputs, kernel)])

    def forward(self, x: Tensor, shortcut: Tensor) -> Tensor:
        x = self.pre_shortcut_convs[0](self.upconv(x))
        margin = (shortcut.shape[1] - x.shape[1]) // 2
        cropped = shortcut.narrow(1, margin, x.shape[1])
        y: Tensor = self.post_shortcut_convs[0](torch.cat([cropped, x], -1))
        return y


class _Resampler(nn.Module):
    """The fixed interpolation filter of the released files, at stride 1: a unit impulse.

    Kept because the files hold its taps; it is only computed where they are something else.
    """

    def __init__(self, channels: int, *, transposed: bool) -> None:
        super().__init__()
        impulse = torch.zeros(channels, 1, _RESAMPLER_TAPS)
        impulse[..., _RESAMPLER_TAPS // 2] = 1.0
        self.filter = nn.Parameter(impulse, requires_grad=False)
        self.transposed = transposed
        self._is_impulse = True
        # Torch leaves the method without types.
        after_loading: Callable[..., object] = self.register_load_state_dict_post_hook
        after_loading(_Resampler._look_at_taps)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, channels) to the same shape."""
        if self._is_impulse:
            return x
        half = _RESAMPLER_TAPS // 2
        padded = F.pad(x.transpose(1, 2), (half, half), mode="reflect")
        # Transposed with its ends cropped, at stride 1: the same with the taps reversed.
        taps = self.filter.flip(-1) if self.transposed else self.filter
        return F.conv1d(padded, taps, groups=x.shape[2]).transpose(1, 2)

    def _look_at_taps(self, _: object) -> None:
        centre = self.filter[..., _RESAMPLER_TAPS // 2] - 1.0
        # The released construction leaves about 4e-17 beside the centre.
        off = centre.abs().max() + self.filter.abs().sum(-1).sub(1.0).abs().max()
        self._is_impulse = bool(off < 1e-12)
