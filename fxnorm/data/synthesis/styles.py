"""The six bands that play the generated songs.

Instruments, playing techniques and voices recur within a style, so that what the engineer does
with them can be learned; tempo, key, chords, rhythm, form and melody are each song's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A band and its habits."""

    tempo_bpm: tuple[float, float]
    """Range."""
    minor: float
    """Probability of a minor key."""
    sevenths: bool
    """Whether chords have four tones."""
    swing: float
    """Delay of every second sixteenth, in sixteenths."""
    voices: tuple[str, ...]
    """Lead singers to choose from."""
    backing: bool
    """Whether the chorus has backing voices."""
    doubled: bool
    """Whether the lead is sung twice in the chorus."""
    kit: str
    """The drums."""
    kick: tuple[float, ...]
    """Probability of a kick on each sixteenth of a bar."""
    ghost_notes: float
    """Probability of a soft snare on each weak sixteenth."""
    hat_steps: int
    """Sixteenths between hi-hat strokes."""
    percussion: tuple[str, ...]
    """Hand percussion in the chorus, one drawn per song; '' for none."""
    bass: tuple[tuple[str, str], ...]
    """(instrument, rhythm) of the bass (see `arrangement`), one drawn per song."""
    rhythm: tuple[tuple[str, str], ...]
    """(instrument, pattern) of the accompaniment, one drawn per song."""
    layer: tuple[tuple[str, str], ...]
    """(instrument, pattern) that joins in the chorus, one drawn per song."""
    color: tuple[tuple[str, str], ...]
    """(instrument, pattern) that answers the singer or leads, one drawn per song."""
    intro: tuple[tuple[str, ...], ...]
    """Who plays in an intro or outro, one drawn per song."""
    verse: tuple[tuple[str, ...], ...]
    """Who accompanies the singer in the verse, one drawn per song."""
    pause: tuple[tuple[str, ...], ...]
    """Who plays in a break, one drawn per song."""
    syllable_steps: tuple[int, ...]
    """Lengths of sung notes in the verse, in sixteenths."""


