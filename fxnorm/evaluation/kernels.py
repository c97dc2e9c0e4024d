"""Compiled inner loops of the metrics.

They take float64 arrays, release the GIL and write into what they are given. Terms are first
written out, then summed on eight accumulators, so that both loops are vectorised and yet round
the same way on every machine.
"""

import numpy as np

from fxnorm.compiling import compiled

#: Columns of `spectral_shapes` before the bands' peaks and valleys.
SHAPE_COLUMNS = 4

_MAGNITUDE_FLOOR = 1e-4
_FLATNESS_FLOOR = 1e-10
_ROLLOFF = 0.85
_SILENCE = 1e-30
#: How much further than in the frame before a band's extremes are looked for at first.
_HINT = 1.5


@compiled
def windowed_frames(samples: np.ndarray, window: np.ndarray, hop: int, out: np.ndarray) -> None:
    """Cut (samples,) into frames every `hop` samples, times `window`.

    Args:
        samples: (samples,).
        window: (n_fft,).
        hop: in samples.
        out: (frames, n_fft).
    """
    for row in range(out.shape[0]):
        part, frame = samples[row * hop :], out[row]
        for k in range(window.shape[0]):
            frame[k] = part[k] * window[k]


@compiled
def magnitudes(spectra: np.ndarray, out: np.ndarray) -> None:
    """|z| of (rows, bins) complex128."""
    for row in range(out.shape[0]):
        spectrum, magnitude = spectra[row], out[row]
        for k in range(magnitude.shape[0]):
            z = spectrum[k]
            magnitude[k] = np.sqrt(z.real * z.real + z.imag * z.imag)


@compiled
def ratio_sums(part: np.ndarray, whole: np.ndarray, out: np.ndarray) -> None:
    """Sum over bins of |part| / (whole + 1e-5).

    Args:
        part: (rows, bins) complex128.
        whole: (rows, bins) magnitudes.
        out: (rows,).
    """
    terms = np.empty(part.shape[1])
    for row in range(part.shape[0]):
        spectrum, magnitude = part[row], whole[row]
        for k in range(terms.shape[0]):
            z = spectrum[k]
            terms[k] = np.sqrt(z.real * z.real + z.imag * z.imag) / (magnitude[k] + 1e-5)
        out[row] = _sum(terms)


@compiled
def spectral_shapes(magnitude: np.ndarray, bands: np.ndarray, out: np.ndarray) -> None:
    """Moments, roll-off, flatness and each band's extremes of magnitude spectra.

    Args:
        magnitude: (rows, bins).
        bands: (bands, 3) int: first bin, end bin (exclusive), how many extremes to average.
        out: (rows, 4 + 2 * bands): centroid, bandwidth and roll-off in bins, flatness (0 to 1),
            then the mean of the largest and then of the smallest values of every band.
    """
    bins = magnitude.shape[1]
    count = bands.shape[0]
    index = np.arange(bins).astype(np.float64)
    terms = np.empty(bins)
    kept = np.empty(np.max(bands[:, 2]))
    largest = np.full(count, np.inf)
    smallest = np.full(count, np.inf)
    for row in range(magnitude.shape[0]):
        values = magnitude[row]
        total = _sum(values)
        out[row, 0] = 0.0
        out[row, 1] = 0.0
        if total > 0.0:
            for k in range(bins):
                terms[k] = values[k] * index[k]
            centroid = _sum(terms) / total
            for k in range(bins):
                terms[k] = values[k] * ((index[k] - centroid) * (index[k] - centroid))
            out[row, 0] = centroid
            out[row, 1] = np.sqrt(_sum(terms) / total)
        out[row, 2] = _rolloff_bin(values, _ROLLOFF * total)
        for k in range(bins):
            terms[k] = max(values[k] * values[k], _FLATNESS_FLOOR)
        out[row, 3] = np.exp(_sum_of_logs(terms) / bins) / (_sum(terms) / bins)
        for k in range(bins):
            terms[k] = -values[k]
        for band in range(count):
            start, end, extremes = bands[band]
            few = kept[:extremes]
            _keep_smallest(terms[start:end], few, largest[band])
            largest[band] = few[-1] / _HINT
            out[row, SHAPE_COLUMNS + band] = -_sum(few) / extremes
            _keep_smallest(values[start:end], few, smallest[band])
            smallest[band] = few[-1] * _HINT
            out[row, SHAPE_COLUMNS + count + band] = _sum(few) / extremes


