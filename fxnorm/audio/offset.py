"""Offsets of the zero line (DC), which faulty converters and plug-ins leave in recordings."""

import numpy as np

from fxnorm import scratch
from fxnorm.audio.levels import peak

#: Share of the peak from which on an offset is a fault: music has a hundredth of it or less.
_FAULT = 0.02
_LOWEST = 1e-4
#: Samples of sound from which on an offset can be told from an event.
_SHORTEST = 4096
_PARTS = 8
_LOOKED_AT_ONCE = 2**14


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
        parts = np.array_split(samples, _PARTS)
        sums = [_sum_in_blocks(part) for part in parts]
        mean = sum(sums) / samples.size
        if abs(mean) <= _LOWEST:
            continue
        # Music swings to both sides: a single one-sided event is sound, not an offset.
        constant = all(
            abs(total / part.size - mean) < 0.5 * abs(mean)
            for total, part in zip(sums, parts, strict=True)
        )
        if constant and abs(mean) > _FAULT * peak(samples):
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


def _sum_in_blocks(samples: np.ndarray) -> float:
    blocks = scratch.blocks(samples.size)
    return sum(float(samples[block].sum(dtype=np.float64)) for block in blocks)


def _ranges(audio: np.ndarray) -> list[tuple[int, int]]:
    """First and one behind the last sample of each channel that is not zero."""
    ranges = []
    for channel in audio.T:
        end = channel.size - _silent_samples(channel[::-1])
        ranges.append((min(_silent_samples(channel), end), end))
    return ranges


def _silent_samples(channel: np.ndarray) -> int:
    """How many zeros it begins with."""
    for block in scratch.blocks(channel.size, _LOOKED_AT_ONCE):
        sounding = channel[block] != 0.0
        if sounding.any():
            start: int = block.start
            return start + int(sounding.argmax())
    return channel.size
