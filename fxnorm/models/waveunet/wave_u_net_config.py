"""Sizes of the Wave-U-Net."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fxnorm.configuration import Config
from fxnorm.models.sizes import OddSize, Size

#: Features that are normalised together.
CHANNELS_PER_GROUP = 8


class WaveUNetConfig(Config):
    """The Wave-U-Net; the defaults are the paper's."""

    kind: Literal["wave-u-net"] = "wave-u-net"
    """Which network this is."""
    stems: Size = 4
    """Number of stems S."""
    channels: Size = 2
    """Channels per stem C."""
    filters: Annotated[
        int, Field(ge=CHANNELS_PER_GROUP, le=1024, multiple_of=CHANNELS_PER_GROUP)
    ] = 24
    """Features of the first level, doubled on each further one; a multiple of 8."""
    levels: Annotated[int, Field(ge=2, le=12)] = 5
    """Number of levels."""
    kernel: OddSize = 5
    """Taps of the convolutions, odd."""

    pretraining: ClassVar[bool] = False
    """It has no front end that could be trained before it."""
