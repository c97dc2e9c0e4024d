"""How many participants a listening test needs, by simulated listeners."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from fxnorm.configuration import Config
from fxnorm.errors import FxNormError
from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.seeds import generator
from fxnorm.significance import holm, signed_rank
from fxnorm.tabulation import TextTable

#: Significance level of the simulated tests, the analysis' usual one.
_ALPHA = AnalysisConfig().alpha


class Listeners(Config):
    """How simulated listeners differ: standard deviations in parts of the scale."""

    songs: int = Field(default=6, ge=1)
    """Songs that each rates."""
    level_sd: float = Field(default=0.1, ge=0.0)
    """Where on the scale a participant's ratings lie."""
    taste_sd: float = Field(default=0.08, ge=0.0)
    """What a participant thinks of a system, beyond what all do."""
    song_sd: float = Field(default=0.05, ge=0.0)
    """How a song's mixes are rated as a whole."""
    noise_sd: float = Field(default=0.12, ge=0.0)
    """How far a rating is off from what the participant thinks of it."""


def simulate(
    means: Sequence[float], participants: int, listeners: Listeners, rng: np.random.Generator
) -> np.ndarray:
    """Ratings of one criterion, (participants, songs, systems), 0 to 1.

    Args:
        means: what all think of each system.
        participants: how many.
        listeners: how they differ.
        rng: draws them.
    """
    shape = (participants, listeners.songs, len(means))
    ratings = (
        np.asarray(means)
        + listeners.level_sd * rng.standard_normal((participants, 1, 1))
        + listeners.taste_sd * rng.standard_normal((participants, 1, len(means)))
        + listeners.song_sd * rng.standard_normal((1, listeners.songs, 1))
        + listeners.noise_sd * rng.standard_normal(shape)
    )
    return ratings.clip(0.0, 1.0)


def power(
    difference: float,
    participants: int,
    *,
    systems: int = 6,
    listeners: Listeners | None = None,
    simulations: int = 500,
    seed: int = 0,
) -> float:
    """How often a system that is rated lower than the human mix is found to be.

    All other systems are as good as the human mix, which is the hardest case for Holm's correction.
    Only pairs with the human mix are tested, as with the contrasts "human" of the analysis.

    Args:
        difference: by how much it is rated lower, in parts of the scale.
        participants: how many.
        systems: how many are compared, the human mix among them; each is tested against it.
        listeners: how they differ.
        simulations: how many tests are simulated.
        seed: of the simulation.

    Raises:
        FxNormError: no participants, or nothing to compare.
    """
    if participants < 1 or systems < 2:
        raise FxNormError("a test needs at least one participant and two systems; give more")
    listeners = listeners or Listeners()
    rng = generator(seed, "power", participants, systems, f"{difference:g}")
    means = [0.6, 0.6 - difference, *[0.6] * (systems - 2)]
    found = 0
    for _ in range(simulations):
        units = simulate(means, participants, listeners, rng).mean(axis=1)
        tests = [signed_rank(units[:, system] - units[:, 0]) for system in range(1, systems)]
        found += holm(np.array([p for p, _ in tests]))[0] <= _ALPHA and tests[0][1] < 0.0
    return found / simulations


def power_table(
    participants: Sequence[int],
    differences: Sequence[float],
    *,
    systems: int = 6,
    listeners: Listeners | None = None,
    seed: int = 0,
) -> TextTable:
    """`power` in per cent, a row per number of participants, a column per difference.

    Args:
        participants: how many, one after another.
        differences: by how much a system is rated lower, one after another.
        systems: how many are compared, the human mix among them.
        listeners: how they and the songs vary, by default `Listeners()`.
        seed: of the simulated ratings.

    Raises:
        FxNormError: as `power` does.
    """

    def percent(difference: float, number: int) -> str:
        found = power(difference, number, systems=systems, listeners=listeners, seed=seed)
        return f"{found:.0%}"

    rows = [
        [str(number), *(percent(difference, number) for difference in differences)]
        for number in participants
    ]
    header = ["participants", *(f"difference {difference:g}" for difference in differences)]
    return TextTable(header, rows, alignment="r" * len(header))