@compiled
def position_squares(
    left: np.ndarray, right: np.ndarray, edges: np.ndarray, out: np.ndarray
) -> None:
    """Sum of squared stereo position (SPS) over each band of bins.

    SPS = ±(1 - φ) with φ = 2|L||R| / (|L|² + |R|²); 1 - φ = (|L| - |R|)² / (|L|² + |R|²).

    Args:
        left: (rows, bins) magnitudes.
        right: (rows, bins) magnitudes.
        edges: (bands + 1,) int, rising: band i is bins edges[i] to edges[i + 1], exclusive.
        out: (rows, bands).
    """
    terms = np.empty(left.shape[1])
    for row in range(left.shape[0]):
        for k in range(left.shape[1]):
            a = left[row, k] + 1e-20
            b = right[row, k] + 1e-20
            position = (a - b) * (a - b) / (a * a + b * b)
            terms[k] = position * position
        for band in range(edges.shape[0] - 1):
            out[row, band] = _sum(terms[edges[band] : edges[band + 1]])


@compiled
def level_blocks(channel: np.ndarray, size: int, out: np.ndarray) -> None:
    """Energy, peak and summed log level of consecutive blocks.

    Args:
        channel: (samples,), at least blocks * size.
        size: block length in samples.
        out: (blocks, 3): sum of squares, largest magnitude, sum of ln(|x| + 1e-30).
    """
    magnitude = np.empty(size)
    squares = np.empty(size)
    for block in range(out.shape[0]):
        peak = 0.0
        for k in range(size):
            value = abs(channel[block * size + k])
            peak = max(peak, value)
            squares[k] = value * value
            magnitude[k] = value + _SILENCE
        out[block, 0] = _sum(squares)
        out[block, 1] = peak
        out[block, 2] = _sum_of_logs(magnitude)


@compiled
def distance_sums(
    mix: np.ndarray, target: np.ndarray, mix_scale: float, target_scale: float
) -> tuple[float, float, float]:
    """What spectral convergence and log-magnitude distance are made of.

    Args:
        mix: (channels, rows, bins) magnitudes.
        target: (channels, rows, bins) magnitudes.
        mix_scale: multiplies `mix` first.
        target_scale: multiplies `target` first.

    Returns:
        Sums over all of (Y - X)², Y² and |ln X - ln Y|, with X (the mix) and Y (the
        target) floored at 1e-4, below the rounding noise of 16 bits.
    """
    bins = mix.shape[2]
    ratios = np.empty(bins)
    squares = np.empty(bins)
    energies = np.empty(bins)
    difference = 0.0
    energy = 0.0
    logs = 0.0
    for channel in range(mix.shape[0]):
        for row in range(mix.shape[1]):
            for k in range(bins):
                x = max(mix[channel, row, k] * mix_scale, _MAGNITUDE_FLOOR)
                y = max(target[channel, row, k] * target_scale, _MAGNITUDE_FLOOR)
                squares[k] = (y - x) * (y - x)
                energies[k] = y * y
                ratios[k] = max(x, y) / min(x, y)
            difference += _sum(squares)
            energy += _sum(energies)
            logs += _sum_of_logs(ratios)
    return difference, energy, logs


@compiled
def waveform_sums(mix: np.ndarray, target: np.ndarray, sums: np.ndarray) -> None:
    """Add |x - y|, (x - y)², x² and y² of (samples, channels) to `sums`, (channels, 4)."""
    for c in range(mix.shape[1]):
        absolute = squared = mix_energy = target_energy = 0.0
        for n in range(mix.shape[0]):
            x = np.float64(mix[n, c])
            y = np.float64(target[n, c])
            absolute += abs(x - y)
            squared += (x - y) * (x - y)
            mix_energy += x * x
            target_energy += y * y
        sums[c, 0] += absolute
        sums[c, 1] += squared
        sums[c, 2] += mix_energy
        sums[c, 3] += target_energy


