"""The networks, their configuration, and files that hold them."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
