"""Bass and accompaniment instruments: from a part's notes to its raw recording."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy

from fxnorm.audio import from_db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.oscillators import (
    decaying_partials,
    decaying_sines,
    envelope,
    frequency_hz,
    periodic_tone,
    sample_count,
)
from fxnorm.data.synthesis.score import Note, Part
from fxnorm.effects import high_pass, low_pass, peaking

_HARMONICS = np.arange(1, 65)
#: Longest tone of a string, and of the noise of striking it.
_LONGEST_S = 2.5
_KNOCK_S = 0.05


@dataclass(frozen=True)
class _Sound:
    """How an instrument sounds."""

    tone: Callable[[Note, np.random.Generator], np.ndarray]
    """(note, random) → mono note, its release included."""
    spread: float = 0.0
    """How far a close pair of microphones pulls its pitches apart, 0 to 1 (low left, high right); 0
    for one microphone or a cable."""
    intonation: float = 0.0
    """How far its pitches miss their notes, in cents (standard deviation): a finger bends a string,
    a player's lips a tone. 0 for keys and circuits."""
    post: Callable[[np.ndarray], np.ndarray] | None = None
    """What the whole track goes through: an amplifier, a rotating speaker."""
    room: bool = True
    """Whether a microphone hears it, and with it the room."""


def play(part: Part, samples: int, random: np.random.Generator) -> np.ndarray:
    """One take of the part.

    Returns:
        (samples,) float64, or (samples, 2) for a close pair; root mean square -20 dBFS.
    """
    sound = _SOUNDS[part.instrument]
    track = np.zeros((samples, 2 if sound.spread else 1))
    middle = float(np.mean([note.pitch for note in part.notes]))
    for note in part.notes:
        start = min(samples, sample_count(note.start_s))
        missed = 0.01 * sound.intonation * float(random.standard_normal())
        played = replace(note, pitch=note.pitch + missed)
        tone = sound.tone(played, random)[: samples - start]
        position = np.clip(sound.spread * (note.pitch - middle) / 10.0, -1.0, 1.0)
        angle = (position + 1.0) * np.pi / 4.0
        gains = (np.cos(angle), np.sin(angle)) if sound.spread else (1.0,)
        for channel, gain in enumerate(gains):
            track[start : start + tone.size, channel] += gain * tone
    if sound.post is not None:
        track = sound.post(track)
    track *= from_db(-20.0) / np.sqrt(np.mean(track**2))
    return track if sound.spread else track[:, 0]


def has_microphone(instrument: str) -> bool:
    """Whether an instrument is recorded with a microphone, not a cable."""
    return _SOUNDS[instrument].room


def _released(tone: np.ndarray, note: Note, release_s: float) -> np.ndarray:
    """Damp a ringing tone where the note ends."""
    held = sample_count(note.duration_s)
    tone = tone[: held + sample_count(release_s)]
    tail = tone.size - held
    if tail > 0:
        tone[held:] *= np.cos(np.linspace(0.0, np.pi / 2.0, tail)) ** 2
    return tone


def _strike(tone: np.ndarray, level: float, random: np.random.Generator) -> None:
    """Add the noise of a finger, pick or hammer."""
    knock = min(tone.size, sample_count(_KNOCK_S))
    fall = np.linspace(1.0, 0.0, knock) ** 3
    tone[:knock] += level * fall * random.standard_normal(knock)


@dataclass(frozen=True)
class _String:
    """A plucked or struck string."""

    rolloff: float
    """Exponent of the partials' fall; the softer a note, the steeper."""
    pluck: float
    """Where it is struck, as a part of its length (dips at multiples of 1/pluck)."""
    ring_s: float
    """Decay time of the lowest partial at 110 Hz."""
    release_s: float
    """Time to damp it."""
    inharmonicity: float
    """See `decaying_partials`."""
    partials: int
    """How many."""
    knock: float = 0.0
    """Level of the finger's, pick's or hammer's noise."""
    detuning: float = 0.0
    """How far a note is off, in semitones (standard deviation)."""

    def __call__(self, note: Note, random: np.random.Generator) -> np.ndarray:
        if self.detuning:
            note = replace(note, pitch=note.pitch + self.detuning * random.standard_normal())
        order = _HARMONICS[: self.partials]
        frequency = frequency_hz(note.pitch)
        slope = self.rolloff + 0.6 * (1.0 - note.velocity)
        amplitudes = np.sin(np.pi * order * self.pluck) / order**slope
        decay_s = self.ring_s * np.sqrt(110.0 / frequency) / (1.0 + 0.12 * order)
        length = sample_count(min(_LONGEST_S, note.duration_s + self.release_s))
        tone = decaying_partials(frequency, amplitudes, decay_s, length, self.inharmonicity)
        if self.knock:
            _strike(tone, self.knock, random)
        onset = sample_count(0.002)
        tone[:onset] *= np.linspace(0.0, 1.0, tone[:onset].size)
        return note.velocity * _released(tone, note, self.release_s)


