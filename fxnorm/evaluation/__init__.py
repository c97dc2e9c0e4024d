"""Objective evaluation: metrics against the human mix, statistics over songs."""

import lazy_loader

# Submodules are imported when something of theirs is asked for: torch and others take seconds.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
