from .config import PageConfig
from .document import write_page
from .figures import PageFigure
from .players import PageSong
from .tables import PageTable, page_table

__all__ = ["PageConfig", "PageFigure", "PageSong", "PageTable", "page_table", "write_page"]
