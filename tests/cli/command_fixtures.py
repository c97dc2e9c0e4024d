"""What tests of the command share."""

from fxnorm.conventions import STEMS


def stem_options(stems, *names):
    """The options that name the files of the fixture `stems`."""
    return [word for name in names or STEMS for word in (f"--{name}", str(stems / f"{name}.wav"))]
