"""What the configurations of all networks have."""

from typing import ClassVar

from fxnorm.configuration import Config
from fxnorm.models.sizes import Size


class BaseNetworkConfig(Config):
    """Sizes of a network; its own come beside these."""

    has_shares: ClassVar[bool] = False
    """Whether the mix is a sum of what the network makes of each stem, as `AutomixNet` has it."""
    in_windows: ClassVar[bool] = False
    """Whether songs are mixed in windows of the length of those in validation."""
    takes_front_end: ClassVar[bool] = False
    """Whether it can start with a pretrained front end."""

    kind: str
    """Which network this is."""
    stems: Size = 4
    """Number of stems S."""
    channels: Size = 2
    """Channels per stem C."""

    @property
    def is_pretraining(self) -> bool:
        """Whether it is the auto-encoder of the stems that trains the front end."""
        return False
