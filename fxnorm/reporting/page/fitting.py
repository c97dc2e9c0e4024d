"""Excerpts that fit into the page's size."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxnorm.audio import info
from fxnorm.reporting.page.players import PageSong

_BITRATES_KBPS = (256, 192, 160, 128, 112, 96, 80, 64)
_SHORTEST_S = 4
#: Characters of base64 per byte.
_BASE64 = 4 / 3


@dataclass(frozen=True)
class Excerpts:
    """What is played on the page: which songs, how long, and at which bit rate."""

    songs: tuple[PageSong, ...]
    seconds: float
    bitrate_kbps: int

    def audio_bytes(self) -> float:
        """What their audio takes in the page, as base64, but for the encoder's last frames."""
        seconds = sum(
            len(song.versions) * min(self.seconds, _shortest_s(song)) for song in self.songs
        )
        return _BASE64 * seconds * self.bitrate_kbps * 1000.0 / 8.0

    def note(self, wanted: "Excerpts", max_megabytes: float) -> str:
        """What was done to have these and not the wanted ones; empty if nothing was."""
        if self == wanted:
            return ""
        limit = f"the page's limit of {max_megabytes:g} MB"
        if not self.songs:
            return f"No excerpts: they would not fit into {limit}."
        changes = []
        if self.bitrate_kbps != wanted.bitrate_kbps:
            changes.append(f"at {self.bitrate_kbps} kbit/s instead of {wanted.bitrate_kbps}")
        if self.seconds != wanted.seconds:
            changes.append(f"of {self.seconds:g} s instead of {wanted.seconds:g} s")
        if len(self.songs) != len(wanted.songs):
            changes.append(f"of {len(self.songs)} songs instead of {len(wanted.songs)}")
        return f"To keep to {limit}, the excerpts are {', '.join(changes)}."


def smaller_and_smaller(excerpts: Excerpts) -> Iterator[Excerpts]:
    """What is asked for, then lower bit rates, then shorter excerpts, then fewer songs, to none.

    The song that goes is the last of the test set with the most songs.
    """
    yield excerpts
    for bitrate in _BITRATES_KBPS:
        if bitrate < excerpts.bitrate_kbps:
            excerpts = replace(excerpts, bitrate_kbps=bitrate)
            yield excerpts
    while excerpts.seconds > _SHORTEST_S:
        excerpts = replace(excerpts, seconds=max(excerpts.seconds - 1.0, _SHORTEST_S))
        yield excerpts
    while excerpts.songs:
        excerpts = replace(excerpts, songs=_without_one(excerpts.songs))
        yield excerpts


def _without_one(songs: tuple[PageSong, ...]) -> tuple[PageSong, ...]:
    counts = Counter(song.test_set for song in songs)
    most = max(counts.values())
    last = max(place for place, song in enumerate(songs) if counts[song.test_set] == most)
    return songs[:last] + songs[last + 1 :]


def _shortest_s(song: PageSong) -> float:
    return min((info(path).duration_s for path in song.versions.values()), default=0.0)
