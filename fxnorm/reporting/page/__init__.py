"""The report as one self-contained HTML file: tables, figures and synchronised players."""

from fxnorm.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
