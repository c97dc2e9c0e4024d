"""How inner loops are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call, keep the code on disk and release the GIL.

    It divides as numpy does: Python's check for zero would keep loops from being vectorised.
    """
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
