"""The errors a user can cause and mend."""

import errno
import os
import re

#: Line ends, what steers a terminal or turns the direction of text, and halves of characters, which
#: can't be written.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 3000
#: How those say it that don't raise MemoryError: the system, torch on CPU and GPU, C++, the loader
#: of shared libraries, Python's threads.
_NO_MEMORY = re.compile(
    os.strerror(errno.ENOMEM)
    + r"|can't allocate memory|out of memory|std::bad_alloc|failed to map segment"
    + r"|can't start new thread"
)


class FxNormError(Exception):
    """Wrong input: the message names the file or key and the remedy, in one line.

    Commands and stages print it without a traceback and exit with code 2. What it quotes of a file
    may be anything: it is escaped, and cut out of the middle where it is long.
    """

    def __init__(self, message: str) -> None:
        line = printable(message)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
        super().__init__(line)


def printable(text: str) -> str:
    """Text in one line that can be shown and written: the rest is escaped as Python does it.

    Names of files may hold anything.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def to_mend(error: Exception) -> FxNormError | None:
    """What a user can mend, as an error that says how; None for what is our own fault."""
    if isinstance(error, OSError):
        return from_system(error)
    if lacks_memory(error):
        return from_memory()
    return error if isinstance(error, FxNormError) else None


def lacks_memory(error: Exception) -> bool:
    """Whether something went wrong for want of memory, in whichever library."""
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError | RuntimeError | ImportError)
        and _NO_MEMORY.search(str(error)) is not None
    )


def from_memory() -> FxNormError:
    """Want of memory, as an error that says what to do."""
    return FxNormError(
        "not enough memory; close other programs, or work on less at a time: --jobs 1, in the"
        " pipeline LOKY_MAX_CPU_COUNT=1, in training a smaller batch_size"
    )


def from_system(error: OSError) -> FxNormError:
    """What the system refused, as an error that names the file if the system does."""
    if error.errno is None:
        return not_loaded(error)
    if lacks_memory(error):
        return from_memory()
    reason = error.strerror or type(error).__name__
    if error.filename is None:
        # As a rule the standard output: what we write to files says which.
        return FxNormError(
            f"the output can't be written ({reason}); make room, or send it elsewhere"
        )
    return FxNormError(
        f"{os.fsdecode(error.filename)}: can't be used ({reason}); check the path, and whether it"
        " may be read and written"
    )


def not_loaded(error: ImportError | OSError) -> FxNormError:
    """What a package says that is there and can't be loaded, as a rule for want of memory."""
    return FxNormError(
        f"a library can't be loaded ({error}); allow more memory, or install it anew"
    )
