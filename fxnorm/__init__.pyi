from .mixing import mix

__version__: str

__all__ = ["__version__", "mix"]
