"""Sizes of the Wave-U-Net."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fxnorm.models.network_config import BaseNetworkConfig
from fxnorm.models.sizes import OddSize

#: Features that are normalised together.
CHANNELS_PER_GROUP = 8


class WaveUNetConfig(BaseNetworkConfig):
    """The Wave-U-Net; the defaults are the paper's."""

    # Its group statistics are those of a window: it mixes as it was validated.
    in_windows: ClassVar[bool] = True

    kind: Literal["wave-u-net"] = "wave-u-net"
    """Which network this is."""
    filters: Annotated[
        int, Field(ge=CHANNELS_PER_GROUP, le=1024, multiple_of=CHANNELS_PER_GROUP)
    ] = 24
    """Features of the first level, doubled on each further one; a multiple of 8."""
    levels: Annotated[int, Field(ge=2, le=12)] = 5
    """Number of levels."""
    kernel: OddSize = 5
    """Taps of the convolutions, odd."""
