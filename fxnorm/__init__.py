"""Automatic music mixing with effect normalisation (FxNorm-Automix, arXiv 2208.11428)."""

from fxnorm.lazy import attach_stub

__version__ = "0.2.0"

# Imported on first use: `import fxnorm` must not load torch for those who only normalise.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
