"""Which stem type a track belongs to, by its file's name."""

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePath

#: Words of file names by stem type, as engineers use them.
_WORDS = {
    "vocals": "vocals vocal vox voc vx voice voices singer choir bv bvs bgv bgvs bgs bvox adlib"
    " adlibs ad_lib ad_libs rap",
    "drums": "drums drum drm kick kik bd bass_drum bassdrum snare snr sd hat hats hihat hh tom toms"
    " overhead overheads ovhd ovhds oh ohs cymbal cymbals cym ride crash perc percussion shaker"
    " tambourine tamb clap claps conga congas bongo bongos cowbell djembe cajon 808_drums",
    "bass": "bass bs ebass contrabass sub subbass 808",
    "other": "other others guitar guitars gtr gtrs egtr egtrs agtr agtrs elgtr acgtr piano pianos"
    " epiano pno keys keyboard keyboards synth synths pad pads organ hammond rhodes wurli"
    " wurly strings string violin violins viola cello brass horn horns trumpet trumpets tpt"
    " trombone sax saxophone flute clarinet harp banjo mandolin ukulele arp fx sfx"
    " accordion tuba bassoon harmonica orchestra bells marimba",
}
#: Words that say something only where no other in the path does.
_WEAK_WORDS = {"drums": "loop loops beat beats"}
#: What is written together with a word that is known: OHL, SNARETOP, BASSDI, leadvox.
_BEFORE = ("lead", "ld", "main", "back", "backing", "bg", "synth")
_BEHIND = ("left", "right", "l", "r", "top", "bottom", "bot", "btm", "in", "out", "di", "amp")
#: Words that say what a file does not hold.
_DENIALS = frozenset({"no", "minus", "without", "instrumental", "karaoke"})
#: Words of files that hold the whole song.
_MIXES = frozenset({"mixture", "mix", "mixdown", "master", "mastered"})
#: Words of files that say how far a take was worked on, and nothing of what it is.
_STATES = (
    "dry wet raw norm normalized normalised processed unprocessed proc fx mix mixed master mastered"
    " clean print printed edit edited bounce bounced tuned copy old new final original orig backup"
)

_BREAKS = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])|[^0-9a-zA-Z]+"
)


def stem_types_of(
    path: PurePath, types: Collection[str], ignored: Collection[str] = ()
) -> set[str]:
    """The stem types that a track's path speaks of.

    Words count, in the file's name before those of the folders around it; the longest phrase wins
    ("bass drum" is drums), a type's own name is a word as well, and instruments that are of no type
    of their own are `other`. A name that denies ("no vocals") speaks of all the other types.

    Args:
        path: relative to the song's folder.
        types: stem types that can be mixed.
        ignored: words that count for nothing.

    Returns:
        One type where the name is clear, several where it is ambiguous, none where it says nothing.
    """
    for phrases in (_phrases(types), _phrases_of(_WEAK_WORDS, types)):
        for part in (path.stem, *reversed(path.parent.parts)):
            words = words_of(part)
            counting = [word for word in words if word not in ignored]
            if found := _numbered_types(part, types) or _types_of_words(counting, phrases):
                return set(types) - found if _DENIALS.intersection(words) else found
    return set()


def is_mix(path: PurePath) -> bool:
    """Whether a file's name says that it holds the whole song."""
    return any(word in _MIXES for word in words_of(path.stem))


def take_of(path: PurePath) -> tuple[str, ...]:
    """The words and numbers of a path that tell a take from others, in whatever state it is."""
    words = _words_and_numbers(str(path.with_suffix("")))
    return tuple(word for word in words if word not in _STATES.split())


def words_of(name: str) -> list[str]:
    """The words of a name, without accents, numbers and case."""
    return [word for word in _words_and_numbers(name) if not word.isdigit() or word == "808"]


def _words_and_numbers(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [word.lower() for word in _BREAKS.split(plain) if word]


def _numbered_types(name: str, types: Collection[str]) -> set[str]:
    """The types with a number in their own names, such as guitar2, that a name holds with it."""
    words, found = _words_and_numbers(name), set()
    for stem in types:
        own = _words_and_numbers(stem)
        places = range(len(words) if own != words_of(stem) else 0)
        if any(words[at : at + len(own)] == own for at in places):
            found.add(stem)
    return found


def _types_of_words(words: list[str], phrases: dict[tuple[str, ...], str]) -> set[str]:
    words = [_bare(word, phrases) for word in words]
    longest = max((len(phrase) for phrase in phrases), default=1)
    found: set[str] = set()
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            phrase = tuple(words[at : at + length])
            if phrase in phrases:
                found.add(phrases[phrase])
                at += length
                break
        else:
            at += 1
    # "lead guitar vocals": an instrument beside a type of its own says less than that.
    return found - {"other"} if len(found) > 1 else found


def _bare(word: str, phrases: dict[tuple[str, ...], str]) -> str:
    """A word without what is written together with it, where a known one is left."""
    if (word,) in phrases:
        return word
    left = [word.removeprefix(part) for part in _BEFORE]
    left += [word.removesuffix(part) for part in _BEHIND]
    return next((known for known in left if (known,) in phrases), word)


def _phrases(types: Collection[str]) -> dict[tuple[str, ...], str]:
    return _phrases_of(_WORDS, types) | {tuple(stem.split("_")): stem for stem in types}


def _phrases_of(table: dict[str, str], types: Collection[str]) -> dict[tuple[str, ...], str]:
    return {
        tuple(word.split("_")): stem
        for stem, words in table.items()
        if stem in types
        for word in words.split()
    }
