"""Networks as configuration, and what a model folder's config.json holds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fxnorm.configuration import Config
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.stems import STEMS

Size = Annotated[int, Field(ge=1)]
Samples = Annotated[int, Field(ge=0)]


class AutomixConfig(Config):
    """The FxNorm-Automix network; the defaults are the paper's."""

    kind: Literal["automix"] = "automix"
    """Which network this is."""
    stems: Size = 4
    """Number of stems."""
    channels: Size = 2
    """Channels per stem."""
    filters: Size = 128
    """Filters of the front-end, even."""
    kernel: Size = 64
    """Taps of the front-end's first convolution, even; the second has twice as many."""
    pool: Size = 64
    """Samples per latent frame."""
    bottleneck: Size = 256
    """Channels between temporal blocks."""
    skip: Size = 64
    """Channels of the temporal blocks' skip outputs."""
    hidden: Size = 128
    """Channels within temporal blocks."""
    block_kernel: Size = 3
    """Taps of the temporal blocks' convolutions, odd."""
    blocks: Size = 6
    """Temporal blocks per repeat, of dilation 1, 2, 4, ..."""
    repeats: Size = 4
    """How often these are repeated."""
    se_ratio: Size = 16
    """Hidden units per filter in squeeze-excitation."""
    lstm_layers: Size = 3
    """Layers of the bidirectional LSTM."""
    lstm_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Dropout between the layers of the LSTM."""
    pretraining: bool = False
    """Build the auto-encoder that trains the front-end."""


class WaveUNetConfig(Config):
    """The Wave-U-Net; the defaults are the paper's."""

    kind: Literal["wave-u-net"] = "wave-u-net"
    """Which network this is."""
    stems: Size = 4
    """Number of stems."""
    channels: Size = 2
    """Channels per stem."""
    filters: Size = 24
    """Features of the first level, doubled on each further one; a multiple of 8."""
    levels: Size = 5
    """Number of levels, at least 2."""
    kernel: Size = 5
    """Taps of the convolutions, odd."""


NetworkConfig = Annotated[AutomixConfig | WaveUNetConfig, Field(discriminator="kind")]


class WindowConfig(Config):
    """Inference in windows of a fixed length, of which only the middles are kept."""

    samples: Size = 440_960
    """Length of a window."""
    guard_left: Samples = 32_540
    """Samples dropped at a window's beginning."""
    guard_right: Samples = 32_540
    """Samples dropped at a window's end."""

    @model_validator(mode="after")
    def _something_is_kept(self) -> Self:
        if self.hop < 1:
            raise ValueError("guards leave nothing of a window: lengthen it")
        return self

    @property
    def hop(self) -> int:
        """Samples kept of each window."""
        return self.samples - self.guard_left - self.guard_right


class MixerConfig(Config):
    """A model folder's config.json: all that mixing needs besides weights and features."""

    system: str
    """Name of the system, as in reports."""
    network: NetworkConfig
    """The network."""
    stems: tuple[str, ...] = STEMS
    """Stem types in the order of the network's inputs."""
    sample_rate: Literal[44_100] = 44_100
    """Sample rate in Hz."""
    normalization: NormalizationConfig = NormalizationConfig()
    """How stems are normalised before the network."""
    warm_up_s: Annotated[float, Field(ge=0.0, le=600.0)] = 0.0
    """Seconds of audio, taken from each stem's end, that are mixed before its beginning."""
    released_alignment: bool = False
    """Take output sample 0 for input sample 0, as the released weights were trained."""
    window: WindowConfig | None = None
    """Mix in windows; the default is the whole song at once."""

    @model_validator(mode="after")
    def _one_input_per_stem(self) -> Self:
        if len(set(self.stems)) < len(self.stems) or not set(self.stems) <= set(STEMS):
            raise ValueError(f"stems must be distinct and of {', '.join(STEMS)}")
        if len(self.stems) != self.network.stems:
            raise ValueError(f"network takes {self.network.stems} stems, not {len(self.stems)}")
        return self
