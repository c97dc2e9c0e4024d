"""Objective evaluation: metrics against the human mix, statistics over songs."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
