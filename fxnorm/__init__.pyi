from .mixing import mix as mix
from .mixing import mix_stems as mix_stems

__version__: str
