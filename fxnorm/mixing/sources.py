"""The stems that a user gives, read one at a time."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from filecmp import cmp
from functools import cached_property

import numpy as np

from fxnorm import audio, scratch
from fxnorm.audio.names import existing
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing.tracks import Stems, Track, tracks_of

#: A stem shorter than this share of the longest is worth a warning.
_SHORT = 0.9
#: Difference of time stamps that is told, in seconds.
_STAMPS_S = 0.001
#: A channel whose peak is less than so much of the other's is silent: -60 dB.
_ONE_SIDED = 1e-3
#: One that begins to sound later than the first by so many seconds, and by this share of the song.
_LATE_S, _LATE = 5.0, 0.25


@dataclass(frozen=True)
class _Part:
    """A track and what is known before it is read."""

    track: Track
    """What was given."""
    name: str
    """The file, or the stem type of an array, for messages."""
    info: audio.AudioInfo
    """Of the file; an array's samples, channels and sample rate."""
    notes: tuple[str, ...] = ()
    """What a user should know."""

    def add_to(self, song: np.ndarray) -> tuple[int, list[str]]:
        """Add the track to (samples, 2) at 44.1 kHz.

        Returns:
            Its channels, and what only reading shows.
        """
        given = self._read()
        if given.ndim == 1:
            given = given[:, None]
        if given.shape[1] not in (1, 2):
            raise FxNormError(
                f"{self.name}: audio has {given.shape[1]} channels; give mono or stereo"
            )
        if given.shape[0] == 0 or not audio.is_finite(given):
            raise FxNormError(f"{self.name}: the audio is empty or holds NaN or infinite samples")
        notes = []
        if audio.peak(given) >= 1.0 - 2.0**-15:
            notes.append(f"{self.name}: reaches full scale and may be clipped")
        offsets = audio.offsets(given)
        if offsets.any():
            strongest = float(offsets[np.abs(offsets).argmax()])
            notes.append(f"{self.name}: a DC offset of {strongest:+.3f} was removed")
            given = audio.without_offsets(given, offsets)
        samples = _scaled(self.info, SAMPLE_RATE)
        given = audio.resample(given, self.info.sample_rate, SAMPLE_RATE, samples=samples)
        gains = self.track.gains()
        for block in scratch.blocks(samples):
            song[block] += given[block] * gains
        return given.shape[1], notes

    def _read(self) -> np.ndarray:
        if isinstance(self.track.audio, np.ndarray):
            return np.asarray(self.track.audio, np.float32)
        return audio.read(self.track.audio)[0]


@dataclass(frozen=True)
class Source:
    """One given stem."""

    stem: str
    """Its type."""
    parts: tuple[_Part, ...]
    """Its tracks."""
    sample_rate: int
    """Of the mix to be, in Hz."""

    @cached_property
    def samples_given(self) -> int:
        """Length at the sample rate of the mix."""
        return max(_scaled(part.info, self.sample_rate) for part in self.parts)

    @cached_property
    def samples(self) -> int:
        """Length at 44.1 kHz."""
        return max(_scaled(part.info, SAMPLE_RATE) for part in self.parts)

    def read(self, samples: int, warm_up: int = 0) -> tuple[np.ndarray, tuple[str, ...]]:
        """The sum of the tracks at 44.1 kHz, (warm_up + samples, 2) float32, and notes.

        Args:
            samples: of the song; beyond the stem's end are zeros.
            warm_up: samples put before it: the stem's own end, repeated as often as needed.

        Returns:
            The audio, and what a user should know: what headers tell, and what only reading shows.

        Raises:
            FxNormError: a track is empty, not finite, or has more than two channels.
        """
        whole = scratch.empty((warm_up + samples, 2))
        for block in scratch.blocks(len(whole)):
            whole[block] = 0.0
        song, notes, widest = whole[warm_up:], list[str](), 1
        for part in self.parts:
            channels, found = part.add_to(song)
            notes += [*part.notes, *found]
            widest = max(widest, 2 if part.track.pan else channels)
        if widest == 1:
            notes.append(f"{self.stem}: mono, repeated on both channels")
        own, filled = song[: self.samples], warm_up
        if not any(part.track.pan for part in self.parts):
            notes += _notes_on_sides(self.stem, own)
        while filled > 0:
            count = min(filled, self.samples)
            whole[filled - count : filled] = own[self.samples - count :]
            filled -= count
        return whole, tuple(notes)


def _notes_on_sides(stem: str, stereo: np.ndarray) -> list[str]:
    """A warning of one silent channel: of a mono recording, more often than not."""
    peaks = [audio.peak(stereo[:, side]) for side in range(2)]
    if min(peaks) >= _ONE_SIDED * max(peaks):
        return []
    side = "left" if peaks[0] < peaks[1] else "right"
    return [f"{stem}: the {side} channel is silent; if that is not meant, give the other as mono"]


