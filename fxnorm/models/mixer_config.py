"""What a model folder's config.json holds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fxnorm.configuration import Config
from fxnorm.conventions import STEMS
from fxnorm.models.automix.automix_config import AutomixConfig
from fxnorm.models.waveunet.wave_u_net_config import WaveUNetConfig
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.stems import StemName

NetworkConfig = Annotated[AutomixConfig | WaveUNetConfig, Field(discriminator="kind")]
#: Why some models can't give the stems of their mix.
NO_SHARES = "the model's mix is no sum of what it makes of each stem"
#: Up to 100 minutes at 44.1 kHz.
Samples = Annotated[int, Field(ge=0, le=2**28)]


class WindowConfig(Config):
    """Inference in windows of a fixed length, of which only the middles are kept."""

    samples: Samples = 440_960
    """Length of a window."""
    guard_left: Samples = 32_540
    """Samples at a window's beginning that give no output."""
    guard_right: Samples = 32_540
    """Samples at a window's end that give none."""

    @model_validator(mode="after")
    def _something_is_kept(self) -> Self:
        if self.samples <= self.guard_left + self.guard_right:
            raise ValueError("guards leave nothing of a window: lengthen it")
        return self


class MixerConfig(Config):
    """A model folder's config.json: all that mixing needs besides weights and features."""

    system: str
    """Name of the system, as in reports."""
    network: NetworkConfig
    """The network."""
    stems: tuple[StemName, ...] = STEMS
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

    @property
    def has_shares(self) -> bool:
        """Whether the mix is a sum of what the network makes of each stem."""
        return self.network.has_shares and self.window is None

    @model_validator(mode="after")
    def _one_input_per_stem(self) -> Self:
        if len(set(self.stems)) < len(self.stems):
            raise ValueError(f"stems must be distinct, not {', '.join(self.stems)}")
        if len(self.stems) != self.network.stems:
            raise ValueError(f"network takes {self.network.stems} stems, not {len(self.stems)}")
        return self
