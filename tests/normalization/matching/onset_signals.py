"""Explicit recipes for the onset / mean-peak test signals.

    x = make(recipe, seed)      # float32 array, shape [samples, channels], 44.1 kHz

Only numpy is used.  Every sample is snapped to a multiple of 2**-20 before the
cast to float32 (exact), so last-bit differences of sin/exp between numpy
builds do not change the signals; `sha256_of(x)` can be checked against the
value stored with each golden vector.
"""

import hashlib

import numpy as np

SR = 44100


def _snap(x):
    x = np.asarray(x, dtype=np.float64)
    x = np.clip(x, -0.999, 0.999)
    return np.ascontiguousarray((np.round(x * 2.0**20) / 2.0**20).astype(np.float32))


def sha256_of(x):
    a = np.ascontiguousarray(x, dtype="<f4")
    return hashlib.sha256(a.tobytes()).hexdigest()


def _length(rng, lo=4.0, hi=10.0):
    return round(float(rng.uniform(lo, hi)) * SR)


def _add_noise_burst(x, rng, start, amp, tau, dur):
    m = max(0, min(dur, len(x) - start))
    k = np.arange(m)
    x[start : start + m] += amp * np.exp(-k / tau) * rng.standard_normal(m)


def _add_tone_burst(x, start, amp, freq, tau, dur):
    m = max(0, min(dur, len(x) - start))
    k = np.arange(m)
    x[start : start + m] += amp * np.exp(-k / tau) * np.sin(2 * np.pi * freq * k / SR)


def _random_times(rng, n, count, gap):
    """`count` start positions at least about `gap` samples apart."""
    t = np.sort(rng.integers(0, max(1, n - gap * count - 2000), count))
    return [int(v) + i * gap for i, v in enumerate(t)]


def noise_bursts(rng):
    n = _length(rng)
    x = np.zeros((n, 1))
    for s in _random_times(rng, n, int(rng.integers(8, 20)), 5000):
        _add_noise_burst(x[:, 0], rng, s, rng.uniform(0.02, 0.3), rng.uniform(400, 5000), 20000)
    return x


def tone_bursts(rng):
    n = _length(rng)
    x = np.zeros((n, 2))
    for c in range(2):
        for s in _random_times(rng, n, int(rng.integers(8, 18)), 6000):
            _add_tone_burst(
                x[:, c],
                s,
                rng.uniform(0.1, 0.6),
                float(np.round(80 * 2 ** rng.uniform(0, 6), 3)),
                rng.uniform(800, 9000),
                30000,
            )
    return x


def drum_loop(rng):
    n = _length(rng)
    x = np.zeros((n, 2))
    step = int(SR * 60 / rng.uniform(80, 150) / 2)
    for i, s in enumerate(range(int(rng.integers(0, step)), n - 3000, step)):
        if i % 4 == 0:
            for c in range(2):
                _add_tone_burst(x[:, c], s, 0.7, 58.0, 4000.0, 16000)
        if i % 4 == 2:
            for c in range(2):
                _add_noise_burst(x[:, c], rng, s, 0.22, 2500.0, 12000)
        g = rng.uniform(0.02, 0.08)
        _add_noise_burst(x[:, 0], rng, s, g, 350.0, 3000)
        _add_noise_burst(x[:, 1], rng, s, 0.6 * g, 350.0, 3000)
    return x


def bursts_on_floor(rng):
    n = _length(rng)
    x = (10 ** rng.uniform(-4.5, -2.5)) * rng.standard_normal((n, 2))
    for c in range(2):
        for s in _random_times(rng, n, int(rng.integers(6, 16)), 7000):
            _add_noise_burst(
                x[:, c], rng, s, rng.uniform(0.02, 0.25), rng.uniform(600, 6000), 25000
            )
    return x


def am_pad(rng):
    n = _length(rng)
    t = np.arange(n) / SR
    f0 = rng.uniform(90, 400)
    saw = np.zeros(n)
    for h in range(1, 13):
        saw += np.sin(2 * np.pi * f0 * h * t + h) / h
    env = (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.7, 3.0) * t)) ** 3
    y = 0.3 * saw * env + 0.002 * rng.standard_normal(n)
    return np.stack([y, 0.5 * y], axis=1)


def fade_with_clicks(rng):
    n = _length(rng)
    ramp = np.linspace(0.0, 1.0, n) ** 2
    x = 0.05 * ramp * rng.standard_normal(n)
    for s in _random_times(rng, n, int(rng.integers(5, 12)), 9000):
        _add_noise_burst(x, rng, s, rng.uniform(0.1, 0.4), 90.0, 800)
    return x[:, None]


