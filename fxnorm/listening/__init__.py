"""The listening test: stimuli, and the analysis of ratings."""

from fxnorm.listening.analysis import ListeningAnalysis, analyze, analyze_ratings
from fxnorm.listening.config import Criterion, ListeningConfig
from fxnorm.listening.results import read_key, read_ratings
from fxnorm.listening.statistics import AnalysisConfig
from fxnorm.listening.stimuli import ListeningSong, export_stimuli

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
