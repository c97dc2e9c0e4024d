"""Keys, chord progressions and voicings."""

import numpy as np

from fxnorm.data.synthesis.score import Chord

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)

#: Scale degrees (0 = tonic) that follow each degree, in major and minor.
_NEXT_MAJOR = {
    0: (3, 4, 5, 5, 1),
    1: (4, 3),
    2: (5, 3),
    3: (4, 0, 1, 5),
    4: (0, 5, 3),
    5: (3, 4, 2),
}
_NEXT_MINOR = {0: (5, 3, 6, 2), 2: (5, 6, 3), 3: (6, 0, 4), 4: (0, 5), 5: (6, 2, 3), 6: (0, 2, 5)}


def scale(key: int, minor: bool) -> tuple[int, ...]:
    """Pitch classes of the natural scale, tonic first, in rising order (may exceed 11)."""
    return tuple(key + step for step in (_MINOR if minor else _MAJOR))


def progression(
    key: int, minor: bool, sevenths: bool, start: int, generator: np.random.Generator
) -> tuple[Chord, ...]:
    """Four diatonic chords, one per bar, that lead back to the first.

    Args:
        key: pitch class of the tonic.
        minor: natural minor instead of major.
        sevenths: four-tone chords.
        start: scale degree of the first chord, one that `generator` may leave from.
        generator: draws the others.
    """
    following = _NEXT_MINOR if minor else _NEXT_MAJOR
    degrees = [start]
    for _ in range(3):
        degrees.append(int(generator.choice(following[degrees[-1]])))
    return tuple(_diatonic(degree, key, minor, sevenths) for degree in degrees)


def voicing(chord: Chord, centre: float, tones: int) -> tuple[int, ...]:
    """The `tones` chord tones nearest to `centre` (MIDI), in rising order.

    Keeping near one pitch leads the voices smoothly from chord to chord.
    """
    classes = [(chord.root + interval) % 12 for interval in chord.intervals]
    pitches = [p for p in range(int(centre) - 14, int(centre) + 15) if p % 12 in classes]
    nearest = sorted(pitches, key=lambda pitch: (abs(pitch - centre), pitch))[:tones]
    return tuple(sorted(nearest))


def nearest_pitch(pitch_class: int, centre: float) -> int:
    """The MIDI pitch of a class that lies nearest to `centre` (the lower one of two)."""
    below = int(centre) - (int(centre) - pitch_class) % 12
    return below if centre - below <= 6 else below + 12


def _diatonic(degree: int, key: int, minor: bool, sevenths: bool) -> Chord:
    steps = _MINOR if minor else _MAJOR
    offsets = (0, 2, 4, 6) if sevenths else (0, 2, 4)
    tones = [steps[(degree + o) % 7] + 12 * ((degree + o) // 7) for o in offsets]
    return Chord((key + tones[0]) % 12, tuple(tone - tones[0] for tone in tones))
