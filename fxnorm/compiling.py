"""How inner loops are compiled."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numba
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call, keep the code on disk and release the GIL.

    It divides as numpy does: Python's check for zero would keep loops from being vectorised. Where
    neither the installation nor the user's cache folder can be written, or has room, nothing is
    kept.
    """
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        dispatcher = numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # No place for the code.
        return cast(Function, numba.njit(**settings)(function))
    dispatcher._cache.save_overload = _where_there_is_room(dispatcher._cache.save_overload)
    return cast(Function, dispatcher)


def _where_there_is_room(save: Callable[..., None]) -> Callable[..., None]:
    """What keeps code, on a full disk without an error."""

    def save_or_not(*arguments: Any) -> None:
        with contextlib.suppress(OSError):
            save(*arguments)

    return save_or_not


def is_kept(module: ModuleType) -> bool:
    """Whether code of a module's compiled functions lies on disk, or none can be kept."""
    name = module.__name__.rpartition(".")[2]
    functions = (value for value in vars(module).values() if isinstance(value, Dispatcher))
    folders = {function.stats.cache_path for function in functions}
    kept = (any(Path(folder).glob(f"{name}.*.nbi")) for folder in folders if folder is not None)
    return folders == {None} or any(kept)