def open_stems(stems: Stems, sample_rate: int | None, types: Sequence[str]) -> list[Source]:
    """Sources, checked as far as that goes without reading audio.

    Args:
        stems: what is given, by stem type.
        sample_rate: of the arrays and of the mix, in Hz; None for the highest of the files'.
        types: stem types that can be mixed, in the order of the sources.

    Raises:
        FxNormError: see `tracks_of`; or an unknown stem type, a rate that no audio has, arrays
            without one, or a file that is missing or no audio.
    """
    tracks = tracks_of(stems)
    rate = _common_rate(tracks, sample_rate)
    unknown = set(tracks) - set(types)
    if unknown:
        raise FxNormError(f"unknown stem '{min(unknown)}'; use {', '.join(types)}")
    return [
        Source(stem, tuple(_open_track(stem, track, rate) for track in tracks[stem]), rate)
        for stem in types
        if stem in tracks
    ]


def length_notes(sources: Sequence[Source]) -> list[str]:
    """Warnings of tracks that are much shorter than the longest, with both lengths."""
    parts = [part for source in sources for part in source.parts]
    longest = max(parts, key=lambda part: part.info.duration_s)
    longest_s = longest.info.duration_s
    return [
        f"{part.name}: {part.info.duration_s:.1f} s long, {longest.name} {longest_s:.1f} s; silence"
        " follows it (export all tracks from one start to one end)"
        for part in parts
        if part.info.duration_s < _SHORT * longest_s
    ]


def stamp_notes(sources: Sequence[Source]) -> list[str]:
    """Warnings of tracks that began at other times by their time stamps, with both."""
    parts = [part for source in sources for part in source.parts]
    begun = {part.name: part.info.begins_s for part in parts if part.info.begins_s is not None}
    first = min(begun, key=lambda name: begun[name], default="")
    return [
        f"{name}: begins at {begins:.2f} s by its time stamp, {first} at {begun[first]:.2f} s; both"
        " are taken from their beginning (export all tracks from one start)"
        for name, begins in begun.items()
        if begins - begun[first] >= _STAMPS_S
    ]


def coding_notes(sources: Sequence[Source]) -> list[str]:
    """Warnings of files that coding has made later than others."""
    return audio.delay_notes({part.name: part.info.late_s for s in sources for part in s.parts})


def shared_notes(sources: Sequence[Source]) -> list[str]:
    """Warnings of files that are given for more than one stem, and of copies of a file."""
    stems: dict[str, list[str]] = {}
    for source in sources:
        for part in source.parts:
            if not isinstance(part.track.audio, np.ndarray):
                place = os.path.realpath(existing(part.name))
                stems.setdefault(place, []).append(source.stem)
    return [
        f"{place}: is given for {' and '.join(its)}, and counts in each"
        for place, its in stems.items()
        if len(its) > 1
    ] + [
        f"{copy}: is a copy of {place}, and both are in the mix; leave one out"
        for place, copy in _copies(stems)
    ]


def _copies(places: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of files of the same bytes."""
    seen: dict[int, list[str]] = {}
    for place in places:
        alike = seen.setdefault(os.path.getsize(place), [])
        first = next((other for other in alike if cmp(other, place, shallow=False)), None)
        if first is None:
            alike.append(place)
        else:
            yield first, place


def start_notes(starts_s: dict[str, float], song_s: float) -> list[str]:
    """Warnings of stems that begin to sound much later than the first, with both times.

    Args:
        starts_s: when each stem begins to sound; infinite for a silent one.
        song_s: length of the song in seconds.
    """
    first = min(starts_s, key=lambda stem: starts_s[stem])
    return [
        f"{stem}: begins to sound at {start:.1f} s, {first} at {starts_s[first]:.1f} s; if that is"
        " not meant, export all tracks from one start"
        for stem, start in starts_s.items()
        if max(_LATE_S, _LATE * song_s) < start - starts_s[first] < np.inf
    ]


def _common_rate(tracks: dict[str, tuple[Track, ...]], sample_rate: int | None) -> int:
    """The sample rate of the mix: the one given, or else the highest of the files'."""
    if sample_rate is not None:
        return audio.checked_rate(sample_rate)
    rates = []
    for track in (track for its_tracks in tracks.values() for track in its_tracks):
        if isinstance(track.audio, np.ndarray):
            raise FxNormError("stems that are arrays need their sample rate")
        rates.append(audio.info(track.audio).sample_rate)
    return max(rates)


def _open_track(stem: str, track: Track, sample_rate: int) -> _Part:
    if isinstance(track.audio, np.ndarray):
        channels = 1 if track.audio.ndim == 1 else track.audio.shape[1]
        info = audio.AudioInfo(len(track.audio), channels, sample_rate, "", lossy=False)
        return _Part(track, stem, info)
    name, info = os.fspath(track.audio), audio.info(track.audio)
    notes = [*info.notes]
    if info.sample_rate != sample_rate:
        notes.append(f"{name}: resampled from {info.sample_rate} Hz to {sample_rate} Hz")
    if info.lossy:
        notes.append(f"{name}: lossy coding; what it removed can't be brought back")
    return _Part(track, name, info, tuple(notes))


def _scaled(info: audio.AudioInfo, rate: int) -> int:
    """Samples at another rate."""
    return max(1, round(info.samples * rate / info.sample_rate))
