"""The page of one mix: what it sounds like, and what was done to each stem."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from fxnorm.audio import (
    db,
    from_db,
    integrated_loudness,
    resample,
    short_term_loudness,
    true_peak_db,
)
from fxnorm.audio.excerpts import busiest_start, fade
from fxnorm.conventions import PROGRAM_CEILING_DBTP, SAMPLE_RATE
from fxnorm.outputs import write_text
from fxnorm.reporting.curves import long_term_spectrum_db
from fxnorm.reporting.page.page_config import PageConfig
from fxnorm.reporting.page.player import FADE_S, PlayedVersion, between, rendered_player
from fxnorm.reporting.page.plots import Line, line_plot, mel_plots
from fxnorm.reporting.page.rendering import RenderedPlayer, minus_signs, page_assets, render
from fxnorm.workers import in_threads

_SECONDS = 40.0
_TARGET_LUFS = -20.0
_INPUTS, _NORMALIZED, _MIX = "Sum of the inputs", "Sum of the normalised stems", "Mix"

#: Frequencies in Hz and levels in dB by stem.
_Spectra = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class MixedSong:
    """A mix and what it came from; audio is (samples, 2) float32."""

    name: str
    """Of the song."""
    mix: np.ndarray
    """At `sample_rate`."""
    sample_rate: int
    """Of mix and shares, in Hz."""
    given: Mapping[str, np.ndarray]
    """The stems before normalisation by type, at 44.1 kHz."""
    normalized: Mapping[str, np.ndarray]
    """The stems after it."""
    shares: Mapping[str, np.ndarray]
    """The stems of the mix, at `sample_rate`; empty where the network has none."""
    curves: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]
    """Stem → effect → channel → gain in dB from 0 Hz to half of 44.1 kHz."""
    steps: Mapping[str, Sequence[tuple[str, str]]]
    """What was done to each stem, in order: name and words."""
    report: Mapping[str, Any]
    """As `fxnorm mix --json` prints it."""


@dataclass(frozen=True)
class _Version:
    """Something to listen to, at 44.1 kHz; `solo` keeps its level beside the mix."""

    label: str
    audio: np.ndarray
    solo: bool


def write_mix_page(path: str | os.PathLike[str], song: MixedSong) -> None:
    """Write the page: one HTML file that needs no network and no server.

    The same song gives the same bytes. It plays the 40 seconds in which the stems are most active.

    Args:
        path: the file to write.
        song: what to show.

    Raises:
        FxNormError: the file can't be written.
    """
    start_s, seconds = _excerpt_s(song)
    versions = _versions(song, start_s, seconds)
    sums = {version.label: version.audio for version in versions if not version.solo}
    # Encoding takes most of the time: all else is drawn meanwhile.
    with in_threads(1) as pool:
        player = pool.submit(_rendered_player, song.name, versions, start_s, seconds)
        given, normalized = _spectra(song.given), _spectra(song.normalized)
        stems = [_stem_section(song, stem, given, normalized) for stem in song.given]
        plots = [
            line_plot(
                [
                    Line(_INPUTS, *_sum_spectrum(song.given, given)),
                    Line(_NORMALIZED, *_sum_spectrum(song.normalized, normalized)),
                    Line(_MIX, *long_term_spectrum_db(song.mix, song.sample_rate)),
                ],
                "Long-term spectrum, in third octaves",
            ),
            *mel_plots(sums),
        ]
        players = [player.result()]
    text = render(
        "mix.html",
        title=song.name,
        **page_assets(),
        introduction=_mix_facts(song),
        warnings=song.report["warnings"],
        players=players,
        hint=(
            "The sums and the mix at one loudness; stems alone at the level they have in the mix."
            if song.shares
            else "The sums and the mix at one loudness; stems alone as they went into the network."
        ),
        stems=stems,
        plots=plots,
    )
    write_text(path, f"{text}\n")


def _mix_facts(song: MixedSong) -> list[str]:
    facts = song.report
    levels = [f"{facts['seconds']:.1f} s at {facts['sample_rate']} Hz"]
    if facts["loudness_lufs"] is not None:
        levels.append(f"{facts['loudness_lufs']:.1f} LUFS")
    if facts["true_peak_dbtp"] is not None:
        levels.append(f"true peak {facts['true_peak_dbtp']:.1f} dBTP")
    return [minus_signs(", ".join(levels)) + "."]


def _excerpt_s(song: MixedSong) -> tuple[float, float]:
    """Start and length in seconds of what is played."""
    whole = max(len(stem) for stem in song.given.values()) / SAMPLE_RATE
    if whole <= _SECONDS:
        return 0.0, whole
    profiles = [short_term_loudness(x, SAMPLE_RATE, hop_s=1.0)[1] for x in song.given.values()]
    start_s, _ = busiest_start(profiles, _SECONDS)
    return min(float(start_s), whole - _SECONDS), _SECONDS


def _versions(song: MixedSong, start_s: float, seconds: float) -> list[_Version]:
    samples = round(seconds * SAMPLE_RATE)

    def cut(audio: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
        first = round(start_s * rate)
        part = audio[first : first + math.ceil(seconds * rate)]
        whole = resample(np.ascontiguousarray(part), rate, SAMPLE_RATE, samples=samples)
        return fade(whole, round(FADE_S * SAMPLE_RATE))

    given = [cut(stem) for stem in song.given.values()]
    normalized = {stem: cut(audio) for stem, audio in song.normalized.items()}
    shares = {stem: cut(audio, song.sample_rate) for stem, audio in song.shares.items()}
    return [
        _Version(_INPUTS, np.sum(given, axis=0), False),
        _Version(_NORMALIZED, np.sum(list(normalized.values()), axis=0), False),
        _Version(_MIX, cut(song.mix, song.sample_rate), False),
        *(_Version(f"{stem} alone", x, True) for stem, x in (shares or normalized).items()),
    ]


def _rendered_player(
    name: str, versions: Sequence[_Version], start_s: float, seconds: float
) -> RenderedPlayer:
    lufs = [integrated_loudness(version.audio, SAMPLE_RATE) for version in versions]
    mix_lufs = lufs[[version.label for version in versions].index(_MIX)]
    gains_db = [
        _TARGET_LUFS - (mix_lufs if version.solo else own)
        for version, own in zip(versions, lufs, strict=True)
    ]
    gains_db = [gain if math.isfinite(gain) else 0.0 for gain in gains_db]
    pairs = list(zip(versions, gains_db, strict=True))
    highest = max(true_peak_db(version.audio) + gain for version, gain in pairs)
    lowered = max(0.0, highest - PROGRAM_CEILING_DBTP)
    played = [
        PlayedVersion(
            version.label, (version.audio * from_db(gain - lowered)).astype(np.float32), own
        )
        for (version, gain), own in zip(pairs, lufs, strict=True)
    ]
    return rendered_player(
        played,
        number=1,
        name=name,
        details=between(start_s, seconds),
        seconds=seconds,
        bitrate_kbps=PageConfig().bitrate_kbps,
    )


def _spectra(stems: Mapping[str, np.ndarray]) -> _Spectra:
    return {stem: long_term_spectrum_db(audio, SAMPLE_RATE) for stem, audio in stems.items()}


def _stem_section(
    song: MixedSong, stem: str, given: _Spectra, normalized: _Spectra
) -> dict[str, Any]:
    return {
        "name": stem,
        "files": ", ".join(Path(file).name for file in song.report["files"][stem]),
        "steps": [(name, minus_signs(words)) for name, words in song.steps[stem]],
        "plots": [
            *(
                line_plot(_channels(curves), f"{stem}: gain of the effect {effect}")
                for effect, curves in song.curves.get(stem, {}).items()
            ),
            *_spectrum_plots(song, stem, given, normalized),
        ],
    }


def _spectrum_plots(
    song: MixedSong, stem: str, given: _Spectra, normalized: _Spectra
) -> list[Markup]:
    if not song.given[stem].any():
        return []
    lines = [Line("given", *given[stem]), Line("normalised", *normalized[stem])]
    if stem in song.shares:
        share = long_term_spectrum_db(song.shares[stem], song.sample_rate)
        lines.append(Line("in the mix", *share))
    return [line_plot(lines, f"{stem}: long-term spectrum")]


def _channels(curves: Mapping[str, np.ndarray]) -> list[Line]:
    """Both channels' curves, or one where they are the same."""
    lines = [
        Line(channel, np.linspace(0.0, SAMPLE_RATE / 2, len(curve)), curve)
        for channel, curve in curves.items()
    ]
    same = len(lines) == 2 and np.allclose(lines[0].values, lines[1].values, atol=0.1)
    return [Line("both channels", lines[0].frequencies_hz, lines[0].values)] if same else lines


def _sum_spectrum(
    stems: Mapping[str, np.ndarray], spectra: _Spectra
) -> tuple[np.ndarray, np.ndarray]:
    """Of the sum of stems that are taken for independent: their powers add up."""
    powers = []
    for stem in stems.values():
        parts = np.array_split(stem, min(len(stem), 64))
        powers.append(float(np.mean([np.mean(np.square(part)) for part in parts])))
    hz, _ = next(iter(spectra.values()))
    levels = [10.0 ** (level_db / 10.0) for _, level_db in spectra.values()]
    total = np.average(levels, axis=0, weights=powers) if any(powers) else levels[0]
    return hz, 0.5 * db(np.maximum(total, 1e-15))
