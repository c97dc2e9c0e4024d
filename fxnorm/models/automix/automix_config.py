"""Sizes of the FxNorm-Automix network."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from fxnorm.models.network_config import BaseNetworkConfig
from fxnorm.models.sizes import Count, EvenSize, OddSize, Size


class AutomixConfig(BaseNetworkConfig):
    """The FxNorm-Automix network; the defaults are the paper's."""

    has_shares: ClassVar[bool] = True
    takes_front_end: ClassVar[bool] = True

    kind: Literal["automix"] = "automix"
    """Which network this is."""
    filters: EvenSize = 128
    """Filters of the front end N, even: each direction of the LSTM has N / 2 units."""
    kernel: EvenSize = 64
    """Taps of the front end's first convolution K, even; the second has 2 K."""
    pool: Size = 64
    """Samples per latent frame."""
    bottleneck: Size = 256
    """Channels between temporal blocks."""
    skip: Size = 64
    """Channels of the temporal blocks' skip outputs."""
    hidden: Size = 128
    """Channels within temporal blocks."""
    block_kernel: OddSize = 3
    """Taps of the temporal blocks' depthwise convolutions, odd."""
    blocks: Count = 6
    """Temporal blocks per repeat, of dilation 1, 2, 4, ..."""
    repeats: Count = 4
    """How often these are repeated."""
    se_ratio: Size = 16
    """Hidden units per filter in squeeze-excitation."""
    lstm_layers: Count = 3
    """Layers of the bidirectional LSTM."""
    lstm_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Dropout between the layers of the LSTM, in training."""
    mirrored: bool = False
    """Let each filter of the front end hear the sum or the difference of a stem's channels, never
    both: stems with their channels swapped then give the same mix with its channels swapped."""
    pretraining: bool = False
    """Build the auto-encoder of the stems that trains the front end."""

    @model_validator(mode="after")
    def _require_two_channels(self) -> "AutomixConfig":
        if self.mirrored and self.channels != 2:
            raise ValueError("mirrored needs two channels per stem; set it to false")
        return self

    @property
    def is_pretraining(self) -> bool:
        """See `pretraining`."""
        return self.pretraining
