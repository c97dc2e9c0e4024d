"""The four bands that play the generated songs.

Instruments, playing techniques and voices recur within a style, so that what the engineer does
with them can be learned; tempo, key, chords, rhythm and melody are each song's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A band and its habits.

    Attributes:
        tempo_bpm: range.
        minor: probability of a minor key.
        sevenths: whether chords have four tones.
        swing: delay of every second sixteenth, in sixteenths.
        voices: lead singers to choose from.
        backing: whether the chorus has backing voices.
        kit: the drums.
        kick: probability of a kick on each sixteenth of a bar.
        ghost_notes: probability of a soft snare on each weak sixteenth.
        hat_steps: sixteenths between hi-hat strokes.
        bass: instrument and rhythm of the bass (see `arrangement`).
        rhythm: (instrument, pattern) of the accompaniment, one drawn per song.
        layer: (instrument, pattern) that joins in the chorus, one drawn per song.
        syllable_steps: lengths of sung notes in the verse, in sixteenths.
    """

    tempo_bpm: tuple[float, float]
    minor: float
    sevenths: bool
    swing: float
    voices: tuple[str, ...]
    backing: bool
    kit: str
    kick: tuple[float, ...]
    ghost_notes: float
    hat_steps: int
    bass: tuple[str, str]
    rhythm: tuple[tuple[str, str], ...]
    layer: tuple[tuple[str, str], ...]
    syllable_steps: tuple[int, ...]


STYLES = {
    "rock": Style(
        tempo_bpm=(112.0, 150.0),
        minor=0.6,
        sevenths=False,
        swing=0.0,
        voices=("tenor", "alto"),
        backing=False,
        kit="rock",
        kick=(1.0, 0.0, 0.2, 0.2, 0.0, 0.0, 0.5, 0.2, 0.8, 0.0, 0.5, 0.1, 0.0, 0.0, 0.4, 0.1),
        ghost_notes=0.05,
        hat_steps=2,
        bass=("picked_bass", "eighths"),
        rhythm=(("distorted_guitar", "riff"),),
        layer=(("organ", "sustain"), ("clean_guitar", "arpeggio")),
        syllable_steps=(2, 2, 4, 4, 6),
    ),
    "pop": Style(
        tempo_bpm=(96.0, 128.0),
        minor=0.5,
        sevenths=False,
        swing=0.0,
        voices=("soprano", "alto"),
        backing=True,
        kit="electronic",
        kick=(1.0, 0.0, 0.0, 0.3, 0.9, 0.0, 0.2, 0.1, 1.0, 0.0, 0.2, 0.3, 0.9, 0.0, 0.2, 0.1),
        ghost_notes=0.0,
        hat_steps=2,
        bass=("synth_bass", "offbeats"),
        rhythm=(("pluck", "arpeggio"), ("piano", "quarters")),
        layer=(("pad", "sustain"),),
        syllable_steps=(2, 2, 2, 3, 3, 4),
    ),
    "ballad": Style(
        tempo_bpm=(66.0, 88.0),
        minor=0.4,
        sevenths=False,
        swing=0.0,
        voices=("baritone", "alto"),
        backing=False,
        kit="soft",
        kick=(1.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.1, 0.7, 0.0, 0.3, 0.1, 0.0, 0.0, 0.2, 0.1),
        ghost_notes=0.05,
        hat_steps=2,
        bass=("finger_bass", "halves"),
        rhythm=(("piano", "arpeggio"), ("acoustic_guitar", "strum")),
        layer=(("strings", "sustain"),),
        syllable_steps=(2, 2, 3, 4),
    ),
    "soul": Style(
        tempo_bpm=(88.0, 112.0),
        minor=0.6,
        sevenths=True,
        swing=0.18,
        voices=("tenor", "soprano"),
        backing=True,
        kit="tight",
        kick=(1.0, 0.1, 0.1, 0.5, 0.0, 0.2, 0.4, 0.3, 0.3, 0.1, 0.8, 0.2, 0.0, 0.3, 0.2, 0.3),
        ghost_notes=0.3,
        hat_steps=1,
        bass=("finger_bass", "groove"),
        rhythm=(("electric_piano", "comp"),),
        layer=(("clean_guitar", "chops"), ("organ", "sustain")),
        syllable_steps=(1, 2, 2, 3, 4),
    ),
}
