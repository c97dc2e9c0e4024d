"""From the network's output to the mix that is written: balance, level, sample rate."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fxnorm import audio, scratch
from fxnorm.audio.loudness import TRUE_PEAK_MARGIN_DB
from fxnorm.configuration import Config, explained, within
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.mixing import limits
from fxnorm.mixing.preparation import PreparedSong

_TOLERANCE_LU = 0.05


class Finishing(Config):
    """What is done to the mix that the network made."""

    balance_db: dict[str, Annotated[float, within(limits.BALANCE_DB)]] = Field(default_factory=dict)
    """Gain in dB of each stem's share; 0 where not named."""
    wet: Annotated[float, within(limits.WET)] = 1.0
    """Share of the mix; the rest is the plain sum of the given stems."""
    loudness_lufs: Annotated[float, within(limits.LOUDNESS_LUFS)] | None = None
    """Integrated loudness to bring the mix to; None leaves it as it is."""
    ceiling_dbtp: Annotated[float, within(limits.CEILING_DBTP)] = limits.DEFAULT_CEILING_DBTP
    """Highest true peak; what would exceed it is lowered as a whole, never limited."""

    def __init__(self, **settings: Any) -> None:
        with explained(settings, "finishing"):
            super().__init__(**settings)

    def require(self, given: Collection[str]) -> None:
        """Check that the stems whose balance is set are given.

        Raises:
            FxNormError: one is not.
        """
        for stem in self.balance_db:
            if stem not in given:
                raise FxNormError(
                    f"balance of '{stem}': no such stem is given; {', '.join(given)} are"
                )


@dataclass(frozen=True)
class Levels:
    """Levels of a mix; None for silence, and for a loudness of less than 0.4 s or -70 LUFS."""

    loudness_lufs: float | None
    peak_db: float | None
    true_peak_dbtp: float | None


