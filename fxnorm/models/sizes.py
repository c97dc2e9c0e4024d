"""Sizes of networks, as configurations hold them."""

from typing import Annotated

from pydantic import Field

from fxnorm.configuration import ODD

_LARGEST = 2**14

Size = Annotated[int, Field(ge=1, le=_LARGEST)]
EvenSize = Annotated[int, Field(ge=2, le=_LARGEST, multiple_of=2)]
OddSize = Annotated[int, Field(ge=1, le=_LARGEST), ODD]
#: Of layers: each is built before its weights are looked at.
Count = Annotated[int, Field(ge=1, le=32)]
