"""Composing songs: tempo, key, chords, sections, then every part."""

from collections.abc import Sequence

import numpy as np

from fxnorm.data.synthesis import arrangement
from fxnorm.data.synthesis.harmony import progression
from fxnorm.data.synthesis.melody import backing_voices, lead_melody
from fxnorm.data.synthesis.score import Composition, Outline, Section
from fxnorm.data.synthesis.styles import STYLES, Style
from fxnorm.errors import FxNormError
from fxnorm.seeds import generator

#: Time after the last bar in which the final chord rings out.
_RING_OUT_S = 1.6
_ATTEMPTS = 500
#: Sections in order; intros, breaks and outros last about as long as this.
_FORMS: tuple[Sequence[str], ...] = (
    ("intro", "verse", "chorus"),
    ("verse", "break", "chorus"),
    ("intro", "verse", "break", "chorus"),
    ("verse", "chorus", "break", "chorus"),
    ("intro", "verse", "chorus", "outro"),
)
_SPARSE_S = 2.6
_EVERYONE = ("lead", "backing", "drums", "bass", "rhythm", "layer", "colour")


def compose(
    counts: dict[str, int], duration_s: tuple[float, float], seed: int
) -> dict[str, list[Composition]]:
    """Compose all songs of a data set; no two share tempo, chords or drum pattern.

    A song depends on the seed, its partition and its number, and on earlier songs only where it
    would repeat one of them.

    Args:
        counts: number of songs per partition.
        duration_s: shortest and longest.
        seed: the data set's.

    Returns:
        The songs of each partition, in the order of their names.

    Raises:
        FxNormError: more songs than there are different ones to be found.
    """
    used: set[object] = set()
    return {
        partition: [_song(partition, index, duration_s, seed, used) for index in range(count)]
        for partition, count in counts.items()
    }


def _song(
    partition: str, index: int, duration_s: tuple[float, float], seed: int, used: set[object]
) -> Composition:
    # Styles take turns, so that every partition, also a small one, holds them all.
    style = list(STYLES)[index % len(STYLES)]
    for attempt in range(_ATTEMPTS):
        random = generator(seed, "song", partition, index, attempt)
        outline = _outline(style, duration_s, random)
        marks = {outline.tempo_bpm, *outline.chords.values(), outline.pattern}
        if not marks & used:
            used |= marks
            return _arrange(f"{index + 1:03d}_{outline.title}", outline, random)
    raise FxNormError(
        f"synthesis: found no {style} song unlike the {len(used) // 4} before it; ask for fewer"
    )


def _outline(
    style_name: str, duration_s: tuple[float, float], random: np.random.Generator
) -> Outline:
    style = STYLES[style_name]
    key = int(random.integers(12))
    minor = bool(random.random() < style.minor)
    # The verse starts on the tonic, the chorus on the sixth (major: vi, minor: VI) degree.
    chords = {
        kind: progression(key, minor, style.sevenths, start, random)
        for kind, start in (("verse", 0), ("chorus", 5))
    }
    tempo_bpm = round(float(random.uniform(*style.tempo_bpm)), 1)
    return Outline(
        style=style_name,
        tempo_bpm=tempo_bpm,
        key=key,
        minor=minor,
        chords=chords,
        pattern=arrangement.drum_pattern(style, random),
        duration_s=_whole_bars_s(float(random.uniform(*duration_s)), duration_s[0], tempo_bpm),
    )


def _whole_bars_s(longest_s: float, shortest_s: float, tempo_bpm: float) -> float:
    """Duration of as many bars as fit and the last chord's ringing."""
    bar_s = 240.0 / tempo_bpm
    bars = int((longest_s - _RING_OUT_S) / bar_s)
    return max(shortest_s, round(bars * bar_s + _RING_OUT_S, 2))


def _arrange(name: str, outline: Outline, random: np.random.Generator) -> Composition:
    style = STYLES[outline.style]
    sections = _sections(outline, style, random)
    grid = arrangement.Grid(outline, sections, style.swing)
    voice = str(random.choice(style.voices))
    lead = lead_melody(grid, voice, style, random)
    chorus = grid.choruses()
    return Composition(
        name=name,
        outline=outline,
        sections=sections,
        voice=voice,
        lead=lead,
        double=tuple(s for s in lead if grid.within(s.start_s, chorus)) if style.doubled else (),
        backing=backing_voices(lead, grid) if style.backing else (),
        kit=style.kit,
        drums=arrangement.drum_hits(grid, style, random),
        bass=arrangement.bass_line(grid, style, random),
        accompaniment=arrangement.accompaniment(grid, style, random),
    )


def _sections(outline: Outline, style: Style, random: np.random.Generator) -> tuple[Section, ...]:
    """A form that fits: sparse sections of a few seconds, the rest half verse, half chorus."""
    bar_s = 240.0 / outline.tempo_bpm
    bars = max(1, int((outline.duration_s - _RING_OUT_S) / bar_s + 0.01))
    sparse = max(1, round(_SPARSE_S / bar_s))
    form = _FORMS[int(random.integers(len(_FORMS)))]
    full = [kind for kind in form if kind in ("verse", "chorus")]
    spare = bars - sparse * (len(form) - len(full))
    if spare < 2 * len(full):
        form = full = ["verse", "chorus"] if bars > 1 else ["chorus"]
        spare = bars
    if len(form) == 2 and bars >= 5:
        form, spare = ["intro", *form], spare - 1
        sparse = 1
    # The chorus gets what is left over.
    shares = dict.fromkeys(full, spare // len(full)) | {"chorus": 0}
    choruses = full.count("chorus")
    shares["chorus"] = (spare - (len(full) - choruses) * shares.get("verse", 0)) // choruses
    players = {
        "intro": frozenset(_chosen(style.intro, random)),
        "verse": frozenset(_chosen(style.verse, random)) | {"lead"},
        "break": frozenset(_chosen(style.pause, random)),
        "chorus": frozenset(_EVERYONE),
    }
    players["outro"] = players["intro"]
    sections, first = [], 0
    for kind in form:
        length = shares.get(kind, sparse)
        sections.append(Section(kind, first, length, players[kind]))
        first += length
    return tuple(sections)


def _chosen(choices: tuple[tuple[str, ...], ...], random: np.random.Generator) -> tuple[str, ...]:
    return choices[int(random.integers(len(choices)))]
