"""A sung voice: a glottal source with vibrato, shaped by the formants of vowels."""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from fxnorm.audio import sqrt_hann
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.oscillators import (
    envelope,
    frequency_hz,
    periodic_tone,
    sample_count,
    smooth_noise,
)
from fxnorm.data.synthesis.score import Syllable
from fxnorm.effects import high_pass, low_pass

_FFT = 1024
_HOP = 256
#: Harmonics of the source, and level of the breath in it.
_HARMONICS = np.arange(1, 81)
_BREATH = 0.05
#: How far a note is missed, how far it drifts, and how far a word bends it (standard deviations).
_INTONATION_SEMITONES = 0.25
_DRIFT_SEMITONES = 0.2
_SLIDE_SEMITONES = 0.6
_VIBRATO_HZ = 5.6
_VIBRATO_SEMITONES = 0.5
_VIBRATO_ONSET_S = 0.15
_GLIDE_S = 0.1
_FORMANT_GLIDE_S = 0.04
_BEFORE_S, _AFTER_S = 0.4, 0.2

#: Formant frequencies in Hz of an adult male voice (after Peterson and Barney, 1952; the fourth
#: and fifth make the singer's formant).
_FORMANTS = {
    "a": (730.0, 1090.0, 2440.0, 3300.0, 4200.0),
    "e": (530.0, 1840.0, 2480.0, 3300.0, 4200.0),
    "i": (270.0, 2290.0, 3010.0, 3500.0, 4300.0),
    "o": (570.0, 840.0, 2410.0, 3200.0, 4100.0),
    "u": (300.0, 870.0, 2240.0, 3200.0, 4100.0),
}
_FORMANT_LEVELS = np.array([1.0, 0.7, 0.6, 0.6, 0.35])
_BANDWIDTHS_HZ = np.array([90.0, 110.0, 160.0, 220.0, 300.0])

#: Band in Hz, length in seconds and level of each consonant's noise; nasals and liquids have none.
_NOISES = {
    "s": (5000.0, 11_000.0, 0.1, 0.4),
    "f": (2500.0, 9000.0, 0.08, 0.2),
    "t": (3000.0, 9000.0, 0.035, 0.5),
    "k": (1500.0, 5000.0, 0.035, 0.5),
    "p": (40.0, 250.0, 0.06, 0.4),
}


@dataclass(frozen=True)
class _Voice:
    """Size of the vocal tract relative to an adult male's, and slope of the source."""

    formant_scale: float
    slope: float


_VOICES = {
    "baritone": _Voice(0.98, 1.15),
    "tenor": _Voice(1.03, 1.05),
    "alto": _Voice(1.14, 1.15),
    "soprano": _Voice(1.18, 1.05),
}


def sing(
    syllables: tuple[Syllable, ...], voice_name: str, samples: int, random: np.random.Generator
) -> np.ndarray:
    """One voice in front of a microphone: (samples,) float64; silence for no syllables."""
    if not syllables:
        return np.zeros(samples)
    # Nothing is computed before the first syllable's breath and after the last one's end.
    first = max(0, sample_count(syllables[0].start_s - _BEFORE_S))
    local = tuple(replace(s, start_s=s.start_s - first / SAMPLE_RATE) for s in syllables)
    last = sample_count(local[-1].start_s + local[-1].duration_s + _AFTER_S)
    track = np.zeros(samples)
    track[first : first + last] = _sung(
        local, _VOICES[voice_name], min(last, samples - first), random
    )
    return track


def _sung(
    syllables: tuple[Syllable, ...], voice: _Voice, samples: int, random: np.random.Generator
) -> np.ndarray:
    pitch = _pitch_curve(syllables, samples, random)
    source = _source(syllables, pitch, voice, random)
    sung = _shape(source, syllables, voice)
    for syllable in syllables:
        _add_consonant(sung, syllable, random)
    _add_breaths(sung, syllables, random)
    return sung


def _pitch_curve(
    syllables: tuple[Syllable, ...], samples: int, random: np.random.Generator
) -> np.ndarray:
    """MIDI pitch of every sample: glides between notes, vibrato on held ones, slow drift."""
    time_s = np.arange(samples) / SAMPLE_RATE
    starts = [syllable.start_s for syllable in syllables]
    current = np.clip(np.searchsorted(starts, time_s, side="right") - 1, 0, None)
    missed = _INTONATION_SEMITONES * random.standard_normal(len(syllables))
    pitch = (np.array([syllable.pitch for syllable in syllables]) + missed)[current]
    pitch = scipy.ndimage.uniform_filter1d(pitch, sample_count(_GLIDE_S))
    since = time_s - np.array(starts)[current]
    depth = _VIBRATO_SEMITONES * np.clip((since - _VIBRATO_ONSET_S) / 0.3, 0.0, 1.0)
    rate = 2.0 * np.pi * _VIBRATO_HZ * time_s + 0.6 * smooth_noise(samples, 1.0, random)
    # Singers scoop up into a note.
    scoop = -1.2 * np.exp(-np.maximum(since, 0.0) / 0.05)
    # Words bend a note up or down on its way.
    bends = _SLIDE_SEMITONES * random.standard_normal(len(syllables))
    slide = bends[current] * np.clip(since / 0.5, 0.0, 1.0)
    drift = smooth_noise(samples, 1.5, random) + smooth_noise(samples, 6.0, random)
    curve: np.ndarray = pitch + depth * np.sin(rate) + scoop + slide + _DRIFT_SEMITONES * drift
    return curve


