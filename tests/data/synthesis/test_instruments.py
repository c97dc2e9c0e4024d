"""Instruments, voices, drums and rooms: timing, pitch, formants, decay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.data.synthesis.drums import play_drums
from fxnorm.data.synthesis.instruments import play
from fxnorm.data.synthesis.oscillators import (
    decaying_partials,
    envelope,
    frequency_hz,
    periodic_tone,
)
from fxnorm.data.synthesis.rooms import Room, impulse_response
from fxnorm.data.synthesis.score import Hit, Note, Part, Syllable
from fxnorm.data.synthesis.styles import STYLES
from fxnorm.data.synthesis.voice import sing

RATE = 44_100
BASSES = ("finger_bass", "picked_bass", "synth_bass", "sub_bass", "upright_bass")
INSTRUMENTS = (
    *BASSES,
    *("distorted_guitar", "crunch_guitar", "lead_guitar", "clean_guitar", "acoustic_guitar"),
    *("nylon_guitar", "piano", "electric_piano", "organ", "strings", "brass", "flute", "bells"),
    *("pad", "pluck", "synth_lead", "synth_stab"),
)
PAIRS = ("piano", "strings")


def random(seed=0):
    return np.random.default_rng(seed)


def spectrum(signal):
    """Magnitudes and their frequencies in Hz."""
    return np.abs(np.fft.rfft(signal * np.hanning(signal.size))), np.fft.rfftfreq(
        signal.size, 1 / RATE
    )


def band_share(signal, low_hz, high_hz):
    magnitude, frequency = spectrum(signal)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    return (magnitude[inside] ** 2).sum() / (magnitude**2).sum()


def test_decaying_partials_match_their_formula():
    amplitudes, decay_s = np.array([1.0, 0.5, 0.25]), np.array([0.3, 0.2, 0.1])
    tone = decaying_partials(200.0, amplitudes, decay_s, 20_000, inharmonicity=1e-3)
    time_s = np.arange(20_000) / RATE
    order = np.arange(1, 4)
    partials = order * 200.0 * np.sqrt(1.0 + 1e-3 * order**2)
    expected = sum(
        a * np.exp(-time_s / d) * np.sin(2 * np.pi * f * time_s)
        for a, d, f in zip(amplitudes, decay_s, partials, strict=True)
    )
    # Partials end at -60 dB, which steps by up to 1e-3 of their amplitude.
    np.testing.assert_allclose(tone, expected, atol=1.1e-3)


def test_periodic_tone_is_its_harmonics_and_band_limited():
    cycles = 3000.0 * np.arange(RATE) / RATE
    amplitudes = 1.0 / np.arange(1, 40)
    tone = periodic_tone(cycles, amplitudes, 3000.0)
    expected = sum(amplitudes[k - 1] * np.sin(2 * np.pi * k * cycles) for k in range(1, 6))
    # Linear interpolation in a table of 4,096 samples.
    np.testing.assert_allclose(tone, expected, atol=2e-4)


@given(samples=st.integers(2, 3000), attack=st.floats(0, 0.05), release=st.floats(0.001, 0.05))
@settings(deadline=None)
def test_envelope_starts_and_ends_in_silence(samples, attack, release):
    shape = envelope(samples, attack, release)
    assert shape.shape == (samples,)
    assert 0.0 <= shape.min() <= shape.max() <= 1.0
    assert shape[-1] < 1e-6 or round(release * RATE) == 0
    if min(round(attack * RATE), samples // 2) > 0:
        assert shape[0] == 0.0


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_instruments_play_in_tune(instrument):
    pitch = 40 if instrument in BASSES else 64
    part = Part("rhythm", instrument, (Note(0.1, 1.0, pitch, 0.9),))
    track = play(part, RATE, random())
    assert track.shape == ((RATE, 2) if instrument in PAIRS else (RATE,))
    assert np.sqrt((track**2).mean()) == pytest.approx(0.1, rel=1e-3)
    mono = track.sum(axis=1) if track.ndim == 2 else track
    magnitude, frequency = spectrum(mono[RATE // 5 : -RATE // 20])
    # Half a semitone around the fundamental, where its strongest bin must be in tune: 15 cents
    # for detuned instruments and vibrato, plus a bin's width (1.4 Hz).
    fundamental = frequency_hz(pitch)
    near = np.abs(frequency - fundamental) < 0.03 * fundamental
    peak = frequency[near][magnitude[near].argmax()]
    assert abs(peak - fundamental) < 0.0087 * fundamental + 1.4
    assert magnitude[near].max() > 0.03 * magnitude.max()


def test_close_pairs_are_narrow_and_lean_with_the_pitch():
    for instrument in PAIRS:
        notes = tuple(Note(0.3 * i, 0.3, p, 0.8) for i, p in enumerate((45, 52, 72, 79)))
        track = play(Part("rhythm", instrument, notes), RATE + RATE // 2, random())
        left, right = (track[: RATE // 2] ** 2).sum(axis=0)
        assert left > 1.1 * right
        left, right = (track[RATE // 2 + RATE // 5 : RATE + RATE // 5] ** 2).sum(axis=0)
        assert right > 1.1 * left
        side = ((track[:, 0] - track[:, 1]) ** 2).sum() / (track**2).sum() / 2
        assert side < 0.05


def syllables(pitch, vowel, consonant=""):
    return (Syllable(0.5, 1.2, pitch, 0.9, vowel, consonant),)


@pytest.mark.parametrize(("voice", "pitch"), [("baritone", 50.0), ("alto", 62.0)])
def test_voice_sings_its_pitch_with_vibrato(voice, pitch):
    sung = sing(syllables(pitch, "a"), voice, 2 * RATE, random()).astype(float)
    expected = frequency_hz(pitch)
    tracked = []
    for start in range(RATE, RATE + 25_000, 1000):
        frame = sung[start : start + 2048] * np.hanning(2048)
        correlation = np.correlate(frame, frame, "full")[2047:]
        low, high = int(RATE / expected / 1.2), int(RATE / expected * 1.2) + 1
        lag = low + int(correlation[low:high].argmax())
        before, at, after = correlation[lag - 1 : lag + 2]
        lag += 0.5 * (before - after) / (before - 2 * at + after)
        tracked.append(12 * np.log2(RATE / lag / expected))
    # Vibrato of ±0.4 semitones around the note, drift of 0.07 (one standard deviation).
    assert abs(np.mean(tracked)) < 0.25
    assert 0.4 < np.ptp(tracked) < 1.3


def test_vowels_have_their_formants():
    # The first formants of a (730 Hz) and i (270 Hz).
    bands = {"a": (600.0, 900.0), "i": (200.0, 400.0)}
    for vowel, other in (("a", "i"), ("i", "a")):
        sung = {
            v: sing(syllables(45.0, v), "baritone", 2 * RATE, random())[RATE : RATE + 20_000]
            for v in (vowel, other)
        }
        share = {v: band_share(signal, *bands[vowel]) for v, signal in sung.items()}
        assert share[vowel] > 2.0 * share[other]


def test_consonants_sound_before_the_vowel():
    plain = sing(syllables(57.0, "a"), "tenor", 2 * RATE, random())
    hissed = sing(syllables(57.0, "a", "s"), "tenor", 2 * RATE, random())
    onset = slice(int(0.45 * RATE), int(0.5 * RATE))
    assert band_share(hissed[onset], 4000.0, 12_000.0) > 0.8
    assert (hissed[onset] ** 2).sum() > 4.0 * (plain[onset] ** 2).sum()
    assert not sing((), "tenor", 1000, random()).any()


@pytest.mark.parametrize("kit", sorted({style.kit for style in STYLES.values()}))
def test_drums_sound_where_they_are_struck(kit):
    def heard(drum):
        tracks = play_drums((Hit(0.5, drum, 1.0),), kit, RATE, random())
        for track in tracks.values():
            assert not track[: RATE // 2].any()
            assert np.abs(track[RATE // 2 : RATE // 2 + 2000]).max() > 0.4
        return tracks

    assert band_share(heard("kick")["kick"], 30.0, 200.0) > 0.7
    snare = heard("snare")["snare"]
    assert band_share(snare, 100.0, 500.0) > 0.1
    assert band_share(snare, 1000.0, 20_000.0) > 0.1
    # The pair above the kit hears cymbals, and drums that have a microphone of their own.
    hat = heard("hat")
    assert set(hat) == {"overheads"}
    assert band_share(hat["overheads"].sum(axis=1), 3000.0, 20_000.0) > 0.8
    left, right = (hat["overheads"] ** 2).sum(axis=0)
    assert 1.1 * left < right < 2.5 * left
    assert set(heard("clap")) == {"overheads", "percussion"}


@pytest.mark.parametrize("reverberation_s", [0.5, 2.5])
def test_rooms_decay_as_told(reverberation_s):
    room = Room(reverberation_s, damping=2.5, warmth=1.2)
    response = impulse_response(room, random()).astype(float)
    assert (response**2).sum() / 2 == pytest.approx(1.0, rel=1e-5)
    assert np.abs(response).max(axis=1).argmax() == 0
    late = response[RATE // 10 :]
    expected = {1000.0: reverberation_s, 8000.0: reverberation_s / 2.5**0.75}
    for centre, wanted in expected.items():
        # Schroeder's backward integration of an octave: -5 to -25 dB, times three.
        # Zeros at the end keep the band filter from wrapping around.
        size = 4 * late.shape[0]
        frequency = np.fft.rfftfreq(size, 1 / RATE)
        inside = np.abs(np.log2(np.maximum(frequency, 1.0) / centre)) < 0.5
        band = np.fft.irfft(np.fft.rfft(late[:, 0], size) * inside, size)[: late.shape[0]]
        decay_db = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1] / (band**2).sum() + 1e-30)
        first, last = (int(np.argmax(decay_db < level)) for level in (-5.0, -25.0))
        # Noise, and neighbouring octaves with other times: within 20 %.
        assert 3 * (last - first) / RATE == pytest.approx(wanted, rel=0.2)
    correlation = np.corrcoef(late.T)[0, 1]
    assert abs(correlation) < 0.1
