"""Offsets of the zero line (DC), which faulty converters and plug-ins leave in recordings."""

import numpy as np

from fxnorm import scratch
from fxnorm.audio.levels import peak

#: Share of the peak from which on an offset is a fault: music has a hundredth of it or less.
_FAULT = 0.02
_LOWEST = 1e-4
#: Samples of sound from which on an offset can be told from an event.
_SHORTEST = 4096


def offsets(audio: np.ndarray) -> np.ndarray:
    """Offset of each channel over the range in which it is not zero; 0 where it is no fault.

    Args:
        audio: (samples, channels).

    Returns:
        (channels,) float64.
    """
    found = np.zeros(audio.shape[1])
    for channel, (start, stop) in enumerate(_ranges(audio)):
        if stop - start < _SHORTEST:
            continue
        samples = audio[start:stop, channel]
        mean = _mean(samples)
        # Music swings to both sides: a single one-sided event is sound, not an offset.
        constant = all(
            abs(_mean(part) - mean) < 0.5 * abs(mean)
            for part in np.array_split(samples, min(8, samples.size))
        )
        if constant and abs(mean) > max(_LOWEST, _FAULT * peak(samples)):
            found[channel] = mean
    return found


def without_offsets(audio: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Take `offsets` off the range in which each channel is not zero, (samples, channels)."""
    cleaned = scratch.empty(audio.shape)
    for block in scratch.blocks(audio.shape[0]):
        cleaned[block] = audio[block]
    for channel, (start, stop) in enumerate(_ranges(audio)):
        cleaned[start:stop, channel] -= np.float32(offsets[channel])
    return cleaned


def _mean(samples: np.ndarray) -> float:
    blocks = scratch.blocks(samples.size)
    return sum(float(samples[block].sum(dtype=np.float64)) for block in blocks) / samples.size


def _ranges(audio: np.ndarray) -> list[tuple[int, int]]:
    """First and one behind the last sample of each channel that is not zero."""
    ranges = []
    for channel in audio.T:
        begin, end = audio.shape[0], 0
        for block in scratch.blocks(audio.shape[0]):
            sounding = channel[block] != 0.0
            if sounding.any():
                begin = min(begin, block.start + int(sounding.argmax()))
                end = block.stop - int(sounding[::-1].argmax())
        ranges.append((min(begin, end), end))
    return ranges
