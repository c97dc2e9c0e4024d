"""Training, validation and test partitions of a data set, and the dry test set."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

from pydantic import Field

from fxnorm.audio.names import composed
from fxnorm.configuration import Config
from fxnorm.conventions import STEMS
from fxnorm.data.song_folders import SongList, find_songs, refuse_doubles
from fxnorm.errors import FxNormError

#: What leaves faulty songs out, as a user of params.yaml writes it.
HOW_TO_SKIP = "dataset.skip_faulty: true"

Partition = Literal["train", "valid", "test", "dry"]

#: MUSDB18's usual validation songs, 14 of its 100 training songs.
MUSDB18_VALIDATION = (
    "ANiMAL - Rockshow",
    "Actions - One Minute Smile",
    "Alexander Ross - Goodbye Bolero",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Fergessen - Nos Palpitants",
    "James May - On The Line",
    "Johnny Lokke - Promises & Lies",
    "Leaf - Summerghost",
    "Meaxic - Take A Step",
    "Patrick Talbot - A Reason To Leave",
    "Skelpolu - Human Mistakes",
    "Traffic Experiment - Sirens",
    "Triviul - Angelsaint",
    "Young Griffo - Pennies",
)


class DatasetConfig(Config):
    """Where the songs are and how they are divided."""

    root: str
    """Folder with `train/` and `test/`, in MUSDB18's layout: processed ("wet") stems."""
    dry_root: str
    """Folder with one folder per song: unprocessed ("dry") stems and the human mix."""
    impulse_responses: str
    """Impulse responses of 2 to 4 s, for the effect `reverb`."""
    pre_impulse_responses: str
    """Impulse responses below 1.5 s, for `prereverb`, which only dry recordings get."""
    extra_roots: tuple[str, ...] = ()
    """Further training roots of the same layout; only their `train/` is used."""
    features: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")
    """Averages to normalise to, a file of `params/features` without its suffix; null measures
    them on the training songs."""
    validation: Literal["musdb18"] | tuple[str, ...] | float = Field("musdb18")
    """Its usual 14 songs ("musdb18"), a list of names, or the fraction of songs, last by name."""
    skip_faulty: bool = False
    """Leave songs with missing, unreadable or damaged files out instead of stopping."""


def load_partition(
    config: DatasetConfig, partition: Partition, stems: Sequence[str] = STEMS
) -> SongList:
    """The songs of one partition, by name.

    Args:
        config: where the songs are.
        partition: which of them.
        stems: stem types that every song has.

    Raises:
        FxNormError: an unknown partition, a missing folder, a faulty song (unless skipped), two
            songs of one name in different roots, or a validation list that names no song, an
            unknown one, or all.
    """
    if partition not in get_args(Partition):
        raise FxNormError(
            f"there is no partition '{partition}'; use {', '.join(get_args(Partition))}"
        )
    find = partial(find_songs, stems=stems, skip_faulty=config.skip_faulty, how_to_skip=HOW_TO_SKIP)
    if partition == "dry":
        return find(config.dry_root)
    if partition == "test":
        return find(f"{config.root}/test")
    found = find(f"{config.root}/train")
    validation = _validation_names(config, found)
    if partition == "valid":
        songs = [song for song in found.songs if song.name in validation]
        return SongList(songs, found.skipped)
    extra, skipped = [], dict(found.skipped)
    for root in config.extra_roots:
        further = find(f"{root}/train")
        extra += further.songs
        skipped |= further.skipped
    # Also of those that validate: nobody trains on them.
    refuse_doubles([*found.songs, *extra])
    return SongList([song for song in found.songs if song.name not in validation] + extra, skipped)


def _validation_names(config: DatasetConfig, found: SongList) -> set[str]:
    names = [song.name for song in found.songs]
    where = f"dataset.validation for {config.root}/train"
    if isinstance(config.validation, float):
        if not 0 < config.validation < 1:
            raise FxNormError(f"{where}: a fraction lies between 0 and 1, not {config.validation}")
        chosen = set(names[-max(1, round(config.validation * len(names))) :])
    else:
        listed = config.validation
        # Names are the same whichever way their accents are encoded.
        wanted = {composed(n) for n in (MUSDB18_VALIDATION if listed == "musdb18" else listed)}
        chosen = {name for name in names if composed(name) in wanted}
        unknown = wanted - {composed(name) for name in (*chosen, *found.skipped)}
        if listed != "musdb18" and unknown:
            raise FxNormError(f"{where}: no song is called '{min(unknown)}'; correct the list")
    if not chosen:
        raise FxNormError(f"{where}: picks no song; list names found there, or give a fraction")
    if len(chosen) == len(names):
        raise FxNormError(f"{where}: leaves no song for training; list fewer")
    return chosen
