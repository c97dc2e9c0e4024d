"""Feed-forward dynamic range processor: hard knee, log domain, smooth branching detector.

Design after Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design", JAES 2012.
Levels depend on the signal alone, so whoever tries many settings computes them once (`level_db`)
and then runs `compress_levels` for each.
"""

import math

import numpy as np

from fxnorm import scratch
from fxnorm.audio.levels import DB_PER_NEPER
from fxnorm.compiling import compiled
from fxnorm.errors import FxNormError

#: Level given to samples below `_LEVEL_FLOOR`, in dB.
LEVEL_FLOOR_DB = -120.0
_LEVEL_FLOOR = 1e-6
_BLOCK = 2048


def compress(
    channel: np.ndarray,
    sample_rate: int,
    threshold_db: float,
    ratio: float,
    attack_ms: float,
    release_ms: float,
) -> np.ndarray:
    """Compress one channel, or expand it upwards.

    Args:
        channel: (samples,), full scale = 1.
        sample_rate: in Hz.
        threshold_db: level in dBFS where the gain starts to change.
        ratio: above 1 attenuates what is above the threshold (4 = 4:1); below 1 amplifies what is
            below it (0.25 = 1:4); 1 changes nothing.
        attack_ms: time constant while the gain reduction grows; 0 acts at once.
        release_ms: time constant while it falls, likewise.

    Returns:
        (samples,) float32.

    Raises:
        FxNormError: a negative time constant.
    """
    channel = np.ascontiguousarray(channel, np.float32)
    attack, release = smoothing(attack_ms, sample_rate), smoothing(release_ms, sample_rate)
    return compress_levels(channel, level_db(channel), threshold_db, ratio, attack, release)


def smoothing(time_ms: float, sample_rate: int) -> float:
    """Coefficient of a one-pole smoother that covers 1 − 1/e of a step in `time_ms`.

    Args:
        time_ms: time constant; 0 follows at once.
        sample_rate: in Hz.

    Raises:
        FxNormError: a negative time.
    """
    if time_ms < 0.0:
        raise FxNormError(f"time constant {time_ms:g} ms: give 0 or more")
    if time_ms == 0.0:
        return 0.0
    return math.exp(-1.0 / (0.001 * sample_rate * time_ms))


def level_db(channel: np.ndarray) -> np.ndarray:
    """Level of every sample of a contiguous float32 channel in dBFS, float64.

    Samples below 1e-6 count as -120 dB.
    """
    levels = scratch.empty(channel.shape[0], np.float64)
    work = np.empty((2, _BLOCK))
    _levels_db(channel, work, work.view(np.uint64), levels)
    return levels


def gain_reduction_db(
    levels: np.ndarray,
    threshold_db: float,
    ratio: float,
    attack: float,
    release: float,
    initial_db: float = 0.0,
) -> np.ndarray:
    """Smoothed gain reduction of every sample in dB, for gains that act on several channels.

    Threshold and ratio are those of `compress`.

    Args:
        levels: (samples,) from `level_db`.
        attack: coefficient from `smoothing`.
        release: coefficient from `smoothing`.
        initial_db: the last value of the block before, to go on from.

    Returns:
        (samples,) float64; negative values are amplification.
    """
    reduction = np.empty(levels.shape[0])
    _detect(levels, threshold_db, slope(ratio), ratio > 1.0, attack, release, initial_db, reduction)
    return reduction


def compress_levels(
    channel: np.ndarray,
    levels: np.ndarray,
    threshold_db: float,
    ratio: float,
    attack: float,
    release: float,
    *,
    strength: float = 1.0,
    output: np.ndarray | None = None,
) -> np.ndarray:
    """`compress` with the levels given, which may be those of another signal (a side chain).

    Args:
        channel: (samples,) float32, contiguous.
        levels: (samples,) from `level_db`.
        attack: coefficient from `smoothing`.
        release: coefficient from `smoothing`.
        strength: factor on the gain reduction in dB.
        output: array to write to; a new one if not given.

    Returns:
        (samples,) float32.
    """
    if output is None:
        output = np.empty_like(channel)
    downward = ratio > 1.0
    detector = (threshold_db, slope(ratio), downward, attack, release)
    work = np.empty((3, _BLOCK))
    _compress_in_blocks(channel, levels, *detector, strength, work, work.view(np.int64), output)
    return output


def slope(ratio: float) -> float:
    """Gain reduction in dB per dB beyond the threshold."""
    return 1.0 - 1.0 / ratio if ratio > 1.0 else 1.0 - ratio


@compiled
def _detect(
    levels: np.ndarray,
    threshold: float,
    slope: float,
    downward: bool,
    attack: float,
    release: float,
    state: float,
    reduction: np.ndarray,
) -> float:
    """Write the smoothed gain reduction and return its last value."""
    # "Attack where the reduction grows" is the larger of both updates if attack is the faster one.
    faster_attack = attack <= release
    for n in range(levels.shape[0]):
        over = levels[n] - threshold
        wanted = slope * (max(over, 0.0) if downward else min(over, 0.0))
        attacked = attack * state + (1.0 - attack) * wanted
        released = release * state + (1.0 - release) * wanted
        state = max(attacked, released) if faster_attack else min(attacked, released)
        reduction[n] = state
    return state


