"""Work in processes beside this one: they end with it, and their death is told."""

import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import joblib

from fxnorm.errors import FxNormError

T = TypeVar("T")

KILLED = (
    "a worker process was killed, probably out of memory; what was done is kept, go on with"
    " --jobs 1 (in the pipeline LOKY_MAX_CPU_COUNT=1)"
)

_LOOK_EVERY_S = 1.0


def in_processes(
    function: Callable[..., T], tasks: Iterable[tuple[str, tuple[Any, ...]]], jobs: int
) -> Iterator[T]:
    """Call a function in worker processes of one thread each; results in the order of the tasks.

    Args:
        function: of a module, as are its arguments' types.
        tasks: the name of what is worked on, a song's as a rule, and the function's arguments.
        jobs: processes; -1 for all cores, 1 for none beside this one.

    Raises:
        FxNormError: a process was killed; names what it may have worked on.
    """
    begun: deque[str] = deque()

    def calls() -> Iterator[Any]:
        for name, arguments in tasks:
            begun.append(name)
            yield joblib.delayed(function)(*arguments)

    with worker_processes():
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="n_jobs")
    try:
        for result in parallel(calls()):
            begun.popleft()
            yield result
    except BrokenProcessPool as error:
        raise FxNormError(f"{' or '.join(dict.fromkeys(begun))}: {KILLED}") from error


def worker_processes() -> AbstractContextManager[Any]:
    """How joblib makes processes inside this context: they end with us and share no memory."""
    return joblib.parallel_config(
        backend="loky",
        inner_max_num_threads=1,
        # What is killed would leave arrays in shared memory, or the folder for them.
        max_nbytes=None,
        temp_folder=tempfile.gettempdir(),
        initializer=_end_with,
        initargs=(os.getpid(),),
    )


def _end_with(parent: int) -> None:
    """End this process once its parent has, killed or not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="fxnorm-parent", daemon=True).start()