STYLES = {
    "rock": Style(
        tempo_bpm=(112.0, 150.0),
        minor=0.6,
        sevenths=False,
        swing=0.0,
        voices=("tenor", "alto"),
        backing=False,
        doubled=True,
        kit="rock",
        kick=(1.0, 0.0, 0.2, 0.2, 0.0, 0.0, 0.5, 0.2, 0.8, 0.0, 0.5, 0.1, 0.0, 0.0, 0.4, 0.1),
        ghost_notes=0.05,
        hat_steps=2,
        percussion=("", "tambourine"),
        bass=(("picked_bass", "eighths"),),
        rhythm=(("distorted_guitar", "riff"), ("crunch_guitar", "strum")),
        layer=(("organ", "sustain"), ("clean_guitar", "arpeggio")),
        color=(("lead_guitar", "melody"),),
        intro=(("rhythm",), ("drums", "rhythm"), ("rhythm", "colour")),
        verse=(("drums", "bass", "rhythm"),),
        pause=(("lead", "rhythm"), ("lead", "drums", "bass"), ("rhythm", "colour")),
        syllable_steps=(2, 2, 4, 4, 6),
    ),
    "pop": Style(
        tempo_bpm=(96.0, 128.0),
        minor=0.5,
        sevenths=False,
        swing=0.0,
        voices=("soprano", "alto"),
        backing=True,
        doubled=True,
        kit="dry",
        kick=(1.0, 0.0, 0.0, 0.3, 0.3, 0.0, 0.4, 0.2, 0.8, 0.0, 0.4, 0.3, 0.2, 0.0, 0.2, 0.1),
        ghost_notes=0.0,
        hat_steps=2,
        percussion=("clap", "shaker", "tambourine"),
        bass=(("synth_bass", "eighths"), ("finger_bass", "groove")),
        rhythm=(("pluck", "arpeggio"), ("piano", "quarters"), ("clean_guitar", "chops")),
        layer=(("pad", "sustain"), ("strings", "sustain")),
        color=(("bells", "arpeggio"), ("synth_lead", "melody")),
        intro=(("rhythm",), ("rhythm", "colour"), ("layer",)),
        verse=(("drums", "bass", "rhythm"), ("drums", "rhythm")),
        pause=(("lead", "layer"), ("lead", "rhythm"), ("rhythm", "layer")),
        syllable_steps=(2, 2, 2, 3, 3, 4),
    ),
    "ballad": Style(
        tempo_bpm=(66.0, 88.0),
        minor=0.4,
        sevenths=False,
        swing=0.0,
        voices=("baritone", "alto"),
        backing=True,
        doubled=False,
        kit="soft",
        kick=(1.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.1, 0.7, 0.0, 0.3, 0.1, 0.0, 0.0, 0.2, 0.1),
        ghost_notes=0.05,
        hat_steps=2,
        percussion=("", "shaker"),
        bass=(("finger_bass", "halves"),),
        rhythm=(("piano", "arpeggio"), ("acoustic_guitar", "strum"), ("piano", "quarters")),
        layer=(("strings", "sustain"), ("pad", "sustain")),
        color=(("strings", "melody"), ("lead_guitar", "melody")),
        intro=(("rhythm",), ("rhythm", "layer")),
        verse=(("bass", "rhythm"), ("drums", "bass", "rhythm")),
        pause=(("lead", "rhythm"), ("rhythm", "colour")),
        syllable_steps=(2, 2, 3, 4),
    ),
    "soul": Style(
        tempo_bpm=(88.0, 112.0),
        minor=0.6,
        sevenths=True,
        swing=0.18,
        voices=("tenor", "soprano"),
        backing=True,
        doubled=False,
        kit="tight",
        kick=(1.0, 0.1, 0.1, 0.5, 0.0, 0.2, 0.4, 0.3, 0.3, 0.1, 0.8, 0.2, 0.0, 0.3, 0.2, 0.3),
        ghost_notes=0.3,
        hat_steps=1,
        percussion=("tambourine", "shaker"),
        bass=(("finger_bass", "groove"),),
        rhythm=(("electric_piano", "comp"), ("clean_guitar", "chops")),
        layer=(("organ", "sustain"), ("strings", "sustain")),
        color=(("brass", "stabs"),),
        intro=(("drums", "rhythm"), ("rhythm",), ("bass", "rhythm")),
        verse=(("drums", "bass", "rhythm"),),
        pause=(("drums", "colour"), ("lead", "layer"), ("lead", "bass", "rhythm")),
        syllable_steps=(1, 2, 2, 3, 4),
    ),
    "folk": Style(
        tempo_bpm=(84.0, 124.0),
        minor=0.3,
        sevenths=False,
        swing=0.0,
        voices=("baritone", "soprano"),
        backing=True,
        doubled=False,
        kit="brushes",
        kick=(1.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.1, 0.0, 0.9, 0.0, 0.1, 0.0, 0.1, 0.0, 0.1, 0.0),
        ghost_notes=0.15,
        hat_steps=4,
        percussion=("shaker", ""),
        bass=(("upright_bass", "halves"),),
        rhythm=(("acoustic_guitar", "strum"), ("nylon_guitar", "arpeggio")),
        layer=(("nylon_guitar", "arpeggio"), ("strings", "sustain")),
        color=(("flute", "melody"), ("bells", "arpeggio")),
        intro=(("rhythm",), ("rhythm", "colour")),
        verse=(("bass", "rhythm"), ("drums", "bass", "rhythm")),
        pause=(("lead", "rhythm"), ("rhythm", "colour")),
        syllable_steps=(2, 2, 2, 4),
    ),
    "electronic": Style(
        tempo_bpm=(112.0, 130.0),
        minor=0.8,
        sevenths=False,
        swing=0.0,
        voices=("alto", "soprano"),
        backing=False,
        doubled=True,
        kit="electronic",
        kick=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.1, 0.1),
        ghost_notes=0.0,
        hat_steps=2,
        percussion=("clap",),
        bass=(("sub_bass", "offbeats"), ("synth_bass", "sixteenths")),
        rhythm=(("pluck", "sixteenths"), ("synth_stab", "offbeats")),
        layer=(("pad", "sustain"),),
        color=(("synth_lead", "melody"), ("bells", "arpeggio")),
        intro=(("drums", "rhythm"), ("layer",), ("rhythm", "layer")),
        verse=(("drums", "bass", "rhythm"),),
        pause=(("lead", "layer"), ("lead", "rhythm"), ("rhythm", "layer")),
        syllable_steps=(2, 2, 4, 4),
    ),
}