@dataclass(frozen=True)
class _Held:
    """A sustained tone."""

    amplitudes: np.ndarray
    """Of the harmonics."""
    attack_s: float
    """Time to rise."""
    release_s: float
    """Time to fall after the note's end."""
    detune_cents: tuple[float, ...] = (0.0,)
    """Of each of its oscillators."""
    vibrato: tuple[float, float] = (0.0, 0.0)
    """Rate in Hz and depth in cents."""

    def __call__(self, note: Note, random: np.random.Generator) -> np.ndarray:
        samples = sample_count(note.duration_s + self.release_s)
        time_s = np.arange(samples) / SAMPLE_RATE
        rate_hz, depth_cents = self.vibrato
        tone = np.zeros(samples)
        for index, cents in enumerate(self.detune_cents):
            frequency = frequency_hz(note.pitch + cents / 100.0)
            cycles = frequency * time_s + 0.37 * index
            if depth_cents:
                # Phase modulation of this index swings the pitch by `depth_cents`.
                swing = frequency * depth_cents / 1731.0 / (2.0 * np.pi * rate_hz)
                cycles = cycles + swing * np.sin(2.0 * np.pi * rate_hz * time_s + index)
            tone += periodic_tone(cycles, self.amplitudes, frequency * 1.03)
        return note.velocity * envelope(samples, self.attack_s, self.release_s) * tone


def _electric_piano(note: Note, random: np.random.Generator) -> np.ndarray:
    """A tine: a round tone that growls the harder it is struck, and a short bell."""
    frequency = frequency_hz(note.pitch)
    order = _HARMONICS[:24]
    amplitudes = (0.4 + 0.6 * note.velocity) / order**1.5
    amplitudes[0] = 1.0
    amplitudes[13] += 0.08
    decay_s = 1.1 / (1.0 + 0.15 * order)
    decay_s[13] = 0.12
    length = sample_count(min(_LONGEST_S, note.duration_s + 0.12))
    tone = decaying_partials(frequency, amplitudes, decay_s, length)
    _strike(tone, 0.03, random)
    return note.velocity * _released(tone, note, 0.12)


def _pluck(note: Note, random: np.random.Generator) -> np.ndarray:
    """A synthesiser with a filter that closes quickly: odd harmonics with short decays."""
    order = _HARMONICS[:24]
    amplitudes = np.where(order % 2 == 1, 1.0, 0.4) / order
    decay_s = 0.45 / (1.0 + 0.35 * (order - 1))
    length = sample_count(min(1.2, note.duration_s + 0.25))
    tone = decaying_partials(frequency_hz(note.pitch), amplitudes, decay_s, length)
    return note.velocity * _released(tone, note, 0.25)


def _brass(note: Note, random: np.random.Generator) -> np.ndarray:
    """Harder blowing is brighter."""
    saw = 1.0 / _HARMONICS[:40] ** (1.0 + 0.8 * (1.0 - note.velocity))
    return _Held(saw, 0.03, 0.08, (-5.0, 4.0))(note, random)


def _flute(note: Note, random: np.random.Generator) -> np.ndarray:
    """A nearly pure tone with breath."""
    tone = _FLUTE(note, random)
    breath = random.standard_normal(tone.size)
    band = np.concatenate([high_pass(1500.0, SAMPLE_RATE), low_pass(6000.0, SAMPLE_RATE)])
    shape = envelope(tone.size, 0.03, 0.1)
    sound: np.ndarray = tone + 0.06 * note.velocity * shape * _filtered(band, breath)
    return sound


def _bells(note: Note, random: np.random.Generator) -> np.ndarray:
    """A struck bar: partials at 1, 4 and 9.2 times the pitch."""
    frequency = frequency_hz(note.pitch)
    length = sample_count(min(1.6, note.duration_s + 0.6))
    partials = frequency * np.array([1.0, 4.0, 9.2])
    tone = decaying_sines(partials, np.array([1.0, 0.35, 0.2]), np.array([0.5, 0.2, 0.08]), length)
    return note.velocity * _released(tone, note, 0.6)


def _synth_stab(note: Note, random: np.random.Generator) -> np.ndarray:
    tone = _STAB(note, random)
    stab: np.ndarray = np.exp(-np.arange(tone.size) / (0.12 * SAMPLE_RATE)) * tone
    return stab


