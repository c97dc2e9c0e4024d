"""Sizes of networks, as configurations hold them."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError("must be odd")
    return size


Size = Annotated[int, Field(ge=1)]
EvenSize = Annotated[int, Field(ge=2, multiple_of=2)]
OddSize = Annotated[int, Field(ge=1), AfterValidator(_odd)]
