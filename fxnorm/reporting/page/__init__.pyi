from .document import write_page as write_page
from .html_figures import PageFigure as PageFigure
from .html_tables import PageTable as PageTable
from .html_tables import page_table as page_table
from .mix_page import MixedSong as MixedSong
from .mix_page import write_mix_page as write_mix_page
from .page_config import PageConfig as PageConfig
from .players import PageSong as PageSong
