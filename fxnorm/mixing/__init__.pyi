from .baseline import sum_normalized
from .inference import NormalizedStems, apply_network, choose_device
from .mixer import mix, mix_stems
from .song_mixing import mix_songs, sum_song
from .sources import Stems
from .steps import Mix

__all__ = [
    "Mix",
    "NormalizedStems",
    "Stems",
    "apply_network",
    "choose_device",
    "mix",
    "mix_songs",
    "mix_stems",
    "sum_normalized",
    "sum_song",
]
