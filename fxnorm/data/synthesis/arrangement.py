"""What drums, bass and accompaniment play over a song's chords."""

from collections.abc import Iterator, Sequence

import numpy as np

from fxnorm.data.synthesis.harmony import nearest_pitch, voicing
from fxnorm.data.synthesis.score import Chord, DrumPattern, Hit, Note, Outline, Part, Section
from fxnorm.data.synthesis.styles import Style

STEPS_PER_BAR = 16

#: How loud each kind of section is played.
_DYNAMICS = {"intro": 0.8, "verse": 0.86, "break": 0.8, "chorus": 0.98, "outro": 0.8}
#: Players are this early or late (standard deviation).
_TIMING_S = 0.004
#: Share of strokes that are accents.
_ACCENTS = 0.015
#: Velocities of hand percussion over half a bar.
_PERCUSSION = {
    "tambourine": (0.5, 0.0, 0.4, 0.0, 0.9, 0.0, 0.4, 0.0),
    "shaker": (0.8, 0.4, 0.6, 0.4, 0.8, 0.4, 0.6, 0.4),
    "clap": (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
}
#: Lowest pitch of a bass line: the low E of a bass.
_BASS_LOWEST = 28
#: Where each instrument plays (MIDI), and how many tones its chords have.
_REGISTERS = {
    "distorted_guitar": (50.0, 3),
    "clean_guitar": (64.0, 3),
    "acoustic_guitar": (57.0, 5),
    "piano": (62.0, 4),
    "electric_piano": (62.0, 4),
    "organ": (65.0, 3),
    "strings": (67.0, 4),
    "pad": (64.0, 4),
    "pluck": (71.0, 4),
    "crunch_guitar": (54.0, 4),
    "lead_guitar": (72.0, 1),
    "nylon_guitar": (60.0, 4),
    "brass": (62.0, 3),
    "flute": (79.0, 1),
    "bells": (79.0, 3),
    "synth_lead": (74.0, 1),
    "synth_stab": (64.0, 4),
}
#: Instruments whose chords stand on their root, and how far below their centre it lies.
_WITH_ROOT = ("distorted_guitar", "crunch_guitar", "acoustic_guitar", "nylon_guitar", "piano",
              "electric_piano", "organ", "strings", "pad")  # fmt: skip
_ROOT_BELOW = 14.0
#: A melody of the colour: scale steps are drawn from these lengths in sixteenths.
_MELODY_STEPS = (2, 4, 4, 6, 8)


class Grid:
    """Bars and sixteenths of a song in seconds."""

    def __init__(self, outline: Outline, sections: Sequence[Section], swing: float) -> None:
        self.outline = outline
        self.sections = tuple(sections)
        self.bars = sections[-1].first_bar + sections[-1].bars
        self.step_s = 15.0 / outline.tempo_bpm
        self._swing = swing

    def time_s(self, bar: int, step: float) -> float:
        """When a sixteenth of a bar sounds; `step` may run on into later bars."""
        late = self._swing if int(step) % 2 else 0.0
        return (bar * STEPS_PER_BAR + step + late) * self.step_s

    def end_s(self) -> float:
        """When the last bar ends and the final chord is struck."""
        return self.time_s(self.bars, 0)

    def each_bar(self) -> Iterator[tuple[int, Section, Chord]]:
        """(bar, its section, its chord) in order."""
        for section in self.sections:
            chords = self.outline.chords["chorus" if section.kind == "chorus" else "verse"]
            for offset in range(section.bars):
                yield section.first_bar + offset, section, chords[offset % len(chords)]

    def choruses(self) -> list[tuple[float, float]]:
        """Start and end of each in seconds, from a sixteenth before."""
        return [
            (self.time_s(s.first_bar, -1), self.time_s(s.first_bar + s.bars, -1))
            for s in self.sections
            if s.kind == "chorus"
        ]

    @staticmethod
    def within(time_s: float, spans: list[tuple[float, float]]) -> bool:
        """Whether a time lies in one of the spans."""
        return any(start <= time_s < end for start, end in spans)

    def final_players(self) -> frozenset[str]:
        """Who plays in the last section, and so the final chord."""
        return self.sections[-1].players

    def final_chord(self) -> Chord:
        """The chord to end on: the verse's first, the tonic."""
        return self.outline.chords["verse"][0]


def drum_pattern(style: Style, random: np.random.Generator) -> DrumPattern:
    """Two bars for kick, snare and hi-hat after a style's probabilities."""
    steps = np.arange(2 * STEPS_PER_BAR)
    kick = random.random(steps.size) < np.tile(style.kick, 2)
    backbeat = steps % 8 == 4
    ghosts = (steps % 2 == 1) & (random.random(steps.size) < style.ghost_notes)
    hats = (steps % style.hat_steps == 0) & (random.random(steps.size) > 0.06)
    accents = np.where(steps % 4 == 0, 1.0, np.where(steps % 2 == 0, 0.75, 0.5))
    return DrumPattern(
        kick=tuple(np.round(kick * (0.8 + 0.2 * (steps % 8 == 0)), 2)),
        snare=tuple(np.round(np.where(backbeat, 1.0, 0.22 * ghosts), 2)),
        hat=tuple(np.round(hats * accents * random.uniform(0.8, 1.0, steps.size), 2)),
    )


def drum_hits(grid: Grid, style: Style, random: np.random.Generator) -> tuple[Hit, ...]:
    """The pattern, louder and opener in the chorus, with fills and cymbals between sections."""
    pattern = grid.outline.pattern
    percussion = str(random.choice(style.percussion))
    hits = []
    for bar, section, _ in grid.each_bar():
        if "drums" not in section.players:
            continue
        level = _DYNAMICS[section.kind]
        sparse = section.kind in ("intro", "break", "outro")
        last = bar == section.first_bar + section.bars - 1
        fill_from = 12 if last and section.bars > 1 else STEPS_PER_BAR
        if bar == section.first_bar and section.kind == "chorus":
            hits.append(Hit(grid.time_s(bar, 0), "crash", level))
        for step in range(STEPS_PER_BAR):
            index = (bar % 2) * STEPS_PER_BAR + step
            start_s = max(0.0, grid.time_s(bar, step) + _TIMING_S / 2 * random.standard_normal())
            cymbal = _cymbal_name(section.kind, step)
            strokes = {"kick": pattern.kick[index], cymbal: 0.8 * pattern.hat[index]}
            if not sparse:
                strokes["snare"] = pattern.snare[index]
            if percussion and section.kind == "chorus":
                strokes[percussion] = _PERCUSSION[percussion][step % 8]
            if step >= fill_from:
                strokes = {("high_tom", "low_tom")[step >= 14]: 0.7 + 0.08 * (step - 12)}
            for drum, velocity in strokes.items():
                if velocity:
                    arrival = _arrives(section, bar, step)
                    humanized = level * velocity * _accent(arrival, random)
                    hits.append(Hit(start_s, drum, float(humanized)))
    if "drums" in grid.final_players():
        hits += [Hit(grid.end_s(), drum, 0.9) for drum in ("kick", "crash")]
    return tuple(hits)


def bass_line(grid: Grid, style: Style, random: np.random.Generator) -> Part:
    """Roots, fifths and octaves in the style's rhythm."""
    instrument, rhythm = style.bass[int(random.integers(len(style.bass)))]
    notes = []
    for bar, section, chord in grid.each_bar():
        if "bass" not in section.players:
            continue
        root = _bass_pitch(chord)
        level = _DYNAMICS[section.kind]
        for step, length in _bass_rhythm(rhythm, bar, grid.outline.pattern, random):
            interval = 0 if step == 0 else int(random.choice((0, 0, 0, 7, 12)))
            strength = level * _accent(_arrives(section, bar, step), random)
            notes.append(_note(grid, bar, step, 0.92 * length, root + interval, strength, random))
    if "bass" in grid.final_players():
        root = _bass_pitch(grid.final_chord())
        notes.append(_note(grid, grid.bars, 0, 12, root, 0.6, random))
    return Part("bass", instrument, tuple(notes))


def accompaniment(grid: Grid, style: Style, random: np.random.Generator) -> tuple[Part, ...]:
    """The rhythm instrument, one that joins in the chorus, and one that leads or answers."""
    parts = []
    for role, choices in (
        ("rhythm", style.rhythm),
        ("layer", style.layer),
        ("colour", style.color),
    ):
        instrument, pattern = choices[int(random.integers(len(choices)))]
        centre, tones = _REGISTERS[instrument]
        notes: list[Note] = []
        for bar, section, chord in grid.each_bar():
            if role not in section.players:
                continue
            pitches = voicing(chord, centre, max(3, tones))
            if instrument in _WITH_ROOT:
                pitches = (nearest_pitch(chord.root, centre - _ROOT_BELOW), *pitches)
            for step, length, chosen, accent in _figure(pattern, section.kind, pitches, random):
                arrival = _arrives(section, bar, step)
                level = accent * _DYNAMICS[section.kind] * _accent(arrival, random)
                notes += [
                    _note(grid, bar, step + 0.08 * order * (pattern == "strum"), length, pitch,
                          level, random)
                    for order, pitch in enumerate(chosen)
                ]  # fmt: skip
        if role in grid.final_players() and role != "colour":
            final = voicing(grid.final_chord(), centre, tones)
            notes += [_note(grid, grid.bars, 0, 12, pitch, 0.6, random) for pitch in final]
        if notes:
            parts.append(Part(role, instrument, tuple(notes)))
    return tuple(parts)


def _figure(
    pattern: str, kind: str, pitches: tuple[int, ...], random: np.random.Generator
) -> list[tuple[int, float, tuple[int, ...], float]]:
    """(step, length in steps, pitches, accent) of one bar of an accompaniment pattern."""
    if pattern == "sustain":
        return [(0, 15.8, pitches, 0.8)]
    if pattern == "quarters":
        return [(step, 3.4, pitches, 1.0 if step % 8 == 0 else 0.85) for step in (0, 4, 8, 12)]
    if pattern == "riff" and kind != "chorus":
        # Palm-muted eighths on the root.
        return [(step, 1.1, pitches[:2], 0.8) for step in range(0, 16, 2)]
    if pattern == "riff":
        return [(step, length, pitches, 1.0) for step, length in ((0, 5.8), (6, 3.8), (10, 5.8))]
    if pattern == "strum":
        strokes = ((0, 1.0), (4, 0.8), (6, 0.6), (10, 0.7), (12, 0.85), (14, 0.6))
        return [
            (step, 4.0, pitches if step % 4 == 0 else pitches[-3:], accent)
            for step, accent in strokes
        ]
    if pattern == "chops":
        steps = [4, 12] + [step for step in (2, 6, 7, 10, 14, 15) if random.random() < 0.4]
        return [(step, 0.9, pitches, 0.8) for step in sorted(steps)]
    if pattern == "melody":
        # Chord tones, one at a time, with rests.
        figure: list[tuple[int, float, tuple[int, ...], float]] = []
        step = int(random.choice((0, 2, 4)))
        while step < STEPS_PER_BAR - 1:
            length = int(random.choice(_MELODY_STEPS))
            if random.random() < 0.8:
                figure.append((step, 0.95 * length, (int(random.choice(pitches)),), 0.9))
            step += length
        return figure
    if pattern == "stabs":
        steps = [step for step in (0, 3, 6, 10, 12, 14) if random.random() < 0.4]
        return [(step, 1.6, pitches, 0.95) for step in steps]
    if pattern == "offbeats":
        return [(step, 1.8, pitches, 0.9) for step in (2, 6, 10, 14)]
    if pattern == "sixteenths":
        return [
            (step, 1.0, (pitches[(3 * step) % len(pitches)],), 1.0 if step % 4 == 0 else 0.75)
            for step in range(STEPS_PER_BAR)
        ]
    if pattern == "comp":
        steps = [0] + [step for step in (3, 6, 7, 10, 11, 14) if random.random() < 0.45]
        ends = [*steps[1:], STEPS_PER_BAR]
        return [
            (step, 0.85 * (end - step), pitches, 0.95 if step == 0 else 0.8)
            for step, end in zip(steps, ends, strict=True)
        ]
    # Arpeggio: up and down the chord in eighths, with the lowest tone held below.
    order = [*range(len(pitches)), *range(len(pitches) - 2, 0, -1)]
    return [
        (2 * index, 3.5, (pitches[order[index % len(order)]],), 1.0 if index % 4 == 0 else 0.8)
        for index in range(8)
    ]


def _bass_pitch(chord: Chord) -> int:
    root = nearest_pitch(chord.root, _BASS_LOWEST + 6)
    return root + 12 if root < _BASS_LOWEST else root


def _bass_rhythm(
    rhythm: str, bar: int, pattern: DrumPattern, random: np.random.Generator
) -> list[tuple[int, int]]:
    """(step, length in steps) of one bar."""
    if rhythm == "eighths":
        return [(step, 2) for step in range(0, 16, 2)]
    if rhythm == "sixteenths":
        return [(step, 1) for step in range(16) if step % 4]
    if rhythm == "offbeats":
        return [(0, 2), *((step, 2) for step in (2, 6, 10, 14))]
    if rhythm == "halves":
        steps = [0, 8] if random.random() < 0.6 else [0, 6, 8]
    else:
        # The groove follows the kick.
        kicks = pattern.kick[(bar % 2) * STEPS_PER_BAR :][:STEPS_PER_BAR]
        steps = [0] + [step for step in range(2, 16) if kicks[step] or random.random() < 0.12]
    ends = [*steps[1:], STEPS_PER_BAR]
    return [(step, end - step) for step, end in zip(steps, ends, strict=True)]


def _cymbal_name(kind: str, step: int) -> str:
    if kind == "chorus":
        return "ride" if step % 4 == 0 else "hat"
    return "open_hat" if kind == "verse" and step == 14 else "hat"


def _accent(arrival: bool, random: np.random.Generator) -> float:
    """Strength of a stroke: even, but for rare accents and the moment a chorus arrives."""
    accented = random.random() < _ACCENTS
    even = float(random.uniform(0.46, 0.56))
    return 1.0 if accented or arrival else even


def _arrives(section: Section, bar: int, step: int) -> bool:
    return section.kind == "chorus" and bar == section.first_bar and step == 0


def _note(
    grid: Grid,
    bar: int,
    step: float,
    length: float,
    pitch: int,
    level: float,
    random: np.random.Generator,
) -> Note:
    """A note with a player's deviations in time and strength."""
    start_s = grid.time_s(bar, step) + _TIMING_S * float(random.standard_normal())
    velocity = min(1.0, level * float(random.uniform(0.95, 1.05)))
    return Note(max(0.0, start_s), length * grid.step_s, pitch, velocity)
