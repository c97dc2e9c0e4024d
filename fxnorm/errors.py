"""The errors a user can cause and mend."""


class FxNormError(Exception):
    """Wrong input: the message names the file or key and the remedy, in one line.

    Commands and stages print it without a traceback and exit with code 2.
    """
