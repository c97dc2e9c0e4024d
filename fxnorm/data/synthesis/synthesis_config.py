"""Settings of the generated data set."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from fxnorm.configuration import Config
from fxnorm.conventions import STEMS

_Decibels = Annotated[float, Field(ge=0.0, le=6.0)]


class Balance(Config):
    """Loudness of each stem in the mix, in LU relative to the vocals' usual level."""

    vocals: float = 0.0
    """The vocals, in LU."""
    bass: float = 1.0
    """The bass, in LU."""
    drums: float = -3.5
    """The drums, in LU."""
    other: float = -0.5
    """All other instruments, in LU."""


class EngineerConfig(Config):
    """What the mixing engineer aims at."""

    target_lufs: float = Field(default=-16.5, ge=-24.0, le=-8.0)
    """Integrated loudness in LUFS to master at, give or take 2 LU by style."""
    ceiling_db: float = Field(default=-1.0, ge=-12.0, le=-0.1)
    """Highest sample peak of a mixture in dBFS."""
    balance_lu: Balance = Balance()
    """The mix before what the instruments change about it."""
    jitter_db: _Decibels = 0.4
    """Standard deviation of what no rule explains: levels and equaliser gains in dB."""
    extra: dict[str, list[dict[str, Any]]] = Field(default={})
    """Further processors behind a stem's compressor, ours or pymixconsole's, see
    `fxnorm.effects.processors.build_chain`; {stem: [{processor: …, parameter: value}, …]}."""

    @model_validator(mode="after")
    def _stems(self) -> "EngineerConfig":
        unknown = sorted(set(self.extra) - set(STEMS))
        if unknown:
            raise ValueError(f"extra: unknown stem '{unknown[0]}'; use {', '.join(STEMS)}")
        return self


class SynthesisConfig(Config):
    """Size of the generated data set, and how it is mixed."""

    training_songs: int = Field(default=36, ge=1, le=400)
    """Songs in the training folder (the validation partition is chosen from them)."""
    test_songs: int = Field(default=10, ge=1, le=400)
    """Songs in the test folder, which also exist as dry stems."""
    duration_s: tuple[float, float] = (16.0, 24.0)
    """Shortest and longest song in seconds."""
    impulse_responses: int = Field(default=6, ge=1, le=100)
    """Impulse responses in each of the two sets."""
    engineer: EngineerConfig = EngineerConfig()
    """The mixing engineer."""

    @model_validator(mode="after")
    def _durations(self) -> "SynthesisConfig":
        shortest, longest = self.duration_s
        if not 4.0 <= shortest <= longest <= 600.0:
            raise ValueError("duration_s must be two numbers in rising order, from 4 to 600")
        return self
