from .analysis import ListeningAnalysis, analyze, analyze_ratings
from .config import Criterion, ListeningConfig
from .results import read_key, read_ratings
from .statistics import AnalysisConfig
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
