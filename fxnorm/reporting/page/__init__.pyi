from .document import write_page
from .html_figures import PageFigure
from .html_tables import PageTable, page_table
from .mix_page import MixedSong, write_mix_page
from .page_config import PageConfig
from .players import PageSong

__all__ = [
    "MixedSong",
    "PageConfig",
    "PageFigure",
    "PageSong",
    "PageTable",
    "page_table",
    "write_mix_page",
    "write_page",
]
