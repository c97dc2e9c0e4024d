"""MLflow: the store of a checkout, and models that it registers and serves."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
