"""Data sets: songs on disk, their partitions, and the generated data set."""

from fxnorm.data.partitions import (
    HOW_TO_SKIP,
    MUSDB18_VALIDATION,
    DatasetConfig,
    Partition,
    load_partition,
)
from fxnorm.data.song_folders import (
    MIXTURE,
    Song,
    SongList,
    find_songs,
    read_audio,
    read_mixture,
    read_stem,
    write_mixtures,
)

__all__ = [
    "HOW_TO_SKIP",
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
