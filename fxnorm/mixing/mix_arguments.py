"""What a caller in Python gives beside the stems, checked."""

from typing import Any

from pydantic import InstanceOf

from fxnorm.configuration import Config
from fxnorm.mixing.finishing import Finishing
from fxnorm.normalization import ImpulseResponse

_Responses = tuple[InstanceOf[ImpulseResponse], ...]


class MixArguments(Config):
    """Arguments of `fxnorm.mixing.mix_stems` and `sum_normalized`, which describe them."""

    seed: int
    device: str = "auto"
    effects: tuple[str, ...] | None = None
    strengths: dict[str, float] | None = None
    impulse_responses: _Responses | None = None
    pre_impulse_responses: _Responses | None = None
    finishing: Finishing | None = None

    @classmethod
    def of(cls, **arguments: Any) -> "MixArguments":
        """Check arguments of a mix.

        Raises:
            FxNormError: one has another type, or holds what it can't.
        """
        return cls.parse(arguments, "mix")