@compiled
def _compress_in_blocks(
    channel: np.ndarray,
    levels: np.ndarray,
    threshold: float,
    slope: float,
    downward: bool,
    attack: float,
    release: float,
    strength: float,
    work: np.ndarray,
    bits: np.ndarray,
    output: np.ndarray,
) -> None:
    """Block by block, so that the reductions stay in the cache between both loops.

    `bits` is `work`, (3, block), as integers: to make that view here would take long to compile.
    """
    reduction = work[0]
    state = 0.0
    for start in range(0, channel.shape[0], _BLOCK):
        part = slice(start, min(start + _BLOCK, channel.shape[0]))
        state = _detect(levels[part], threshold, slope, downward, attack, release, state, reduction)
        _apply_gain(channel[part], strength, work, bits, output[part])


#: 2^x = 2^k · e^(f ln 2) with k = x rounded and |f| ≤ 1/2. Adding 1.5 · 2⁵² to a double rounds it
#: to an integer and leaves that integer in its lowest bits.
_ROUNDER = 1.5 * 2.0**52
_OCTAVES_PER_DB = math.log2(10.0) / 20.0
_LN2 = math.log(2.0)
_E2, _E3, _E4, _E5 = 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120
_E6, _E7 = 1.0 / 720, 1.0 / 5040  # the next term is below 5e-9, a tenth of single's rounding


@compiled
def _apply_gain(
    channel: np.ndarray,
    strength: float,
    work: np.ndarray,
    bits: np.ndarray,
    output: np.ndarray,
) -> None:
    """Multiply by 10^(−strength · reduction/20), written out to be vectorised."""
    reduction, power, exponent = work[0], work[1], work[2]
    power_bits, exponent_bits = bits[1], bits[2]
    for n in range(channel.shape[0]):
        octaves = -strength * reduction[n] * _OCTAVES_PER_DB
        exponent[n] = octaves + _ROUNDER
        f = (octaves - (exponent[n] - _ROUNDER)) * _LN2
        high = _E5 + f * (_E6 + f * _E7)
        power[n] = 1.0 + f * (1.0 + f * (_E2 + f * (_E3 + f * (_E4 + f * high))))
    for n in range(channel.shape[0]):
        power_bits[n] += exponent_bits[n] << 52
    for n in range(channel.shape[0]):
        output[n] = np.float32(channel[n] * power[n])


#: Coefficients of fdlibm's logarithm (error below one unit in the last place).
_L1, _L2, _L3 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01
_L4, _L5, _L6 = 2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01
_L7 = 1.479819860511658591e-01
_MANTISSA = np.uint64((1 << 52) - 1)
_SQRT_HALF = np.uint64(0x3FE6A09E667F3BCD)  # the bits of √½
_BIAS = np.uint64((1 << 62) - (1 << 52))  # keeps the exponent positive: the compiler
_ROUNDER_BITS = np.uint64(0x4338000000000000 - 1023)  # has no arithmetic shift for vectors
_MANTISSA_WIDTH = np.uint64(52)
_DB_PER_OCTAVE = 20.0 * math.log10(2.0)


@compiled
def _levels_db(
    channel: np.ndarray, work: np.ndarray, work_bits: np.ndarray, levels: np.ndarray
) -> None:
    """20 log10 of the magnitudes, written out to be vectorised: x = m · 2^k, √½ ≤ m < √2."""
    mantissa, exponent = work[0], work[1]
    bits, exponent_bits = work_bits[0], work_bits[1]
    for start in range(0, channel.shape[0], _BLOCK):
        part, out = channel[start : start + _BLOCK], levels[start : start + _BLOCK]
        for n in range(part.shape[0]):
            magnitude = abs(np.float64(part[n]))
            mantissa[n] = magnitude if magnitude > _LEVEL_FLOOR else _LEVEL_FLOOR
        for n in range(part.shape[0]):
            shifted = bits[n] - _SQRT_HALF
            exponent_bits[n] = _ROUNDER_BITS + ((shifted + _BIAS) >> _MANTISSA_WIDTH)
            bits[n] = (shifted & _MANTISSA) + _SQRT_HALF
        for n in range(part.shape[0]):
            f = mantissa[n] - 1.0
            s = f / (2.0 + f)
            z = s * s
            r = z * (_L1 + z * (_L2 + z * (_L3 + z * (_L4 + z * (_L5 + z * (_L6 + z * _L7))))))
            natural = f - s * (f - r)
            out[n] = natural * DB_PER_NEPER + (exponent[n] - _ROUNDER) * _DB_PER_OCTAVE
        for n in range(part.shape[0]):
            if abs(np.float64(part[n])) < _LEVEL_FLOOR:
                out[n] = LEVEL_FLOOR_DB
