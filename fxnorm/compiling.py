"""How inner loops are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call, keep the code on disk and release the GIL.

    It divides as numpy does: Python's check for zero would keep loops from being vectorised. Where
    neither the installation nor the user's cache folder can be written, nothing is kept.
    """
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(Function, numba.njit(cache=True, **settings)(function))
    except RuntimeError:  # No place for the code.
        return cast(Function, numba.njit(**settings)(function))
