"""The sung lead: phrases of syllables over the chords, and the voices behind it."""

import bisect
from dataclasses import replace

import numpy as np

from fxnorm.data.synthesis.arrangement import STEPS_PER_BAR, Grid
from fxnorm.data.synthesis.harmony import scale
from fxnorm.data.synthesis.score import Chord, Syllable
from fxnorm.data.synthesis.styles import Style

#: Middle of each voice's verse range (MIDI).
_CENTRES = {"baritone": 51.0, "tenor": 57.0, "alto": 62.0, "soprano": 67.0}
_VOWELS = ("a", "e", "i", "o", "u")
_CONSONANTS = ("", "s", "t", "k", "p", "m", "n", "l", "f", "")
#: A phrase spans two bars and ends early enough to take a breath.
_PHRASE_BARS = 2
_PHRASE_END = 28
_CHORUS_STEPS = (2, 4, 4, 6)


def lead_melody(
    grid: Grid, voice: str, style: Style, random: np.random.Generator
) -> tuple[Syllable, ...]:
    """A melody for verse and chorus; each section repeats the rhythm of its first phrase."""
    notes = _scale_pitches(grid)
    chords = {bar: chord for bar, _, chord in grid.each_bar()}
    syllables: list[Syllable] = []
    position = 0
    for section in grid.sections:
        if "lead" not in section.players:
            continue
        chorus = section.kind == "chorus"
        rhythm = _rhythm(_CHORUS_STEPS if chorus else style.syllable_steps, random)
        centre = bisect.bisect(notes, _CENTRES[voice]) + (3 if chorus else 0)
        position = centre
        syllables_of_section = 0
        for first in range(section.first_bar, section.first_bar + section.bars, _PHRASE_BARS):
            room = STEPS_PER_BAR * (section.first_bar + section.bars - first)
            for step, length in rhythm:
                if step + length > room:
                    continue
                position = _next(position, centre, random)
                if step % 8 == 0 or length >= 4:
                    position = _snap(position, notes, chords[first + step // STEPS_PER_BAR])
                syllables.append(
                    Syllable(
                        start_s=grid.time_s(first, step),
                        duration_s=0.93 * length * grid.step_s,
                        pitch=float(notes[position]),
                        velocity=(0.85 if chorus else 0.8)
                        * _stress(chorus and not syllables_of_section, random),
                        vowel=str(random.choice(_VOWELS)),
                        consonant=str(random.choice(_CONSONANTS)),
                    )
                )
                syllables_of_section += 1
    if "lead" in grid.final_players():
        position = _snap(position, notes, grid.final_chord())
        syllables.append(
            Syllable(grid.end_s(), 10 * grid.step_s, float(notes[position]), 0.6, "a", "")
        )
    return tuple(syllables)


def backing_voices(lead: tuple[Syllable, ...], grid: Grid) -> tuple[Syllable, ...]:
    """The chorus's long notes again, two scale steps higher."""
    notes = _scale_pitches(grid)
    chorus = grid.choruses()
    return tuple(
        replace(syllable, pitch=float(notes[notes.index(int(syllable.pitch)) + 2]), consonant="")
        for syllable in lead
        if grid.within(syllable.start_s, chorus) and syllable.duration_s > 2.5 * grid.step_s
    )


def _scale_pitches(grid: Grid) -> list[int]:
    classes = {tone % 12 for tone in scale(grid.outline.key, grid.outline.minor)}
    return [pitch for pitch in range(36, 97) if pitch % 12 in classes]


def _rhythm(lengths: tuple[int, ...], random: np.random.Generator) -> list[tuple[int, int]]:
    """(step, length) of a phrase's syllables, in sixteenths."""
    step = int(random.choice((0, 0, 2, 4)))
    rhythm = []
    while step < _PHRASE_END:
        length = min(int(random.choice(lengths)), _PHRASE_END + 2 - step)
        rhythm.append((step, length))
        step += length
        if random.random() < 0.12:
            step += 2
    return rhythm


def _stress(arrival: bool, random: np.random.Generator) -> float:
    """Strength of a syllable: now and then, and where a chorus begins, one is belted out."""
    belted = random.random() < 0.02
    even = float(random.uniform(0.42, 0.8))
    return 1.15 if belted or arrival else even


def _next(position: int, centre: int, random: np.random.Generator) -> int:
    """A small interval up or down, drawn back towards the middle of the range."""
    pull = -np.sign(position - centre) * (abs(position - centre) > 3)
    return position + int(random.choice((-2, -1, -1, 0, 1, 1, 2)) + pull)


def _snap(position: int, notes: list[int], chord: Chord) -> int:
    """The nearest position that is a chord tone."""
    classes = {(chord.root + interval) % 12 for interval in chord.intervals}
    return min(
        (p for p in range(position - 4, position + 5) if notes[p] % 12 in classes),
        key=lambda candidate: (abs(candidate - position), candidate),
    )
