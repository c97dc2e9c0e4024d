"""Mixing: stems in, a stereo mix out."""

from fxnorm.mixing.mixer import Mix, mix, mix_stems, sum_normalized
from fxnorm.mixing.network import apply_network, choose_device
from fxnorm.mixing.songs import mix_songs, sum_stems

__all__ = [
    "Mix",
    "apply_network",
    "choose_device",
    "mix",
    "mix_songs",
    "mix_stems",
    "sum_normalized",
    "sum_stems",
]
