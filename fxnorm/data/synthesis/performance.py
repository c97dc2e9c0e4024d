"""Playing a song: from its score to the raw recording of each stem."""

import numpy as np

from fxnorm.data.synthesis.drums import play_drums
from fxnorm.data.synthesis.dynamics import limit_crest
from fxnorm.data.synthesis.instruments import play
from fxnorm.data.synthesis.oscillators import sample_count
from fxnorm.data.synthesis.score import Song
from fxnorm.data.synthesis.voice import sing
from fxnorm.seeds import generator

_PEAK = 0.5
#: Peaks above a stem's level, in dB, that get through the recording chain.
_LARGEST_CREST_DB = 18.5
_BACKING_LEVEL = 0.35
#: The second instrument of the accompaniment stays behind the first.
_LAYER_LEVEL = 0.7
_FADE_OUT_S = 0.6


def perform(song: Song, seed: int) -> dict[str, np.ndarray]:
    """Record a song's four stems without any processing.

    Vocals and bass are mono recordings on two channels, backing voices excepted; drums are several
    microphones; the accompaniment has doubled guitars and stereo keyboards.

    Returns:
        (samples, 2) float32 per stem, peak at -6 dBFS.
    """
    samples = sample_count(song.outline.duration_s)

    def random(stem: str) -> np.random.Generator:
        return generator(seed, "performance", song.name, stem)

    rhythm, layer = (play(part, samples, random(part.instrument)) for part in song.accompaniment)
    stems = {
        "vocals": _vocals(song, samples, seed),
        "bass": play(song.bass, samples, random("bass")),
        "drums": play_drums(song.drums, song.kit, samples, random("drums")),
        "other": rhythm + _LAYER_LEVEL * layer,
    }
    fade = np.ones(samples, np.float32)
    tail = min(samples, sample_count(_FADE_OUT_S))
    fade[samples - tail :] = np.cos(np.linspace(0.0, np.pi / 2.0, tail)) ** 2
    recorded = {stem: limit_crest(audio, _LARGEST_CREST_DB) for stem, audio in stems.items()}
    return {
        stem: (audio * (_PEAK / np.abs(audio).max()) * fade[:, None]).astype(np.float32)
        for stem, audio in recorded.items()
    }


def _vocals(song: Song, samples: int, seed: int) -> np.ndarray:
    """The lead in the centre, and two backing voices to the sides."""
    lead = sing(song.lead, song.voice, samples, generator(seed, "performance", song.name, "lead"))
    track = np.stack([lead, lead], axis=1)
    for side in (0, 1) if song.backing else ():
        random = generator(seed, "performance", song.name, "backing", side)
        voice = sing(song.backing, song.voice, samples, random)
        gains = np.full(2, 0.35, np.float32)
        gains[side] = 1.0
        track += _BACKING_LEVEL * voice[:, None] * gains
    return track
