"""Work beside this process: in threads, in processes of its own, or on a Dask cluster.

Processes end with this one, and their death is told. What a cluster's dead worker had begun is done
again by another. Workers get names, settings and paths: they read and write audio themselves.
"""

import contextlib
import functools
import gc
import itertools
import logging
import os
import pickle
import socket
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, TypeVar

from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.scratch import temporary_file

T = TypeVar("T")

KILLED = (
    "a worker process was killed, probably out of memory; what was done is kept, go on with"
    " --jobs 1 (in the pipeline LOKY_MAX_CPU_COUNT=1)"
)
_KILLED_ON_CLUSTER = (
    "killed every worker that tried, probably out of memory; what was done is kept, go on with"
    " workers that have more"
)

_LOOK_EVERY_S = 1.0
_WAIT_FOR_WORKERS_S = 60.0
#: Tasks that a cluster is given at once: also for workers that join later.
_AHEAD_ON_CLUSTER = 4096
_LARGEST_TASK = 2**16

_cluster: str | None = None
#: Whether work went to processes, which wait for more.
_has_processes = False


@contextlib.contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Let all work inside this context go to a Dask cluster.

    Its machines see the same files under the same paths and run the same code.

    Args:
        address: of the scheduler, such as tcp://10.0.0.1:8786; None for this machine.
    """
    global _cluster
    before, _cluster = _cluster, address
    try:
        yield
    finally:
        _cluster = before


def in_processes(
    function: Callable[..., T],
    tasks: Iterable[tuple[str, tuple[Any, ...]]],
    jobs: int,
    *,
    threads: bool = False,
) -> Iterator[T]:
    """Call a function in workers of one thread each; results in the order of the tasks.

    Args:
        function: of a module, as are its arguments' types. A cluster may do a task twice.
        tasks: the name of what is worked on, a song's as a rule, and the function's arguments.
        jobs: workers; -1 for all cores, 1 for none beside this one. A cluster uses all it has.
        threads: whether threads do on this machine, as the function lets others run.

    Raises:
        FxNormError: a process was killed; names what it may have worked on. Or a cluster that
            can't be used.
    """
    if _cluster is not None:
        yield from _on_cluster(_cluster, function, tasks)
        return
    import joblib  # Slow to load, and most need threads at most.

    global _has_processes
    begun: deque[str] = deque()
    place = None if threads else os.getcwd()
    _has_processes |= not threads and jobs != 1

    def calls() -> Iterator[Any]:
        for name, arguments in tasks:
            begun.append(name)
            yield joblib.delayed(_call_in_folder)(place, function, arguments)

    with joblib.parallel_config(backend="threading") if threads else _worker_processes():
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="n_jobs")
    try:
        for result in parallel(calls()):
            begun.popleft()
            yield result
    except BrokenProcessPool as error:
        raise FxNormError(f"{' or '.join(dict.fromkeys(begun))}: {KILLED}") from error


def end_processes() -> bool:
    """End the processes of `in_processes`, whatever they are at; whether there were any."""
    if _has_processes:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor(reuse=True).shutdown(kill_workers=True)
    return _has_processes


@contextlib.contextmanager
def in_threads(
    threads: int, begin: Callable[[], None] = lambda: None
) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that an error and an interrupt do not wait for.

    What they are at goes on until it is done or the process ends; what is not begun is left.

    Args:
        threads: how many.
        begin: called in each of them first.
    """
    pool = ThreadPoolExecutor(threads, initializer=begin)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def end_with(parent: int, end: Callable[[], None] | None = None) -> None:
    """End this process once its parent has, killed or not.

    Args:
        parent: its process id.
        end: what ends this process; None ends it at once.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        if end is None:
            os._exit(1)
        end()

    threading.Thread(target=watch, name="fxnorm-parent", daemon=True).start()


def _worker_processes() -> AbstractContextManager[Any]:
    """How joblib makes processes inside this context: they end with us and share no memory."""
    import joblib

    context: AbstractContextManager[Any] = joblib.parallel_config(
        backend="loky",
        inner_max_num_threads=1,
        # What is killed would leave arrays in shared memory, or the folder for them.
        max_nbytes=None,
        temp_folder=tempfile.gettempdir(),
        initializer=end_with,
        initargs=(os.getpid(),),
    )
    return context


class OnDisk(Generic[T]):
    """A value that goes to workers as the path of a file, which each of them reads once."""

    def __init__(self, value: T, path: Path) -> None:
        self.value = value
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return _read_value, (self._path,)


@contextlib.contextmanager
def on_disk(value: T, folder: str | os.PathLike[str]) -> Iterator[OnDisk[T]]:
    """Keep what many tasks share in a file while they run.

    Args:
        value: that can be pickled.
        folder: that all workers see.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with temporary_file(folder, ".pickle") as path:
        path.write_bytes(pickle.dumps(value))
        yield OnDisk(value, path)


