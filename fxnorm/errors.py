"""The errors a user can cause and mend."""

import re

#: Line ends, what steers a terminal, and halves of characters, which can't be written.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST = 3000


class FxNormError(Exception):
    """Wrong input: the message names the file or key and the remedy, in one line.

    Commands and stages print it without a traceback and exit with code 2. What it quotes of a file
    may be anything: it is escaped, and cut out of the middle where it is long.
    """

    def __init__(self, message: str) -> None:
        line = _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], message)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
        super().__init__(line)
