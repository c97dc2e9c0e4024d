"""The FxNorm-Automix network (Martínez-Ramírez et al., ISMIR 2022, section 3)."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxnorm.audio import from_db
from fxnorm.errors import FxNormError
from fxnorm.models.automix import sum_start
from fxnorm.models.automix.automix_config import AutomixConfig
from fxnorm.models.automix.front_end import Encoded, decode, encode
from fxnorm.models.automix.latent import SqueezeExcitation, reset_lstm_biases, run_lstm
from fxnorm.models.automix.spectral import Blocks
from fxnorm.models.automix.temporal import EPS, Pointwise, TemporalBlock, temporal_blocks
from fxnorm.models.network import Network
from fxnorm.models.weights import require_same_layout

_FRONT_END = ("conv_1.weight", "conv_2.0.weight")


class AutomixNet(Network):
    """Stems to mix: learned filter bank, temporal network, filter-wise mask and gate, tied decoder.

    With `pretraining` it is an auto-encoder of the stems that only trains the filter bank; the
    other parts are there, but frozen and unused. Parameters have the released files' names, and
    are drawn from torch's global generator: call `torch.manual_seed` first.
    """

    def __init__(self, config: AutomixConfig) -> None:
        super().__init__()
        self.stems, self.channels = config.stems, config.channels
        self.pretraining = config.pretraining
        self.blocks = Blocks(config.kernel, config.pool)
        filters = config.filters
        self.layerNorm = nn.GroupNorm(1, filters, eps=EPS)
        self.bottleneck_conv1x1 = Pointwise(filters, config.bottleneck)
        self.repeats = nn.ModuleList(
            nn.ModuleList(
                TemporalBlock(
                    bottleneck=config.bottleneck,
                    skip=config.skip,
                    hidden=config.hidden,
                    kernel=config.block_kernel,
                    dilation=2**index,
                )
                for index in range(config.blocks)
            )
            for _ in range(config.repeats)
        )
        self.output = nn.Sequential(nn.PReLU(), Pointwise(config.skip, filters))
        self.conv_1 = nn.Conv1d(self.stems * self.channels, filters, config.kernel, bias=False)
        self.conv_2 = nn.Sequential(
            nn.Conv1d(filters, filters, 2 * config.kernel, groups=filters, bias=False),
            nn.Softplus(),
        )
        self.blstm = nn.LSTM(
            filters,
            filters // 2,
            config.lstm_layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.lstm_dropout,
        )
        reset_lstm_biases(self.blstm)
        self.se_block = SqueezeExcitation(filters, config.se_ratio)
        # The released files have them, but nothing comes after the last block's residual output.
        self.temporal_blocks[-1].res_out.requires_grad_(False)
        self.mirrored = config.mirrored
        if self.mirrored:
            self._mirror()
            # Of mirrored gradients, the optimizer makes mirrored weights.
            self.conv_1.weight.register_hook(_mirrored)
        if config.pretraining:
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name.startswith(("conv_1.", "conv_2.")))

    def forward(self, x: Tensor) -> Tensor:
        """Mix, or with `pretraining` rebuild the stems.

        A length that is no multiple of `pool` is filled up with zeros at the end for the
        computation.

        Args:
            x: normalised stems (B, S, C, T), T > 0.

        Returns:
            The mix (B, C, T) within [-1, 1]; with `pretraining` the stems (B, S, C, T).
        """
        if self.pretraining:
            return self._rebuild(x)
        return torch.tanh(self.unbounded(x))

    def unbounded(self, x: Tensor) -> Tensor:
        """The mix (B, C, T) before its last non-linearity."""
        encoded = self.encode(x)
        scale = self.scale(encoded.peaks, encoded.sums)
        y = decode(encoded.p, scale, self.mix_kernel(), self.blocks)
        return y[..., : x.shape[-1]]

    def start_as_sum(self) -> None:
        """See `fxnorm.models.automix.sum_start`."""
        sum_start.start_as_sum(self)

    def set_front_end(self, front_end: Mapping[str, Tensor]) -> None:
        """Copy the two convolutions of the front end from a pretrained network, and nothing else.

        Args:
            front_end: the pretrained network's weights by name.

        Raises:
            FxNormError: one of them is missing or has another shape.
        """
        state = self.state_dict()
        expected = {name: state[name] for name in _FRONT_END}
        found = {name: front_end[name] for name in _FRONT_END if name in front_end}
        try:
            require_same_layout(found, expected, "pretrained front end")
        except FxNormError as error:
            raise FxNormError(
                f"{error}; give both networks the same stems, filters and kernel, or leave"
                " training.front_end empty"
            ) from error
        self.load_state_dict(state | found)
        if self.mirrored:
            self._mirror()

    @torch.no_grad()
    def scale_mix(self, factor: float) -> None:
        """Scale the first convolution by the root of `factor`, the second by the root's inverse.

        The latent network sees the same: the second convolution works on the magnitude of the
        first. The decoder shares the first one's weight, so the mix before its tanh scales with the
        factor (as far as squeeze-excitation, which sees the root, leaves its gates). A pretrained
        front end was trained with one sample in 64 reaching the decoder, so the network starts far
        too loud and tanh saturates.
        """
        root = factor**0.5
        self.conv_1.weight.mul_(root)
        self.weight_2.div_(root)

    @torch.no_grad()
    def widen(self, side_db: float) -> None:
        """Raise what the first convolution takes of each stem's side signal by half of `side_db`.

        The decoder shares its weight: the side of the mix grows by `side_db`, as far as the latent
        network, which sees the half, leaves its mask.
        """
        pairs = self.conv_1.weight.unflatten(1, (-1, 2))
        middle = pairs.mean(2, keepdim=True)
        factor = float(from_db(side_db / 2.0))
        self.conv_1.weight.copy_((middle + factor * (pairs - middle)).flatten(1, 2))

    def encode(self, x: Tensor) -> Encoded:
        """Front end on (B, S, C, T); see `Encoded`."""
        if x.ndim != 4 or x.shape[1:3] != (self.stems, self.channels) or x.shape[-1] == 0:
            raise FxNormError(
                f"network input has shape {tuple(x.shape)}; "
                f"it takes (batch, {self.stems}, {self.channels}, samples)"
            )
        fill = -x.shape[-1] % self.blocks.pool
        flat = F.pad(x.flatten(1, 2), (0, fill))
        locate = self.pretraining or torch.is_grad_enabled()
        return encode(flat, self.conv_1.weight, self.weight_2, self.blocks, locate=locate)

    @property
    def weight_2(self) -> nn.Parameter:
        """Weight of the second convolution, (N, 1, 2 K)."""
        return self.get_parameter("conv_2.0.weight")

    def scale(self, peaks: Tensor, sums: Tensor) -> Tensor:
        """What the decoder multiplies each filter by in each frame: mask times gate.

        Args:
            peaks: of `Encoded`, (B, N, F).
            sums: of `Encoded`, (B, N, F).
        """
        mask = self.mask(peaks)
        # The mask is positive and constant over a frame: no need to go through the samples.
        mean_magnitude = (mask * sums).sum(-1) / (sums.shape[-1] * self.blocks.pool)
        scale: Tensor = mask * self.se_block(mean_magnitude).unsqueeze(-1)
        # Under autocast it comes in half precision, which the decoder does not take.
        return scale.to(sums.dtype)

    def mask(self, peaks: Tensor) -> Tensor:
        """The latent network: (B, N, F) to a mask (B, N, F)."""
        latent = self.bottleneck_conv1x1(self.layerNorm(F.softplus(peaks)))
        latent = F.softplus(self.output(temporal_blocks(latent, self.temporal_blocks)))
        hidden = run_lstm(self.blstm, latent.transpose(1, 2))
        return F.softplus(hidden).transpose(1, 2)

    def mix_kernel(self) -> Tensor:
        """The decoder's weight summed over the stems, (N, C, K): the same mix for less work."""
        return torch.unflatten(self.conv_1.weight, 1, (self.stems, self.channels)).sum(1)

    @property
    def temporal_blocks(self) -> list[TemporalBlock]:
        """The blocks in series."""
        return [block for block in self.repeats.modules() if isinstance(block, TemporalBlock)]

    @torch.no_grad()
    def _mirror(self) -> None:
        # Arithmetic on a weight without memory loads torch's compiler, which takes a second.
        if not self.conv_1.weight.is_meta:
            self.conv_1.weight.copy_(_mirrored(self.conv_1.weight))

    def _rebuild(self, x: Tensor) -> Tensor:
        encoded = self.encode(x)
        maxima = F.softplus(encoded.peaks)
        y = decode(encoded.p, maxima, self.conv_1.weight, self.blocks, encoded.indices)
        return torch.unflatten(y[..., : x.shape[-1]], 1, (self.stems, self.channels))


def _mirrored(weight: Tensor) -> Tensor:
    """What of (N, S * 2, K) is the same in both channels for even filters, the opposite for odd."""
    left, right = weight.unflatten(1, (-1, 2)).unbind(2)
    sign = weight.new_tensor([1.0, -1.0]).repeat(len(weight) // 2)[:, None, None]
    half = (left + sign * right) / 2.0
    return torch.stack((half, sign * half), dim=2).flatten(1, 2)
