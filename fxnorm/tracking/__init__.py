"""MLflow: the store of a checkout, and models that it registers and serves."""

from fxnorm.lazy import attach_stub

# Submodules are imported when something of theirs is asked for: mlflow takes seconds.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
