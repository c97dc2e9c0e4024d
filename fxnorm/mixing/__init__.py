"""Mixing: stems in, a stereo mix out."""

from fxnorm.mixing.inference import NormalizedStems, apply_network, choose_device
from fxnorm.mixing.mixer import Mix, mix, mix_stems, sum_normalized
from fxnorm.mixing.song_mixing import mix_songs, sum_song
from fxnorm.mixing.sources import Stems

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