def _amplifier(track: np.ndarray, drive: float = 2.2) -> np.ndarray:
    """Overdrive, then a loudspeaker cabinet's band."""
    before = np.concatenate([high_pass(120.0, SAMPLE_RATE), low_pass(5000.0, SAMPLE_RATE)])
    driven = _filtered(before, track)
    level = np.sqrt(np.mean(driven**2, axis=0, keepdims=True)) + 1e-9
    after = np.concatenate(
        [
            high_pass(80.0, SAMPLE_RATE),
            peaking(2400.0, 5.0, SAMPLE_RATE, 1.0),
            low_pass(5200.0, SAMPLE_RATE),
            low_pass(5800.0, SAMPLE_RATE),
        ]
    )
    return _filtered(after, np.tanh(drive * driven / level))


def _crunch(track: np.ndarray) -> np.ndarray:
    """An amplifier turned up less."""
    return _amplifier(track, 0.8)


def _filtered(sections: np.ndarray, track: np.ndarray) -> np.ndarray:
    """Filter along time from rest."""
    return np.asarray(scipy.signal.sosfilt(sections, track, axis=0))


_FLUTE = _Held(np.array([1.0, 0.25, 0.12, 0.05]), 0.06, 0.1, vibrato=(5.0, 14.0))
_STAB = _Held(1.0 / _HARMONICS**1.1, 0.004, 0.12, (-11.0, 0.0, 9.0))
_DRAWBARS = np.zeros(16)
_DRAWBARS[[0, 1, 2, 3, 5, 7, 9, 11, 15]] = 1.0, 0.8, 0.6, 0.4, 0.25, 0.25, 0.12, 0.1, 0.1
_SQUARE = np.where(_HARMONICS % 2 == 1, 1.0, 0.3) / _HARMONICS**1.1
_DISTORTED_GUITAR = _String(0.8, 0.1, 3.0, 0.03, 3e-5, 30, detuning=0.06)

_SOUNDS = {
    "finger_bass": _Sound(
        _String(1.7, 0.3, 1.4, 0.06, 8e-5, 24, 0.015), intonation=9.0, room=False
    ),
    "picked_bass": _Sound(_String(1.35, 0.18, 1.2, 0.05, 8e-5, 36, 0.04), intonation=9.0),
    "synth_bass": _Sound(_Held(1.0 / _HARMONICS[:40] ** 1.8, 0.006, 0.04, (-2.0, 3.0)), room=False),
    "sub_bass": _Sound(
        _Held(np.array([1.0, 0.25, 0.15, 0.06, 0.04, 0.02]), 0.008, 0.05), room=False
    ),
    "upright_bass": _Sound(_String(1.5, 0.35, 0.6, 0.08, 6e-5, 28, 0.05), intonation=14.0),
    "distorted_guitar": _Sound(_DISTORTED_GUITAR, intonation=9.0, post=_amplifier),
    "crunch_guitar": _Sound(_DISTORTED_GUITAR, intonation=9.0, post=_crunch),
    "lead_guitar": _Sound(_String(0.9, 0.14, 3.0, 0.06, 3e-5, 24), intonation=12.0, post=_crunch),
    "clean_guitar": _Sound(_String(1.0, 0.15, 0.7, 0.05, 6e-5, 40, 0.05), intonation=9.0),
    "acoustic_guitar": _Sound(_String(0.9, 0.22, 0.9, 0.08, 6e-5, 40, 0.06), intonation=9.0),
    "nylon_guitar": _Sound(_String(1.4, 0.28, 0.8, 0.1, 4e-5, 30, 0.05), intonation=9.0),
    "piano": _Sound(_String(1.1, 0.12, 1.6, 0.15, 4e-4, 28, 0.02), spread=0.05),
    "electric_piano": _Sound(_electric_piano, room=False),
    "organ": _Sound(_Held(_DRAWBARS, 0.008, 0.05, vibrato=(6.2, 8.0))),
    "strings": _Sound(
        _Held(1.0 / _HARMONICS**1.25, 0.18, 0.35, (-7.0, 0.0, 8.0), vibrato=(5.3, 9.0)),
        intonation=12.0,
        spread=0.04,
    ),
    "brass": _Sound(_brass, intonation=12.0),
    "flute": _Sound(_flute, intonation=12.0),
    "bells": _Sound(_bells),
    "pad": _Sound(_Held(1.0 / _HARMONICS**1.6, 0.12, 0.5, (-9.0, -3.0, 4.0, 10.0)), room=False),
    "pluck": _Sound(_pluck, room=False),
    "synth_lead": _Sound(_Held(_SQUARE, 0.01, 0.08, (-6.0, 6.0), vibrato=(5.5, 10.0)), room=False),
    "synth_stab": _Sound(_synth_stab, room=False),
}
