"""What tests of the command share."""

from fxnorm.stems import STEMS

TINY = {"filters": 8, "bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1}


def stem_options(stems, *names):
    """The options that name the files of the fixture `stems`."""
    return [word for name in names or STEMS for word in (f"--{name}", str(stems / f"{name}.wav"))]
