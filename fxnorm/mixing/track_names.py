"""Which stem type a track belongs to, by its file's name."""

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePath

#: Words of file names by stem type, as engineers use them.
_WORDS = {
    "vocals": "vocals vocal vox voc vx voice voices singer choir bv bvs bgv bgvs adlib adlibs rap",
    "drums": "drums drum drm kick kik bd bass_drum snare snr sd hat hats hihat hh tom toms overhead"
    " overheads oh ohs cymbal cymbals ride crash perc percussion shaker tambourine tamb clap claps"
    " conga congas bongo bongos cowbell loop loops beat beats 808_drums",
    "bass": "bass bs sub subbass 808",
    "other": "other others guitar guitars gtr gtrs egtr egtrs agtr agtrs piano pianos epiano pno"
    " keys keyboard keyboards synth synths pad pads organ hammond rhodes wurli wurly strings string"
    " violin violins viola cello brass horn horns trumpet trumpets trombone sax saxophone flute"
    " clarinet harp banjo mandolin ukulele arp fx sfx accordion harmonica orchestra bells marimba",
}
#: Words of files that hold the whole song.
_MIXES = frozenset({"mixture", "mix", "mixdown", "master", "mastered"})

_BREAKS = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])|[^0-9a-zA-Z]+")


def stem_types_of(
    path: PurePath, types: Collection[str], ignored: Collection[str] = ()
) -> set[str]:
    """The stem types that a track's path speaks of.

    Words count, in the file's name before those of the folders around it; the longest phrase wins
    ("bass drum" is drums), a type's own name is a word as well, and instruments that are of no type
    of their own are `other`.

    Args:
        path: relative to the song's folder.
        types: stem types that can be mixed.
        ignored: words that count for nothing.

    Returns:
        One type where the name is clear, several where it is ambiguous, none where it says nothing.
    """
    for part in (path.stem, *reversed(path.parent.parts)):
        words = [word for word in words_of(part) if word not in ignored]
        if found := _types_of_words(words, types):
            return found
    return set()


def is_mix(path: PurePath) -> bool:
    """Whether a file's name says that it holds the whole song."""
    return any(word in _MIXES for word in words_of(path.stem))


def words_of(name: str) -> list[str]:
    """The words of a name, without accents, numbers and case."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = [word.lower() for word in _BREAKS.split(plain) if word]
    return [word for word in words if not word.isdigit() or word == "808"]


def _types_of_words(words: list[str], types: Collection[str]) -> set[str]:
    known = _phrases(types)
    longest = max((len(phrase) for phrase in known), default=1)
    found: set[str] = set()
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            phrase = tuple(words[at : at + length])
            if phrase in known:
                found.add(known[phrase])
                at += length
                break
        else:
            at += 1
    # "lead guitar vocals": an instrument beside a type of its own says less than that.
    return found - {"other"} if len(found) > 1 else found


def _phrases(types: Collection[str]) -> dict[tuple[str, ...], str]:
    phrases = {
        tuple(word.split("_")): stem
        for stem, words in _WORDS.items()
        if stem in types
        for word in words.split()
    }
    return phrases | {tuple(stem.split("_")): stem for stem in types}
