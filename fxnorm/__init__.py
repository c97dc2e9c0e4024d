"""Automatic music mixing with effect normalisation (FxNorm-Automix, arXiv 2208.11428)."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported on first use: `import fxnorm` must not load torch for those who only normalise.
    if name == "mix":
        from fxnorm.mixing import mix

        return mix
    raise AttributeError(f"module 'fxnorm' has no attribute {name!r}")
