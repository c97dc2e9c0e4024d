"""Mixing: stems in, a stereo mix out."""

from fxnorm.lazy import attach_stub

# Submodules are imported when something of theirs is asked for: torch and others take seconds.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
