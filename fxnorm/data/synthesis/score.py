"""What a composed song consists of; times in seconds, pitches in MIDI numbers (69 = 440 Hz)."""

from dataclasses import dataclass

_KEYS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Note:
    """One note of an instrument; velocity 0 to 1."""

    start_s: float
    duration_s: float
    pitch: float
    velocity: float


@dataclass(frozen=True)
class Syllable(Note):
    """One sung note: a consonant ('' for none) before `start_s`, then a vowel."""

    vowel: str
    consonant: str


@dataclass(frozen=True)
class Hit:
    """One stroke on a drum or cymbal; velocity 0 to 1."""

    start_s: float
    drum: str
    velocity: float


@dataclass(frozen=True)
class Part:
    """What one instrument plays, and its role: bass, rhythm, layer or colour."""

    role: str
    instrument: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Chord:
    """A chord by the pitch class of its root (0 = C) and its tones above the root, in semitones."""

    root: int
    intervals: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """Consecutive bars of one kind: intro, verse, chorus, break or outro.

    `players` are those who play in it: lead, backing, drums, bass, rhythm, layer, colour.
    """

    kind: str
    first_bar: int
    bars: int
    players: frozenset[str]


@dataclass(frozen=True)
class DrumPattern:
    """Velocities of kick, snare and hi-hat on the sixteenths of two bars, (32,) each."""

    kick: tuple[float, ...]
    snare: tuple[float, ...]
    hat: tuple[float, ...]


@dataclass(frozen=True)
class Outline:
    """What tells one song from another: no two songs share tempo, chords or drum pattern."""

    style: str
    tempo_bpm: float
    key: int
    minor: bool
    chords: dict[str, tuple[Chord, ...]]
    pattern: DrumPattern
    duration_s: float

    @property
    def title(self) -> str:
        """Style, key and tempo, fit for a folder's name."""
        return f"{self.style}_{_KEYS[self.key]}{'m' * self.minor}_{self.tempo_bpm:.1f}bpm"


@dataclass(frozen=True)
class Composition:
    """A song ready to be played."""

    name: str
    outline: Outline
    sections: tuple[Section, ...]
    voice: str
    lead: tuple[Syllable, ...]
    double: tuple[Syllable, ...]
    backing: tuple[Syllable, ...]
    kit: str
    drums: tuple[Hit, ...]
    bass: Part
    accompaniment: tuple[Part, ...]
