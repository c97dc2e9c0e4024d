"""Where training runs: device, processes, threads. None of it is part of a configuration."""

import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

import joblib
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch.multiprocessing.spawn import ProcessRaisedException

from fxnorm.errors import FxNormError
from fxnorm.training.training_config import Precision
from fxnorm.workers import end_with

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Machine:
    """Changes the time a run takes, and its results by no more than rounding.

    The same machine and numbers give the same bits.
    """

    accelerator: str = "auto"
    """What to train on: "auto", "cpu", "cuda" or another that Lightning Fabric knows."""
    devices: int = 1
    """How many of them on each node; several share every batch (DDP)."""
    nodes: int = 1
    """Machines; for more than one, start the command with torchrun on each, and keep data and
    checkpoints on a disk that all of them see."""
    threads: int | None = None
    """Of torch in each process; None leaves torch its own choice."""
    workers: int | None = None
    """Threads that read audio ahead, in each process; None takes one per core, up to 8."""
    checkpoint_every_steps: int = 500
    """How often a checkpoint is written, besides at every epoch's end."""


def on_all_cores(accelerator: str, batch_size: int) -> Machine:
    """This machine: on a CPU one process for each core, as far as they share a batch evenly.

    Args:
        accelerator: see `Machine`; a GPU is used alone.
        batch_size: items of a step.
    """
    on_gpu = torch.accelerator.is_available() if accelerator == "auto" else accelerator != "cpu"
    # Processes speak to each other through the loopback interface, which a sandbox may lack.
    if on_gpu or not _reaches_itself():
        return Machine(accelerator)
    cores = joblib.cpu_count()
    devices = max(n for n in range(1, batch_size + 1) if batch_size % n == 0 and n <= cores)
    # Users and clusters that set this variable mean it.
    threads = None if "OMP_NUM_THREADS" in os.environ else cores // devices
    return Machine("cpu", devices, threads=threads)


def launch(
    machine: Machine,
    precision: Precision,
    function: Callable[..., object],
    job: Any,
    on_message: Callable[[Any], None],
) -> bool:
    """Call `function(fabric, job, emit)` in every process that takes part, and wait for them.

    Args:
        machine: where.
        precision: as Lightning Fabric names it.
        function: a module's function; with several devices it runs in processes of its own.
        job: goes to the function; with several devices it is pickled.
        on_message: gets what the first process emits, in this process.

    Returns:
        Whether this is the first process; only torchrun makes others of it.

    Raises:
        FxNormError: the machine lacks what is asked for, or `function` raised it.
    """
    fabric = _fabric(machine, precision)
    if not _spawns(machine):
        fabric.launch(partial(_call_reproducibly, machine, function, job, on_message))
        return fabric.is_global_zero
    messages = multiprocessing.get_context("spawn").SimpleQueue()
    errors: list[str] = []
    relay = Thread(target=_relay, args=(messages, on_message, errors), daemon=True)
    relay.start()
    try:
        # Bound here: Fabric looks into arguments, and refuses frozen dataclasses.
        fabric.launch(partial(_call_in_process, os.getpid(), machine, function, job, messages))
    except ProcessRaisedException as error:
        messages.put(None)
        relay.join()
        if errors:
            raise FxNormError(errors[0]) from error
        raise
    except KeyboardInterrupt:
        # At its end Python would wait for them.
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    messages.put(None)
    relay.join()
    return True


def peak_memory_mb(device: torch.device) -> float:
    """Most memory in use so far, in MB: the device's for a GPU, else the process'."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _reaches_itself() -> bool:
    try:
        with socket.create_server((_LOOPBACK, 0)) as server:
            socket.create_connection(server.getsockname(), timeout=1.0).close()
    except OSError:
        return False
    return True


def _spawns(machine: Machine) -> bool:
    torchrun = torch.distributed.is_torchelastic_launched()
    if machine.nodes > 1 and not torchrun:
        raise FxNormError(
            f"training on {machine.nodes} nodes: start the command with torchrun on each of them"
        )
    return machine.devices * machine.nodes > 1 and not torchrun


def _fabric(machine: Machine, precision: Precision) -> Fabric:
    try:
        fabric = Fabric(**_placement(machine))
        if precision == "32-true":
            return fabric
        device = fabric.device.type
        if precision == "16-mixed" and device == "cpu":
            raise FxNormError(
                "training: precision 16-mixed needs a GPU; choose 32-true or bf16-mixed on a CPU"
            )
        return Fabric(**_placement(machine), plugins=[AutocastOnly(precision, device)])
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise FxNormError(f"training: device not available: {reason}") from error


def _placement(machine: Machine) -> dict[str, Any]:
    strategy: Any = "auto"
    if machine.devices * machine.nodes > 1:
        strategy = DDPStrategy(start_method="spawn" if _spawns(machine) else "popen")
    return {
        "accelerator": machine.accelerator,
        "devices": machine.devices,
        "num_nodes": machine.nodes,
        "strategy": strategy,
    }


class AutocastOnly(MixedPrecision):
    """Mixed precision whose network input stays single: autocast alone chooses what is halved."""

    def convert_input(self, data: Any) -> Any:
        """The input as it is."""
        return data


def _call_reproducibly(
    machine: Machine,
    function: Callable[..., object],
    job: Any,
    emit: Callable[[Any], None],
    fabric: Fabric,
) -> None:
    with _reproducible(fabric.device, machine.threads):
        function(fabric, job, emit)


def _call_in_process(
    parent: int,
    machine: Machine,
    function: Callable[..., object],
    job: Any,
    messages: Any,
    fabric: Fabric,
) -> None:
    # Torch interrupts a process whose parent was killed, but not one that is just starting.
    end_with(parent)
    # Shells may leave it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _call_reproducibly(machine, function, job, messages.put, fabric)
    except FxNormError as error:
        messages.put(str(error))
        raise


def _relay(messages: Any, on_message: Callable[[Any], None], errors: list[str]) -> None:
    """Hand on what a process sends, until None: errors, as text, to the list, the rest onwards."""
    while (message := messages.get()) is not None:
        if isinstance(message, str):
            errors.append(message)
        else:
            on_message(message)


@contextmanager
def _reproducible(device: torch.device, threads: int | None) -> Iterator[None]:
    """Deterministic algorithms and a fixed number of threads; torch's state is left as found."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    fill = memory.fill_uninitialized_memory
    before = torch.get_num_threads()
    # cuBLAS reads this when it starts and is not deterministic without.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Some CUDA kernels have no deterministic twin: a warning, where a CPU run would fail.
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # Nothing here reads memory that it has not written; filling it takes an eighth of a step.
    memory.fill_uninitialized_memory = False
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        memory.fill_uninitialized_memory = fill
        torch.set_num_threads(before)


class Clock:
    """Wall time of an epoch's steps; for logs only, never for results."""

    def __init__(self) -> None:
        self.restart()

    def tick(self) -> None:
        """A step is done."""
        self._steps += 1

    def lap(self, batch_size: int) -> dict[str, float]:
        """Speed of the steps since the last restart, of which a resumed epoch has fewer."""
        per_step = (time.perf_counter() - self._start) / max(1, self._steps)
        return {
            "machine/seconds_per_step": per_step,
            "machine/items_per_second": batch_size / per_step,
        }

    def restart(self) -> None:
        """Start counting anew."""
        self._start = time.perf_counter()
        self._steps = 0