@dataclass(frozen=True)
class Trace:
    """What a mix came from, at 44.1 kHz: (samples, 2) float32 by stem type."""

    given: dict[str, np.ndarray]
    normalized: dict[str, np.ndarray]
    curves: dict[str, dict[str, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Mix:
    """A mix and how it came about."""

    audio: np.ndarray
    """(samples, 2) float32 within [-1, 1], as long as the longest stem."""
    sample_rate: int
    """Of the stems, in Hz."""
    stems: dict[str, np.ndarray]
    """Each given stem's share of `audio`, (samples, 2) float32; they add up to it to 1e-6. Empty
    where they were not asked for, or the network's mix is no sum of shares."""
    levels: Levels
    """Of `audio`."""
    reports: dict[str, dict[str, Any]]
    """Of each given stem's normalisation (see `NormalizedStem`)."""
    warnings: tuple[str, ...]
    """What a user should know about the result."""
    trace: Trace | None = field(default=None, repr=False)
    """What the mix came from, where it was asked for."""


@dataclass(frozen=True)
class Raw:
    """What the network or the plain sum made, at 44.1 kHz: a mix, or the shares that make it up."""

    mixed: np.ndarray | None = None
    shares: Mapping[str, np.ndarray] = field(default_factory=dict)


def finish(
    raw: Raw, song: PreparedSong, finishing: Finishing, *, keep_stems: bool, keep_trace: bool
) -> Mix:
    """Balance, bring to the stems' rate and length, and set the level.

    Args:
        raw: mix or shares, of which each begins with the warm-up; overwritten.
        song: the stems on their way.
        finishing: what to do.
        keep_stems: whether the result has the stems of the mix.
        keep_trace: whether the result has what it came from.

    Raises:
        FxNormError: the mix is not finite.
    """
    warm_up, sample_rate = song.warm_up, song.sample_rate
    kept = ((stem.type, stem.given) for stem in song.stems)
    given = {stem: signal[warm_up:] for stem, signal in kept if signal is not None}

    def converted(signal: np.ndarray) -> np.ndarray:
        return audio.resample(signal, SAMPLE_RATE, sample_rate, samples=song.samples)

    stems = {
        stem: converted(_balanced(share[warm_up:], given, finishing, stem))
        for stem, share in raw.shares.items()
    }
    if raw.mixed is None:
        mixed = audio.weighted_sum(*((stem, 1.0) for stem in stems.values()))
    else:
        mixed = converted(_balanced(raw.mixed[warm_up:], given, finishing, None))
    if not audio.is_finite(mixed):
        raise FxNormError("the mix is not finite: the model's weights are damaged; train it again")
    gain_db, levels, warnings = _gain_and_levels(mixed, sample_rate, finishing)
    shares = stems if keep_stems else {}
    if gain_db != 0.0:
        for signal in (mixed, *shares.values()):
            for block in scratch.blocks(len(signal)):
                signal[block] *= np.float32(audio.from_db(gain_db))
    if sample_rate != SAMPLE_RATE:
        warnings.append(f"resampled from {sample_rate} Hz to {SAMPLE_RATE} Hz and back")
    trace = Trace(
        given,
        {stem.type: stem.normalized.audio[warm_up:] for stem in song.stems},
        {stem.type: stem.normalized.curves for stem in song.stems},
    )
    return Mix(
        mixed,
        sample_rate,
        shares,
        levels,
        {stem.type: stem.normalized.report for stem in song.stems},
        (*song.notes, *warnings),
        trace if keep_trace else None,
    )


def _balanced(
    signal: np.ndarray, given: Mapping[str, np.ndarray], finishing: Finishing, stem: str | None
) -> np.ndarray:
    """Mixed with the stem (None: all) as given, and with the gain of `stem`; overwritten."""
    wet = np.float32(finishing.wet)
    gain = np.float32(audio.from_db(finishing.balance_db.get(stem or "", 0.0)))
    if wet == 1.0 and gain == 1.0:
        return signal
    dry = [other for name, other in given.items() if stem in (None, name)]
    for block in scratch.blocks(len(signal)):
        part = wet * signal[block]
        if wet < 1.0:
            part += (np.float32(1.0) - wet) * sum(other[block] for other in dry)
        signal[block] = gain * part
    return signal


def _gain_and_levels(
    mixed: np.ndarray, sample_rate: int, finishing: Finishing
) -> tuple[float, Levels, list[str]]:
    """The gain in dB that the mix needs, its levels after it, and what to say of it."""
    loudness = audio.loudness_by_gain(mixed, sample_rate)
    peak_db, true_peak_db = audio.peak_db(mixed), audio.true_peak_db(mixed)
    if audio.peak(mixed) == 0.0:
        return 0.0, Levels(None, None, None), ["the mix is silent"]
    wanted_db, warnings = 0.0, []
    if finishing.loudness_lufs is not None:
        wanted_db = audio.gain_to_loudness(loudness, finishing.loudness_lufs)
        if math.isnan(wanted_db):
            wanted_db = 0.0
            warnings.append("the mix is too short or too quiet for a loudness; left as it is")
    gain_db, ceiling = wanted_db, finishing.ceiling_dbtp
    if true_peak_db + wanted_db > ceiling:
        gain_db = ceiling - TRUE_PEAK_MARGIN_DB - true_peak_db
        missed = wanted_db - gain_db
        if finishing.loudness_lufs is None:
            warnings.append(f"lowered by {missed:.1f} dB to keep its true peak at {ceiling:g} dBTP")
        elif missed > _TOLERANCE_LU:
            warnings.append(
                f"{missed:.1f} LU below the {finishing.loudness_lufs:g} LUFS asked for, to keep its"
                f" true peak at {ceiling:g} dBTP; a limiter would bring it there"
            )
    lufs = loudness(gain_db)
    levels = Levels(
        lufs if math.isfinite(lufs) else None, peak_db + gain_db, true_peak_db + gain_db
    )
    return gain_db, levels, warnings