def near_gate(rng):
    """frame-long noise plateaus, most of them a few dB around -70 dB RMS"""
    n = _length(rng, 4.0, 6.0)
    frames = n // 1024 + 1
    db = rng.uniform(-84, -58, frames)
    db[rng.random(frames) < 0.10] = -30.0
    g = np.repeat(10 ** (db / 20), 1024)[:n]
    return (g * rng.standard_normal(n))[:, None]


def syllables(rng):
    n = _length(rng)
    x = np.zeros((n, 2))
    p = int(rng.integers(0, 6000))
    while p < n - 9000:
        m = int(rng.integers(3000, 14000))
        m = min(m, n - p)
        k = np.arange(m)
        f0 = rng.uniform(100, 260)
        v = np.zeros(m)
        for h in range(1, 9):
            v += np.sin(2 * np.pi * f0 * h * k / SR) / h
        v = v * np.sin(np.pi * k / m) ** 0.5
        v = 0.12 * v + 0.03 * rng.standard_normal(m) * (k < 1500)
        x[p : p + m, 0] += v
        x[p : p + m, 1] += 0.7 * v
        p += m + int(rng.integers(2000, 16000))
    return x


def late_start(rng):
    """exact silence for 0..6 frames (plus a few samples), then steady noise with bursts"""
    n = _length(rng, 4.0, 6.0)
    x = np.zeros((n, 2))
    for c in range(2):
        lead = 1024 * int(rng.integers(0, 7)) + int(rng.integers(0, 200))
        x[lead:, c] = 0.02 * rng.standard_normal(n - lead)
        for s in _random_times(rng, n, int(rng.integers(3, 8)), 12000):
            _add_noise_burst(x[:, c], rng, s, 0.25, 2000.0, 12000)
    return x


def clicks(rng):
    n = _length(rng)
    x = np.zeros(n)
    for s in _random_times(rng, n, int(rng.integers(8, 25)), 4000):
        x[s] = rng.uniform(0.1, 0.95) * (1 if rng.random() < 0.5 else -1)
    x += 1e-3 * rng.standard_normal(n)
    return x[:, None]


def dense(rng):
    n = _length(rng)
    x = np.zeros((n, 2))
    for c in range(2):
        s = int(rng.integers(0, 3000))
        while s < n - 3000:
            _add_noise_burst(x[:, c], rng, s, rng.uniform(0.05, 0.35), rng.uniform(200, 900), 4000)
            s += int(rng.integers(1500, 6000))
    return x


def loud_clipped(rng):
    n = _length(rng)
    x = np.zeros((n, 2))
    for c in range(2):
        for s in _random_times(rng, n, int(rng.integers(12, 30)), 4000):
            _add_tone_burst(
                x[:, c],
                s,
                rng.uniform(0.3, 0.9),
                rng.uniform(60, 3000),
                rng.uniform(1500, 9000),
                22000,
            )
            _add_noise_burst(x[:, c], rng, s, rng.uniform(0.05, 0.3), 700.0, 5000)
    return np.clip(1.6 * x, -0.95, 0.95)


def glide(rng):
    n = _length(rng)
    seg = 11025
    f = 110.0 * 2 ** rng.uniform(0, 5, n // seg + 2)
    inst = np.repeat(f, seg)[:n]
    amp = np.repeat(10 ** rng.uniform(-2.0, -0.3, n // seg + 2), seg)[:n]
    ph = 2 * np.pi * np.cumsum(inst) / SR
    y = amp * (np.sin(ph) + 0.3 * np.sin(3 * ph)) + 5e-4 * rng.standard_normal(n)
    return (0.7 * y)[:, None]


def single_event(rng):
    n = _length(rng, 4.0, 5.0)
    x = np.zeros(n)
    _add_noise_burst(x, rng, int(rng.integers(30000, n - 60000)), 0.3, 3000.0, 30000)
    return x[:, None]


def one_silent_channel(rng):
    x = noise_bursts(rng)
    return np.concatenate([x, np.zeros_like(x)], axis=1)


def steady_from_start(rng):
    n = _length(rng, 4.0, 6.0)
    return 10 ** rng.uniform(-2, -0.9) * rng.standard_normal((n, 2))


RECIPES = {
    f.__name__: f
    for f in (
        noise_bursts,
        tone_bursts,
        drum_loop,
        bursts_on_floor,
        am_pad,
        fade_with_clicks,
        near_gate,
        syllables,
        late_start,
        clicks,
        dense,
        loud_clipped,
        glide,
        single_event,
        one_silent_channel,
        steady_from_start,
    )
}


def make(recipe, seed):
    return _snap(RECIPES[recipe](np.random.default_rng(seed)))


def make_all(entries):
    """entries: iterable of dicts with keys id, recipe, seed -> {id: signal}"""
    return {e["id"]: make(e["recipe"], e["seed"]) for e in entries}
