from .mixing import mix, mix_stems

__version__: str

__all__ = ["__version__", "mix", "mix_stems"]
