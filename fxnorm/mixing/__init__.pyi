from .baseline import sum_normalized
from .finishing import Finishing, Levels, Mix, Trace
from .inference import (
    NormalizedStems,
    apply_network,
    apply_network_by_stem,
    choose_device,
    has_shares,
)
from .mixer import mix, mix_stems
from .song_mixing import mix_songs, sum_song
from .tracks import Stems, Track

__all__ = [
    "Finishing",
    "Levels",
    "Mix",
    "NormalizedStems",
    "Stems",
    "Trace",
    "Track",
    "apply_network",
    "apply_network_by_stem",
    "choose_device",
    "has_shares",
    "mix",
    "mix_songs",
    "mix_stems",
    "sum_normalized",
    "sum_song",
]
