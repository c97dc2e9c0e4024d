"""From processed stems to a mixture that is their sum: bus, coding, limiter, 16-bit steps."""

from functools import reduce

import numpy as np
import scipy

from fxnorm.audio import db, from_db, integrated_loudness
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.dynamics import STEPS, limiter_gain, louder_channel
from fxnorm.data.synthesis.oscillators import sample_count
from fxnorm.effects import high_pass
from fxnorm.effects.compressor import gain_reduction_db, level_db, smoothing

_PASSES = 3
#: Songs come coded. Of what is above this, that leaves little, and it is wide: in five real mixes
#: it lies 20 to 50 dB below the octaves under it, with a phi of 0.74 to 0.84.
_TOP = scipy.signal.butter(8, 16_000.0, "highpass", fs=SAMPLE_RATE, output="sos")
_TOP_DB = -16.0
#: The side of the treble stays open where the treble is this far above its loud moments, and closes
#: by two decibels for each below that.
_TREBLE = high_pass(6000.0, SAMPLE_RATE)
_OPEN_DB, _NARROWEST_DB = 8.5, 30.0
_BLOCK_S = 0.01
#: The bus compressor: threshold in dB above the mixture's loudness, ratio, attack, release in ms.
_GLUE = (4.0, 2.0, 20.0, 200.0)


def mix_down(
    stems: dict[str, np.ndarray], target_lufs: float, ceiling_db: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Bring a mix to a loudness under a ceiling, and round to 16 bits.

    The bus processors' gain is computed on the sum and applied to every stem alike, so the mixture
    remains the sum of its stems.

    Args:
        stems: (samples, 2) each.
        target_lufs: integrated loudness of the mixture.
        ceiling_db: its highest sample peak in dBFS.

    Returns:
        Stems and mixture, float32 on 16-bit steps; the mixture is the exact sum.
    """
    tops = {stem: _top(audio) for stem, audio in stems.items()}
    stems = {stem: audio - tops[stem] for stem, audio in stems.items()}
    narrowing = _narrowing(reduce(np.add, stems.values()))
    stems = {
        stem: _narrowed(audio, narrowing) + from_db(_TOP_DB) * tops[stem]
        for stem, audio in stems.items()
    }
    mix = reduce(np.add, stems.values())
    # A stem may exceed the sum where others cancel it: no file may clip.
    peaks = np.maximum.reduce([louder_channel(audio) for audio in (mix, *stems.values())])
    gain = _bus_gain(mix, peaks, target_lufs, ceiling_db)
    steps = {
        stem: np.rint(audio * (gain * STEPS)[:, None]).astype(np.int32)
        for stem, audio in stems.items()
    }
    mixture = reduce(np.add, steps.values())
    return (
        {stem: (audio / STEPS).astype(np.float32) for stem, audio in steps.items()},
        (mixture / STEPS).astype(np.float32),
    )


def _top(audio: np.ndarray) -> np.ndarray:
    """What lies above `_TOP`, (samples, 2); the rest is the audio without it."""
    return np.asarray(scipy.signal.sosfiltfilt(_TOP, audio, axis=0))


def _narrowing(mix: np.ndarray) -> np.ndarray:
    """Factor, less one, on the treble of the side: the treble of what rings on moves inwards."""
    treble = _treble(0.5 * (mix[:, 0] + mix[:, 1]))
    block = sample_count(_BLOCK_S)
    count = treble.size // block
    level_db = db(np.sqrt(np.mean(treble[: count * block].reshape(count, block) ** 2, axis=1)))
    below = np.percentile(level_db, 90.0) + _OPEN_DB - level_db
    factor = from_db(-np.clip(2.0 * below, 0.0, _NARROWEST_DB))
    centers = (np.arange(count) + 0.5) * block
    narrowing: np.ndarray = np.interp(np.arange(treble.size), centers, factor) - 1.0
    return narrowing


def _narrowed(audio: np.ndarray, narrowing: np.ndarray) -> np.ndarray:
    side = _treble(0.5 * (audio[:, 0] - audio[:, 1])) * narrowing
    narrowed: np.ndarray = audio + np.stack([side, -side], axis=1)
    return narrowed


def _treble(signal: np.ndarray) -> np.ndarray:
    return np.asarray(scipy.signal.sosfilt(_TREBLE, signal))


def _bus_gain(
    mix: np.ndarray, peaks: np.ndarray, target_lufs: float, ceiling_db: float
) -> np.ndarray:
    """Linear gain of every sample: compressor, level, limiter; (samples,)."""
    threshold, ratio, attack_ms, release_ms = _GLUE
    loudness = integrated_loudness(mix, SAMPLE_RATE)
    reduction_db = gain_reduction_db(
        level_db(louder_channel(mix).astype(np.float32)),
        loudness + threshold,
        ratio,
        smoothing(attack_ms, SAMPLE_RATE),
        smoothing(release_ms, SAMPLE_RATE),
    )
    glue = from_db(-reduction_db)
    makeup_db = target_lufs - loudness
    for _ in range(_PASSES):
        gain: np.ndarray = glue * from_db(makeup_db)
        gain *= limiter_gain(peaks * gain, float(from_db(ceiling_db)))
        makeup_db += target_lufs - integrated_loudness(mix * gain[:, None], SAMPLE_RATE)
    return gain
