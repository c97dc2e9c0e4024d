"""The command itself. Heavy imports wait until a subcommand runs."""

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from fxnorm import __version__
from fxnorm.cli import features, listen, mix, normalize, register, score, weights
from fxnorm.cli.arguments import Parser
from fxnorm.errors import not_loaded, to_mend

_OBJECTS_UNTIL_COLLECTION = 100_000


def run() -> int:
    """Run the command as a process of its own; see `main`.

    What the libraries make when they are imported stays until the end. To look through it for
    garbage again and again, and to take it apart then, takes half a second of a mix. Where the
    command ends before all is done, threads may be at work for minutes, and Python would wait for
    them. Not so processes: they are ended, and Python then takes away what they shared.
    """
    # Else its workers would import what lies in the current folder, which may come from anybody.
    os.environ["PYTHONSAFEPATH"] = "1"
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)
    code: int | None = None
    # What is registered first is called last, when all others have cleaned up.
    atexit.register(lambda: code is None or os._exit(code))
    code = main()
    workers = sys.modules.get("fxnorm.workers")
    if code != 0 and not (workers and workers.end_processes()):
        os._exit(code)
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after `fxnorm`; the default is the process's.

    Returns:
        0 for success, 2 for wrong use or input, 130 when interrupted, as by SIGTERM, and 141 when
        the reader of the output has gone (`fxnorm … | head`) before all was done.
    """
    _prepare_output()
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        options = make_parser().parse_args(arguments)
        with _cluster(getattr(options, "dask", None)):
            options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        return _ended(141)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "fxnorm":
            raise
        return _ended(
            2, f"this needs {error.name}, which is not installed: pip install 'fxnorm[pipeline]'"
        )
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "fxnorm":
            raise
        return _ended(2, str(not_loaded(error)))
    except KeyboardInterrupt:
        return _ended(130, "interrupted")
    except Exception as error:
        fault = to_mend(error)
        if fault is None:
            raise
        return _ended(2, str(fault))
    return 0


def make_parser() -> Parser:
    """What reads the words of all subcommands."""
    parser = Parser(prog="fxnorm", description="Automatic music mixing with effect normalisation.")
    parser.add_argument("--version", action="version", version=f"fxnorm {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (mix, normalize, features, weights, score, listen, register):
        module.add_parser(commands)
    return parser


def _ended(code: int, reason: str = "") -> int:
    """Say why the command ends before all is done, if there is anybody to say it to."""
    try:
        sys.stdout.flush()
    except OSError:
        _give_up(sys.stdout)
    try:
        if reason:
            print(f"fxnorm: {reason}", file=sys.stderr)
        sys.stderr.flush()
    except OSError:
        _give_up(sys.stderr)
    return code


def _give_up(stream: TextIO) -> None:
    """Let what is left in a stream go nowhere: Python writes it at its end, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _cluster(address: str | None) -> AbstractContextManager[None]:
    if not address:
        return nullcontext()
    from fxnorm.workers import on_cluster

    return on_cluster(address)


def _prepare_output() -> None:
    """Take closed streams, and names that the terminal's encoding does not have."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
