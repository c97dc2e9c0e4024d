from .listening_config import Criterion, ListeningConfig
from .rating_analysis import ListeningAnalysis, analyze, analyze_ratings
from .rating_files import read_key, read_ratings
from .rating_statistics import AnalysisConfig
from .stimuli import ListeningSong, export_stimuli

__all__ = [
    "AnalysisConfig",
    "Criterion",
    "ListeningAnalysis",
    "ListeningConfig",
    "ListeningSong",
    "analyze",
    "analyze_ratings",
    "export_stimuli",
    "read_key",
    "read_ratings",
]