@compiled
def two_biquads(audio: np.ndarray, sections: np.ndarray, state: np.ndarray) -> None:
    """Filter stereo audio in place by two second-order sections in series.

    Args:
        audio: (2, samples).
        sections: (2, 6) as scipy's `sos`, with a0 = 1.
        state: (2 sections, 2 channels, 2), read and updated (transposed direct form II).
    """
    b00, b01, b02, _, a01, a02 = sections[0]
    b10, b11, b12, _, a11, a12 = sections[1]
    l00, l01, l10, l11 = state[0, 0, 0], state[0, 0, 1], state[1, 0, 0], state[1, 0, 1]
    r00, r01, r10, r11 = state[0, 1, 0], state[0, 1, 1], state[1, 1, 0], state[1, 1, 1]
    for n in range(audio.shape[1]):
        x = audio[0, n]
        y = b00 * x + l00
        l00 = (b01 * x + l01) - a01 * y
        l01 = b02 * x - a02 * y
        z = b10 * y + l10
        l10 = (b11 * y + l11) - a11 * z
        l11 = b12 * y - a12 * z
        audio[0, n] = z
        x = audio[1, n]
        y = b00 * x + r00
        r00 = (b01 * x + r01) - a01 * y
        r01 = b02 * x - a02 * y
        z = b10 * y + r10
        r10 = (b11 * y + r11) - a11 * z
        r11 = b12 * y - a12 * z
        audio[1, n] = z
    state[0, 0, 0], state[0, 0, 1], state[1, 0, 0], state[1, 0, 1] = l00, l01, l10, l11
    state[0, 1, 0], state[0, 1, 1], state[1, 1, 0], state[1, 1, 1] = r00, r01, r10, r11


@compiled
def first_sustained(audio: np.ndarray, window: int, threshold: float, run: int) -> int:
    """First sample of the first `run` samples in a row whose rolling RMS exceeds `threshold`.

    Args:
        audio: (samples, channels); the loudest channel counts.
        window: length of the rolling RMS in samples, ending at the sample in question.
        threshold: linear.
        run: how many samples in a row.

    Returns:
        The sample's index, or the number of samples when there is no such run.
    """
    samples, channels = audio.shape
    energy = np.zeros(channels)
    limit = threshold * threshold * window
    active = 0
    for n in range(samples):
        loud = False
        for c in range(channels):
            energy[c] += np.float64(audio[n, c]) ** 2
            if n >= window:
                energy[c] -= np.float64(audio[n - window, c]) ** 2
            loud = loud or energy[c] > limit
        active = active + 1 if loud else 0
        if active == run:
            return n - run + 1
    return len(audio)


@compiled
def _sum(values: np.ndarray) -> float:
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = values.shape[0] // 8 * 8
    for k in range(0, whole, 8):
        s0 += values[k]
        s1 += values[k + 1]
        s2 += values[k + 2]
        s3 += values[k + 3]
        s4 += values[k + 4]
        s5 += values[k + 5]
        s6 += values[k + 6]
        s7 += values[k + 7]
    for k in range(whole, values.shape[0]):
        s0 += values[k]
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


@compiled
def _sum_of_logs(values: np.ndarray) -> float:
    """Sum of natural logarithms of values between 1e-38 and 1e38, one logarithm per eight."""
    logs = 0.0
    whole = values.shape[0] // 8 * 8
    for k in range(0, whole, 8):
        low = (values[k] * values[k + 1]) * (values[k + 2] * values[k + 3])
        high = (values[k + 4] * values[k + 5]) * (values[k + 6] * values[k + 7])
        logs += np.log(low * high)
    for k in range(whole, values.shape[0]):
        logs += np.log(values[k])
    return logs


@compiled
def _rolloff_bin(values: np.ndarray, threshold: float) -> int:
    cumulated = 0.0
    for k in range(values.shape[0]):
        cumulated += values[k]
        if cumulated >= threshold:
            return k
    return len(values) - 1


@compiled
def _keep_smallest(values: np.ndarray, kept: np.ndarray, guess: float) -> None:
    """Sort the smallest values into `kept`, rising.

    `guess` only saves time: where it lies above as many values as are kept, but not many more,
    only those are sorted in.
    """
    size = kept.shape[0]
    pool = np.empty(values.shape[0])
    found = 0
    for k in range(values.shape[0]):
        pool[found] = values[k]
        found += values[k] < guess
    if found < size:
        pool[:] = values
        found = values.shape[0]
    kept[:] = np.inf
    for k in range(found):
        value = pool[k]
        if value < kept[size - 1]:
            slot = size - 1
            while slot > 0 and kept[slot - 1] > value:
                kept[slot] = kept[slot - 1]
                slot -= 1
            kept[slot] = value
