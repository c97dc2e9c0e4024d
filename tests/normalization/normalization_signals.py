"""Synthetic stereo test signals for the effect-normalisation goldens.

NumPy only. Every signal is a pure function of (set seed, name); it is quantised to 16 bit, so that
the float32 samples are exact multiples of 1/32768.

    make(name, seed) -> float32 array [n_samples, 2], sample rate 44100
    as_int16(x)      -> int16 array (exact)

"""

import hashlib

import numpy as np

SR = 44100
PUBLIC_SEED = 20240
DUR = 8.0
NAMES = [
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
]
_ID = {n: i for i, n in enumerate(NAMES)}


def _rng(name, seed):
    return np.random.default_rng([int(seed), _ID[name]])


def _quantise(x):
    return np.clip(np.round(x * 32768.0), -32768, 32767).astype(np.int16).astype(
        np.float32
    ) / np.float32(32768.0)


def as_int16(x):
    return np.round(np.asarray(x, dtype=np.float64) * 32768.0).astype(np.int16)


def _noise_band(rng, n, lo, hi):
    """white Gaussian noise limited to [lo, hi] Hz by zeroing rfft bins; unit RMS"""
    s = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1.0 / SR)
    s[(f < lo) | (f > hi)] = 0.0
    x = np.fft.irfft(s, n)
    return x / np.sqrt(np.mean(x * x))


def _peak(x, p):
    return x * (p / np.max(np.abs(x)))


def _drum(rng, dur, rate=2.0):
    """noise bursts with exponential decay plus a 55-70 Hz thump, `rate` hits per second"""
    n = int(dur * SR)
    x = np.zeros(n)
    noise = rng.standard_normal(n)
    f0 = rng.uniform(55.0, 70.0)
    for k in range(int(dur * rate)):
        i = round((k / rate + 0.05) * SR)
        m = min(n - i, int(0.45 * SR))
        t = np.arange(m) / SR
        a = rng.uniform(0.45, 1.0)
        tau = rng.uniform(0.03, 0.09)
        x[i : i + m] += a * (
            0.5 * noise[i : i + m] * np.exp(-t / tau)
            + 0.8 * np.sin(2 * np.pi * f0 * t) * np.exp(-t / 0.12)
        )
    return x


def _bass(rng, dur):
    """0.5 s notes, 8 harmonics with 1/k amplitude, 5 ms attack, 20 ms release"""
    n = int(dur * SR)
    x = np.zeros(n)
    notes = np.array([41.2, 49.0, 55.0, 61.7, 73.4, 82.4])
    m = int(0.5 * SR)
    t = np.arange(m) / SR
    env = np.minimum(1.0, t / 0.005) * np.exp(-t / 0.6) * np.minimum(1.0, (0.5 - t) / 0.02)
    for k in range(int(dur / 0.5)):
        f = notes[rng.integers(len(notes))]
        v = rng.uniform(0.6, 1.0)
        x[k * m : (k + 1) * m] = (
            v * env * sum(np.sin(2 * np.pi * f * h * t) / h for h in range(1, 9))
        )
    return x


def _vocal(rng, dur):
    """vibrato tone with 6 harmonics and 1-6 kHz breath noise, phrases of ~1 s separated by gaps"""
    n = int(dur * SR)
    t = np.arange(n) / SR
    base = rng.uniform(190.0, 260.0)
    steps = rng.integers(-4, 8, size=int(np.ceil(dur)))
    f = base * 2.0 ** (steps[np.minimum((t).astype(int), len(steps) - 1)] / 12.0)
    f = f * (1.0 + 0.012 * np.sin(2 * np.pi * 5.5 * t))
    ph = 2 * np.pi * np.cumsum(f) / SR
    tone = sum(np.sin(h * ph) / h**1.3 for h in range(1, 7))
    breath = _noise_band(rng, n, 1000.0, 6000.0)
    env = np.clip(np.sin(np.pi * (t % 1.0) / 0.85), 0.0, None) ** 0.5 * ((t % 1.0) < 0.85)
    return env * (tone + 0.15 * breath), breath * env


def _pad_chan(rng, dur, freqs):
    n = int(dur * SR)
    t = np.arange(n) / SR
    x = np.zeros(n)
    for f in freqs:
        p = rng.uniform(0, 2 * np.pi)
        trem = 1.0 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 0.7) * t + p)
        for h in range(1, 6):
            x += trem * np.sin(2 * np.pi * f * h * t + rng.uniform(0, 2 * np.pi)) / h**2
    return x + 0.05 * _noise_band(rng, n, 3000.0, 12000.0)


def make(name, seed=PUBLIC_SEED):
    rng = _rng(name, seed)
    n = int(DUR * SR)
    if name == "silence":
        return np.zeros((n, 2), dtype=np.float32)
    if name == "drum_like":
        d = _drum(rng, DUR)
        g = rng.uniform(0.25, 0.45)
        x = np.stack([d, g * d], 1)
        x = _peak(x, 0.7)
    elif name == "bass_like":
        b = _bass(rng, DUR)
        x = _peak(np.stack([0.9 * b, b], 1), 0.5)
    elif name == "vocal_like":
        v, w = _vocal(rng, DUR)
        x = _peak(np.stack([v + 0.1 * w, 0.8 * v - 0.1 * np.roll(w, 37)], 1), 0.4)
    elif name == "pad":
        left = _pad_chan(rng, DUR, [220.0, 277.2, 330.0])
        right = _pad_chan(rng, DUR, [220.0, 261.6, 440.0])
        x = _peak(np.stack([left, 0.7 * right + 0.2 * left], 1), 0.35)
    elif name == "mono":
        d = _drum(rng, DUR, rate=1.5)
        v, _ = _vocal(rng, DUR)
        m = d + 0.3 * v
        x = _peak(np.stack([m, m], 1), 0.3)
    elif name == "quiet":
        v, w = _vocal(rng, DUR)
        x = _peak(np.stack([v, 0.6 * v + 0.2 * w], 1), 10.0 ** (-60.0 / 20.0))
    elif name == "loud":
        d = _drum(rng, DUR, rate=3.0)
        b = _bass(rng, DUR)
        x = np.stack([d + 0.3 * b, 0.8 * d + 0.5 * b], 1)
        x = 4.0 * x / np.max(np.abs(x))  # +12 dB over full scale, clipped by _quantise
    elif name == "left_only":
        v, _ = _vocal(rng, DUR)
        d = _drum(rng, DUR)
        x = _peak(np.stack([v + 0.5 * d, np.zeros(n)], 1), 0.5)
    elif name == "long":  # long enough to pass re-panning's frame limit
        dur = 20.0
        d = _drum(rng, dur)
        v, w = _vocal(rng, dur)
        x = _peak(np.stack([0.5 * d + 0.5 * v, d + 0.4 * v + 0.2 * w], 1), 0.5)
    else:
        raise KeyError(name)
    return _quantise(x)


def sha256(x):
    return hashlib.sha256(as_int16(x).tobytes()).hexdigest()
