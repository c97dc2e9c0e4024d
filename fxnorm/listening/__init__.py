"""The listening test: stimuli, and the analysis of ratings."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
