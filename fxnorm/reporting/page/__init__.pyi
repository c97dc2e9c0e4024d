from .document import write_page
from .html_figures import PageFigure
from .html_tables import PageTable, page_table
from .page_config import PageConfig
from .players import PageSong

__all__ = ["PageConfig", "PageFigure", "PageSong", "PageTable", "page_table", "write_page"]
