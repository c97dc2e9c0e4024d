"""Looking through a pickle before it is read: what it would make the unpickler do."""

import pickle
import pickletools
from typing import IO

#: The released files have some 500 and 11,000. Fewer can't nest so deeply that hashing a tuple
#: overruns the stack, nor copy one thing often.
_MOST_OPCODES = 30_000
#: Of a class: they have some 30 characters. Torch refuses one that it doesn't allow in a time that
#: grows with the square of the name's length.
_LONGEST_NAME = 1000


def check_opcodes(stream: IO[bytes], pickles: int = 1) -> None:
    """Read pickles to their end without carrying them out.

    A list of allowed classes protects from code, not from the unpickler itself, which keeps as
    much room as a pickle asks for and makes things that nest as deeply as it says.

    Args:
        stream: at the first pickle; stands after the last one then.
        pickles: how many follow each other.

    Raises:
        pickle.UnpicklingError: not such a stream, or one that asks for too much.
    """
    count = 0
    for _ in range(pickles):
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                count += 1
                if count > _MOST_OPCODES:
                    raise pickle.UnpicklingError("it is too long")
                # The unpickler keeps room for all places up to the one that is put to.
                if opcode.name.endswith("PUT") and not 0 <= int(argument) < _MOST_OPCODES:  # type: ignore[arg-type]
                    raise pickle.UnpicklingError("it asks for memory")
                if opcode.name == "GLOBAL" and len(argument) > _LONGEST_NAME:  # type: ignore[arg-type]
                    raise pickle.UnpicklingError("it names a class at too great length")
        except pickle.UnpicklingError:
            raise
        except Exception as error:  # genops raises all kinds on what is no pickle.
            raise pickle.UnpicklingError("not a pickle") from error
