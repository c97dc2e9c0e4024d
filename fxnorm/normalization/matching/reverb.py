"""Reverberation from impulse responses: of dry recordings before the chain, of all in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fxnorm import scratch
from fxnorm.audio.filters import high_shelf, low_shelf
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.effects.reverb import convolve
from fxnorm.normalization.impulse_responses import ImpulseResponse
from fxnorm.normalization.matching.effect import Context, Effect, Outcome

_PREREVERB_WET = 0.5
_SEND_SHELF_DB = -30.0
_SEND_LOW_HZ = (500.0, 700.0)
_SEND_HIGH_HZ = (7_000.0, 10_000.0)


def _prereverberate(channels: np.ndarray, context: Context) -> Outcome:
    """Half the stem, half its answer in a small room."""
    if not context.stem_type.reverberated:
        return Outcome(channels, None)
    response = _drawn_response(context)
    if context.config.released_quirks:
        # The released chain's probabilities are exchanged: always the shelves, never the room.
        filtered = convolve(channels.T, np.ones(1), send=_shelves(context.draws)).T
        mixed = _with_room(channels, 1.0 - context.strength, filtered, context.strength)
        return Outcome(mixed, {"impulse_response": None, "shelves_in_series": True})
    wet = _PREREVERB_WET * context.strength
    room = convolve(channels.T, response.samples, context.draws).T
    return Outcome(_with_room(channels, 1.0 - wet, room, wet), {"impulse_response": response.name})


def _reverberate(channels: np.ndarray, context: Context) -> Outcome:
    """The stem plus the room's answer to it, sent without its lowest and highest bands."""
    if not context.stem_type.reverberated:
        return Outcome(channels, None)
    response = _drawn_response(context)
    send = _shelves(context.draws)
    room = convolve(channels.T, response.samples, context.draws, send=send).T
    mixed = _with_room(channels, 1.0, room, context.strength)
    return Outcome(mixed, {"impulse_response": response.name})


def _with_room(channels: np.ndarray, dry: float, room: np.ndarray, wet: float) -> np.ndarray:
    """A stem and its room, which is overwritten."""
    for block in scratch.blocks(channels.shape[1]):
        part = room[:, block]
        part *= np.float32(wet)
        part += np.float32(dry) * channels[:, block]
    return room


def _drawn_response(context: Context) -> ImpulseResponse:
    responses = context.impulse_responses
    return responses[int(context.draws.integers(len(responses)))]


def _shelves(draws: np.random.Generator) -> np.ndarray:
    low_hz, high_hz = draws.uniform(*_SEND_LOW_HZ), draws.uniform(*_SEND_HIGH_HZ)
    return np.concatenate(
        [
            low_shelf(low_hz, _SEND_SHELF_DB, SAMPLE_RATE),
            high_shelf(high_hz, _SEND_SHELF_DB, SAMPLE_RATE),
        ]
    )


def _describe(facts: Mapping[str, Any]) -> str:
    return facts["impulse_response"] or "shelves only, as in the released code"


PREREVERB = Effect(_prereverberate, _describe, impulse_responses="pre_impulse_responses")
REVERB = Effect(_reverberate, _describe, impulse_responses="impulse_responses")
