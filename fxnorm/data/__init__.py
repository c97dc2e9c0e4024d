"""Data sets: songs on disk, their partitions, and the generated data set."""

from fxnorm.data.dataset import (
    MIXTURE,
    Song,
    SongList,
    find_songs,
    read_audio,
    read_mixture,
    read_stem,
    write_mixtures,
)
from fxnorm.data.partitions import (
    MUSDB18_VALIDATION,
    DatasetConfig,
    Partition,
    load_partition,
)

__all__ = [
    "MIXTURE",
    "MUSDB18_VALIDATION",
    "DatasetConfig",
    "Partition",
    "Song",
    "SongList",
    "find_songs",
    "load_partition",
    "read_audio",
    "read_mixture",
    "read_stem",
    "write_mixtures",
]
