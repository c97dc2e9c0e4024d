"""The synthetic stems for which golden values of normalisation and metrics are known.

The recipe (seed, order of draws, 16-bit rounding) is part of those values: change nothing.
"""

import hashlib

import numpy as np

SR = 44100
SEED = 20240
_NAMES = (
    "drum_like",
    "bass_like",
    "vocal_like",
    "pad",
    "silence",
    "mono",
    "quiet",
    "loud",
    "left_only",
    "long",
)
_DURATION_S = 8.0
#: Long enough to pass the frame from which on the released re-panning does nothing.
_LONG_S = 20.0


def golden_signal(name: str) -> np.ndarray:
    """One of the stems, (samples, 2) float32 at 44.1 kHz, whole multiples of 2^-15."""
    rng = np.random.default_rng([SEED, _NAMES.index(name)])
    audio = globals()[f"_{name}"](rng)
    rounded = np.clip(np.round(audio * 32768.0), -32768, 32767)
    return (rounded / 32768.0).astype(np.float32)


def digest(signal: np.ndarray) -> str:
    """SHA-256 of its 16-bit samples."""
    return hashlib.sha256(np.round(signal * 32768.0).astype(np.int16).tobytes()).hexdigest()


def _drum_like(rng: np.random.Generator) -> np.ndarray:
    drum = _drum(rng, 2.0)
    return _peak(np.stack([drum, rng.uniform(0.25, 0.45) * drum], 1), 0.7)


def _bass_like(rng: np.random.Generator) -> np.ndarray:
    bass = _bass(rng)
    return _peak(np.stack([0.9 * bass, bass], 1), 0.5)


def _vocal_like(rng: np.random.Generator) -> np.ndarray:
    voice, breath = _vocal(rng)
    right = 0.8 * voice - 0.1 * np.roll(breath, 37)
    return _peak(np.stack([voice + 0.1 * breath, right], 1), 0.4)


def _pad(rng: np.random.Generator) -> np.ndarray:
    left = _chord(rng, [220.0, 277.2, 330.0])
    right = _chord(rng, [220.0, 261.6, 440.0])
    return _peak(np.stack([left, 0.7 * right + 0.2 * left], 1), 0.35)


def _silence(_: np.random.Generator) -> np.ndarray:
    return np.zeros((int(_DURATION_S * SR), 2))


def _mono(rng: np.random.Generator) -> np.ndarray:
    drum = _drum(rng, 1.5)
    both = drum + 0.3 * _vocal(rng)[0]
    return _peak(np.stack([both, both], 1), 0.3)


def _quiet(rng: np.random.Generator) -> np.ndarray:
    voice, breath = _vocal(rng)
    return _peak(np.stack([voice, 0.6 * voice + 0.2 * breath], 1), 10.0 ** (-60.0 / 20.0))


def _loud(rng: np.random.Generator) -> np.ndarray:
    drum, bass = _drum(rng, 3.0), _bass(rng)
    audio = np.stack([drum + 0.3 * bass, 0.8 * drum + 0.5 * bass], 1)
    return 4.0 * audio / np.max(np.abs(audio))  # Clipped by the rounding.


def _left_only(rng: np.random.Generator) -> np.ndarray:
    voice, _ = _vocal(rng)
    left = voice + 0.5 * _drum(rng, 2.0)
    return _peak(np.stack([left, np.zeros_like(left)], 1), 0.5)


def _long(rng: np.random.Generator) -> np.ndarray:
    drum = _drum(rng, 2.0, _LONG_S)
    voice, breath = _vocal(rng, _LONG_S)
    audio = np.stack([0.5 * drum + 0.5 * voice, drum + 0.4 * voice + 0.2 * breath], 1)
    return _peak(audio, 0.5)


def _peak(audio: np.ndarray, peak: float) -> np.ndarray:
    return audio * (peak / np.max(np.abs(audio)))


def _noise_band(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1.0 / SR)
    spectrum[(frequency < low) | (frequency > high)] = 0.0
    noise = np.fft.irfft(spectrum, count)
    return noise / np.sqrt(np.mean(noise * noise))


def _drum(rng: np.random.Generator, rate: float, duration: float = _DURATION_S) -> np.ndarray:
    count = int(duration * SR)
    audio = np.zeros(count)
    noise = rng.standard_normal(count)
    pitch = rng.uniform(55.0, 70.0)
    for hit in range(int(duration * rate)):
        start = round((hit / rate + 0.05) * SR)
        length = min(count - start, int(0.45 * SR))
        t = np.arange(length) / SR
        level = rng.uniform(0.45, 1.0)
        decay = rng.uniform(0.03, 0.09)
        audio[start : start + length] += level * (
            0.5 * noise[start : start + length] * np.exp(-t / decay)
            + 0.8 * np.sin(2 * np.pi * pitch * t) * np.exp(-t / 0.12)
        )
    return audio


def _bass(rng: np.random.Generator) -> np.ndarray:
    audio = np.zeros(int(_DURATION_S * SR))
    notes = np.array([41.2, 49.0, 55.0, 61.7, 73.4, 82.4])
    length = int(0.5 * SR)
    t = np.arange(length) / SR
    envelope = np.minimum(1.0, t / 0.005) * np.exp(-t / 0.6) * np.minimum(1.0, (0.5 - t) / 0.02)
    for note in range(int(_DURATION_S / 0.5)):
        pitch = notes[rng.integers(len(notes))]
        level = rng.uniform(0.6, 1.0)
        harmonics = sum(np.sin(2 * np.pi * pitch * h * t) / h for h in range(1, 9))
        audio[note * length : (note + 1) * length] = level * envelope * harmonics
    return audio


def _vocal(
    rng: np.random.Generator, duration: float = _DURATION_S
) -> tuple[np.ndarray, np.ndarray]:
    count = int(duration * SR)
    t = np.arange(count) / SR
    base = rng.uniform(190.0, 260.0)
    steps = rng.integers(-4, 8, size=int(np.ceil(duration)))
    pitch = base * 2.0 ** (steps[np.minimum(t.astype(int), len(steps) - 1)] / 12.0)
    pitch = pitch * (1.0 + 0.012 * np.sin(2 * np.pi * 5.5 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / SR
    tone = sum(np.sin(h * phase) / h**1.3 for h in range(1, 7))
    breath = _noise_band(rng, count, 1000.0, 6000.0)
    envelope = np.clip(np.sin(np.pi * (t % 1.0) / 0.85), 0.0, None) ** 0.5 * ((t % 1.0) < 0.85)
    return envelope * (tone + 0.15 * breath), breath * envelope


def _chord(rng: np.random.Generator, pitches: list[float]) -> np.ndarray:
    count = int(_DURATION_S * SR)
    t = np.arange(count) / SR
    audio = np.zeros(count)
    for pitch in pitches:
        phase = rng.uniform(0, 2 * np.pi)
        tremolo = 1.0 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 0.7) * t + phase)
        for h in range(1, 6):
            partial = np.sin(2 * np.pi * pitch * h * t + rng.uniform(0, 2 * np.pi))
            audio += tremolo * partial / h**2
    return audio + 0.05 * _noise_band(rng, count, 3000.0, 12000.0)
