"""Effect normalisation: stems brought to a data set's average spectrum, dynamics and position."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
