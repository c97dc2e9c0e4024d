"""The report as one self-contained HTML file: tables, figures and synchronised players."""

from fxnorm.evaluation.page.document import write_page
from fxnorm.evaluation.page.figures import PageFigure
from fxnorm.evaluation.page.players import PageConfig, PageSong
from fxnorm.evaluation.page.tables import PageTable, page_table

__all__ = ["PageConfig", "PageFigure", "PageSong", "PageTable", "page_table", "write_page"]
