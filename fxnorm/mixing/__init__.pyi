from .baseline import sum_normalized
from .finishing import Finishing, Levels, Mix, Trace
from .inference import NormalizedStems, apply_network, apply_network_by_stem, choose_device
from .mixer import mix, mix_stems
from .sessions import Session, read_session
from .song_mixing import mix_songs, sum_song
from .tracks import Stems, Track
from .writing import write_mix, write_stems

__all__ = [
    "Finishing",
    "Levels",
    "Mix",
    "NormalizedStems",
    "Session",
    "Stems",
    "Trace",
    "Track",
    "apply_network",
    "apply_network_by_stem",
    "choose_device",
    "mix",
    "mix_songs",
    "mix_stems",
    "read_session",
    "sum_normalized",
    "sum_song",
    "write_mix",
    "write_stems",
]