def _source(
    syllables: tuple[Syllable, ...], pitch: np.ndarray, voice: _Voice, random: np.random.Generator
) -> np.ndarray:
    """Glottal pulses and breath under each syllable's envelope, (samples,) float64."""
    samples = pitch.size
    source = np.zeros(samples)
    cycles = np.cumsum(440.0 * 2.0 ** ((pitch - 69.0) / 12.0) / SAMPLE_RATE)
    breath = _BREATH * random.standard_normal(samples)
    for syllable in syllables:
        start = sample_count(syllable.start_s)
        stop = min(samples, start + sample_count(syllable.duration_s + 0.05))
        if stop <= start:
            continue
        # Louder singing is brighter.
        amplitudes = 1.0 / _HARMONICS ** (voice.slope + 1.5 * (1.0 - syllable.velocity))
        tone = periodic_tone(cycles[start:stop], amplitudes, 1.1 * frequency_hz(syllable.pitch))
        soft = syllable.consonant in ("m", "n", "l")
        shape = envelope(stop - start, 0.07 if soft else 0.03, 0.08)
        held = np.linspace(0.0, 1.0, stop - start)
        swell = 1.0 - 0.25 * held**2
        source[start:stop] += syllable.velocity * shape * swell * (tone + breath[start:stop])
    return source


def _shape(source: np.ndarray, syllables: tuple[Syllable, ...], voice: _Voice) -> np.ndarray:
    """Filter frame by frame with the formants, gliding from vowel to vowel."""
    padded = np.pad(source, (_FFT, 2 * _FFT))
    window = sqrt_hann(_FFT)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    spectrum = scipy.fft.rfft(frames * window, axis=-1)
    centre_s = (np.arange(spectrum.shape[0]) * _HOP - _FFT / 2) / SAMPLE_RATE
    starts = [syllable.start_s for syllable in syllables]
    current = np.clip(np.searchsorted(starts, centre_s, side="right") - 1, 0, None)
    targets = np.array([_FORMANTS[syllable.vowel] for syllable in syllables])[current]
    width = max(1, round(_FORMANT_GLIDE_S * SAMPLE_RATE / _HOP))
    formants = voice.formant_scale * scipy.ndimage.uniform_filter1d(targets, width, axis=0)
    bins_hz = scipy.fft.rfftfreq(_FFT, 1.0 / SAMPLE_RATE)
    # What the formants leave of the source between and beyond them.
    response = np.full(spectrum.shape, 0.02)
    for index, (level, bandwidth) in enumerate(zip(_FORMANT_LEVELS, _BANDWIDTHS_HZ, strict=True)):
        distance = (bins_hz - formants[:, index : index + 1]) / bandwidth
        response += level / (1.0 + distance**2)
    shaped = scipy.fft.irfft(spectrum * response, axis=-1) * window
    # Frames that overlap fourfold: each quarter of a frame is a row of its own.
    rows = np.zeros((shaped.shape[0] + _FFT // _HOP - 1, _HOP))
    for quarter in range(_FFT // _HOP):
        part = shaped[:, quarter * _HOP : (quarter + 1) * _HOP]
        rows[quarter : quarter + shaped.shape[0]] += part
    # The squared windows add up to 2.
    return rows.reshape(-1)[_FFT : _FFT + source.size] / (_FFT / _HOP / 2)


def _add_consonant(sung: np.ndarray, syllable: Syllable, random: np.random.Generator) -> None:
    """Mix a fricative's or plosive's noise in just before the vowel."""
    if syllable.consonant not in _NOISES:
        return
    low_hz, high_hz, length_s, level = _NOISES[syllable.consonant]
    _add_noise(sung, syllable.start_s - 0.6 * length_s, length_s, level * syllable.velocity,
               (low_hz, high_hz), random)  # fmt: skip


def _add_breaths(
    sung: np.ndarray, syllables: tuple[Syllable, ...], random: np.random.Generator
) -> None:
    """An audible breath where the singer has had time to take one."""
    end_s = -1.0
    for syllable in syllables:
        if syllable.start_s - end_s > 0.35:
            _add_noise(sung, syllable.start_s - 0.32, 0.26, 0.02, (1200.0, 6000.0), random)
        end_s = syllable.start_s + syllable.duration_s


def _add_noise(
    sung: np.ndarray,
    start_s: float,
    length_s: float,
    level: float,
    band_hz: tuple[float, float],
    random: np.random.Generator,
) -> None:
    start = max(0, sample_count(start_s))
    samples = min(sample_count(length_s), sung.size - start)
    if samples <= 0:
        return
    band = np.concatenate([high_pass(band_hz[0], SAMPLE_RATE), low_pass(band_hz[1], SAMPLE_RATE)])
    noise = scipy.signal.sosfilt(band, random.standard_normal(samples))
    sung[start : start + samples] += (
        level * envelope(samples, 0.3 * length_s, 0.4 * length_s) * noise
    )
