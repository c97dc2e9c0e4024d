from .analysis_config import AnalysisConfig
from .answer_key import AnswerKey, KeyRow, read_key
from .listening_config import Criterion, ListeningConfig, OwnPageConfig
from .mix_folders import find_listening_songs
from .power import Listeners, power, power_table
from .rating_analysis import ListeningAnalysis, analyze, analyze_ratings
from .rating_files import Ignored, Results, read_results
from .stimuli import export_stimuli
from .stimulus_audio import ListeningSong

__all__ = [
    "AnalysisConfig",
    "AnswerKey",
    "Criterion",
    "Ignored",
    "KeyRow",
    "Listeners",
    "ListeningAnalysis",
    "ListeningConfig",
    "ListeningSong",
    "OwnPageConfig",
    "Results",
    "analyze",
    "analyze_ratings",
    "export_stimuli",
    "find_listening_songs",
    "power",
    "power_table",
    "read_key",
    "read_results",
]