@functools.lru_cache(maxsize=1)
def _read_value(path: Path) -> OnDisk[Any]:
    return OnDisk(pickle.loads(path.read_bytes()), path)


def _call_in_folder(place: str | None, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """Call where the caller is: a worker may be older than the caller's present folder."""
    with contextlib.chdir(place) if place is not None else contextlib.nullcontext():
        return function(*arguments)


def _on_cluster(
    address: str, function: Callable[..., T], tasks: Iterable[tuple[str, tuple[Any, ...]]]
) -> Iterator[T]:
    """The same on a cluster.

    Not through joblib, which keeps what a cluster of one worker should do, and does not know whose
    task has failed.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise FxNormError("a Dask cluster needs more: pip install 'fxnorm[dask]'") from None
    place, code, remaining = os.getcwd(), _code(), iter(tasks)
    ahead: deque[tuple[str, Any]] = deque()
    with _client(distributed, address) as client:
        while True:
            for name, arguments in itertools.islice(remaining, _AHEAD_ON_CLUSTER - len(ahead)):
                task = pickle.dumps((function, arguments))
                if len(task) > _LARGEST_TASK:
                    raise FxNormError(f"{name}: a cluster takes files, not arrays; give paths")
                key = f"{function.__name__}-{uuid.uuid4().hex}"
                future = client.submit(_call_on_cluster, place, code, task, key=key, pure=False)
                ahead.append((name, future))
            if not ahead:
                return
            ahead[0][1].exception()  # Waits until it is done.
            done = list(itertools.takewhile(lambda begun: begun[1].done(), ahead))
            try:
                results = client.gather([future for _, future in done])
            except distributed.KilledWorker as error:
                name = next(name for name, future in done if future.status == "error")
                raise FxNormError(f"{name}: {_KILLED_ON_CLUSTER}") from error
            for result in results:
                ahead.popleft()
                yield result


@contextlib.contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    """A connection to a scheduler that has workers of one thread each.

    Raises:
        FxNormError: it has none, doesn't answer, or ends inside this context.
    """
    # It would log the traceback of what it raises besides.
    logging.getLogger("distributed.client").disabled = True
    client = None
    # Dask may fail with anything at what isn't a scheduler, want of memory among others.
    with contextlib.suppress(Exception):
        client = distributed.Client(address, set_as_default=False)
    if client is None:
        # It closes when it is collected, and waits for ever if that is while another one starts.
        gc.collect()
        raise FxNormError(
            f"{address}: no Dask scheduler answers; start one (dask scheduler), check the port and,"
            " for tls://, Dask's settings, or unset --dask and FXNORM_DASK"
        )
    try:
        with client:
            try:
                client.wait_for_workers(1, timeout=_WAIT_FOR_WORKERS_S)
            except TimeoutError as error:
                raise FxNormError(
                    f"{address}: the scheduler has no workers; start some (dask worker {address}"
                    " --nthreads 1)"
                ) from error
            if max(client.nthreads().values(), default=1) > 1:
                raise FxNormError(
                    f"{address}: its workers have several threads; start them with --nthreads 1"
                )
            yield client
    except (CancelledError, distributed.comm.CommClosedError) as error:
        raise FxNormError(
            f"{address}: the Dask scheduler has ended or can't be reached any more; what was done"
            " is kept, start it anew and go on"
        ) from error


def _call_on_cluster(place: str, code: str, task: bytes) -> Any:
    """Call a pickled function where the caller is, if this worker runs the caller's code."""
    host = socket.gethostname()
    if code != _code():
        raise FxNormError(f"worker on {host}: runs another version of fxnorm; start it anew")
    if not Path(place).is_dir():
        raise FxNormError(f"worker on {host}: has no {place}; mount it there as it is here")
    function, arguments = pickle.loads(task)
    return _call_in_folder(place, function, arguments)


@functools.cache
def _code() -> str:
    """Digest of the code that this process runs, as it was at its first task."""
    return digest(Path(__file__).parent)
