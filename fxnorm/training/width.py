"""The width of a trained network's mixes, brought to that of people's."""

from collections.abc import Sequence

import numpy as np
import torch

from fxnorm.audio import db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.models import Network
from fxnorm.models.network import evaluating
from fxnorm.normalization import position
from fxnorm.normalization.matching.panning import HOP, N_FFT
from fxnorm.normalization.matching.rows import sounding_frames
from fxnorm.training.augmentation import spread
from fxnorm.training.training_config import WidthMeasure
from fxnorm.training.training_songs import OpenSong

_TOLERANCE_DB = 0.1
_ROUNDS = 10
_TINY = 1e-6
_BAND_HZ = (20.0, 16_000.0)


@torch.no_grad()
def calibrate_width(
    net: Network,
    songs: Sequence[OpenSong],
    samples: int,
    measure: WidthMeasure = "position",
    *,
    mono: bool = False,
    beyond_db: float = 0.0,
) -> float:
    """Scale what a network makes of side signals until its mixes are as wide as the targets.

    What a network can't foresee it makes small, as its losses ask of it, and that is the side more
    than the middle. The mean over songs is what counts.

    Args:
        net: changed in place.
        songs: validation songs, with targets.
        samples: how much of the beginning of each is mixed, a multiple of the automix pooling size.
        measure: "position", how far apart the channels are (1 - phi) in all bins and frames alike,
            as in the panning metrics; or "power", that of the side relative to the middle, which
            the lowest octaves and the loudest beats decide.
        mono: mix the songs with all stems as if they had been recorded in mono.
        beyond_db: by how much to raise the side more.

    Returns:
        By how much the side grew in all, in dB.

    Raises:
        FxNormError: no song whose target and mix have a side signal, or no convergence.
    """
    grown_db = 0.0
    with evaluating(net):
        for _ in range(_ROUNDS):
            gap_db = _gap_db(net, songs, samples, measure, mono)
            if abs(gap_db) <= _TOLERANCE_DB:
                net.widen(beyond_db)
                return grown_db + beyond_db
            net.widen(gap_db)
            grown_db += gap_db
    raise FxNormError("training.calibrate_width: the width does not settle; leave it empty")


def _gap_db(
    net: Network, songs: Sequence[OpenSong], samples: int, measure: WidthMeasure, mono: bool
) -> float:
    """How much wider the targets are than the mixes, the mean over songs."""
    gaps, widest = [], 0.0
    for song in songs:
        inputs, target, _ = song.beginning(samples)
        if target is None:
            raise FxNormError(f"{song.song.name}: has no target mix to calibrate the width with")
        stems = np.stack([spread(stem) for stem in inputs]) if mono else inputs
        mix = net(torch.from_numpy(stems).transpose(1, 2)[None])[0].T.numpy()
        target = target[net.output_offset :][: len(mix)]
        if measure == "position":
            wanted, found = _apart(target, target), _apart(mix, target)
        else:
            wanted, found = (_side_power(one) for one in (target, mix))
        widest = max(widest, wanted)
        if min(wanted, found) > _TINY:
            # Both go with the square of the side.
            gaps.append(0.5 * db(wanted / found))
    if not gaps:
        lacks = (
            "the network mixes no validation song in stereo; lower the learning rate where it"
            " diverged, or"
            if widest > _TINY
            else "no validation song has a side signal;"
        )
        raise FxNormError(f"training.calibrate_width: {lacks} leave it empty")
    return float(np.mean(gaps))


def _apart(audio: np.ndarray, target: np.ndarray) -> float:
    """Mean of 1 - phi over the band where `target` sounds; 0 for mono, or where it never does."""
    if len(target) < N_FFT or not (sounding := sounding_frames(target.T, N_FFT, HOP)).any():
        return 0.0
    _, phi = position(audio, N_FFT, HOP)
    low, high = (round(hz * N_FFT / SAMPLE_RATE) for hz in _BAND_HZ)
    return float(np.mean(1.0 - phi[sounding, low:high], dtype=np.float64))


def _side_power(audio: np.ndarray) -> float:
    """Power of the channels' difference over that of their sum; 0 for silence."""
    left, right = audio.astype(np.float64).T
    middle = np.mean((left + right) ** 2)
    return float(np.mean((left - right) ** 2) / middle) if middle > 0.0 else 0.0
