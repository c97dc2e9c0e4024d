"""Mixing one song as the options say, and what is reported of it."""

import argparse
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli.common import chosen_effects, read_impulse_responses, stem_steps
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    from fxnorm.mixing import Mix, Track


def mix_song(
    options: argparse.Namespace,
    tracks: "Mapping[str, tuple[Track, ...]]",
    output: Path,
    stems: str | None,
    page: str | None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> dict[str, Any]:
    """Mix, write the mix, its stems and its page.

    Args:
        options: of the command.
        tracks: of the song.
        output: of the mix.
        stems: folder for the stems of the mix; None for none.
        page: file of the page; None for none.
        on_progress: called with the fraction done.

    Returns:
        The report, of plain JSON types.

    Raises:
        FxNormError: see `fxnorm.mixing.mix_stems`.
    """
    from fxnorm.mixing import write_mix, write_stems

    mixed = (_sum_stems if options.normalized_sum else _mix_stems)(options, tracks, on_progress)
    report = {
        "output": str(output),
        "seconds": mixed.audio.shape[0] / mixed.sample_rate,
        "sample_rate": mixed.sample_rate,
        **asdict(mixed.levels),
        "stems": mixed.reports,
        "files": {stem: [str(track.audio) for track in its] for stem, its in tracks.items()},
        "warnings": list(mixed.warnings),
    }
    if stems is not None:
        written = write_stems(stems, mixed.stems, mixed.sample_rate)
        report["stem_files"] = {stem: str(path) for stem, path in written.items()}
    if page is not None:
        _write_page(page, output.stem, mixed, report)
        report["page"] = page
    # Last: where the mix is, all else is.
    write_mix(output, mixed.audio, mixed.sample_rate, options.subtype, seed=options.seed)
    return report


def _write_page(page: str, name: str, mixed: "Mix", report: Mapping[str, Any]) -> None:
    from fxnorm.reporting.page import MixedSong, write_mix_page

    trace = mixed.trace
    if trace is not None:
        song = MixedSong(
            name,
            mixed.audio,
            mixed.sample_rate,
            trace.given,
            trace.normalized,
            mixed.stems,
            trace.curves,
            {stem: stem_steps(facts) for stem, facts in mixed.reports.items()},
            report,
        )
        write_mix_page(page, song)


def written_files(
    output: Path, stems: str | None, page: str | None, types: Iterable[str]
) -> list[Path]:
    """All that `mix_song` writes for stems of these types."""
    files = [output]
    if stems is not None:
        files += [Path(stems) / f"{stem}.wav" for stem in types]
    if page is not None:
        files.append(Path(page))
    return files


def keep_apart(stems: str, types: Collection[str], known: Iterable[str]) -> None:
    """Refuse a folder with stems of another mix, which would look like stems of this one.

    Args:
        stems: folder for the stems of the mix.
        types: of its stems.
        known: stem types that can be mixed.

    Raises:
        FxNormError: it holds one that would stay as it is.
    """
    for stem in known:
        path = Path(stems) / f"{stem}.wav"
        if stem not in types and path.exists():
            raise FxNormError(
                f"{path}: is there already, and this mix has no such stem; remove it, or give"
                " another folder"
            )


def known_types(options: argparse.Namespace) -> tuple[str, ...]:
    """The stem types that can be mixed with these options."""
    from fxnorm.models import load_settings
    from fxnorm.normalization import DatasetFeatures

    if options.features is not None:
        return DatasetFeatures.load(options.features).stems
    config, features = load_settings(_model_folder(options))
    return features.stems if options.normalized_sum else config.stems


def _model_folder(options: argparse.Namespace) -> str:
    from fxnorm.models.default_model import DEFAULT_MODEL

    return str(options.model or DEFAULT_MODEL)


def _common_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What a mix is asked for, with or without a network."""
    from fxnorm.mixing import Finishing

    return {
        "seed": options.seed,
        "impulse_responses": read_impulse_responses(options.impulse_responses),
        "pre_impulse_responses": read_impulse_responses(options.pre_impulse_responses),
        "finishing": Finishing(
            balance_db=options.balance,
            wet=options.dry_wet,
            loudness_lufs=options.loudness,
            ceiling_dbtp=options.ceiling,
        ),
        "keep_trace": options.page is not None,
    }


def _mix_stems(
    options: argparse.Namespace,
    tracks: "Mapping[str, tuple[Track, ...]]",
    on_progress: Callable[[float], None],
) -> "Mix":
    from fxnorm.mixing import mix_stems
    from fxnorm.models import load_rooms, load_settings
    from fxnorm.models.mixer_config import NO_SHARES

    folder = _model_folder(options)
    config, _ = load_settings(folder)
    if options.stems is not None and not config.has_shares:
        raise FxNormError(
            f"--stems: {NO_SHARES}; leave the option out, or give a model of the kind automix"
        )
    return mix_stems(
        tracks,
        None,
        folder,
        device=options.device,
        effects=chosen_effects(
            options, config.normalization.effects, has_rooms=bool(load_rooms(folder))
        ),
        strengths=options.strength,
        keep_stems=config.has_shares and _needs_stems(options),
        on_progress=on_progress,
        **_common_arguments(options),
    )


def _sum_stems(
    options: argparse.Namespace,
    tracks: "Mapping[str, tuple[Track, ...]]",
    on_progress: Callable[[float], None],
) -> "Mix":
    from fxnorm.mixing import sum_normalized
    from fxnorm.models import load_settings
    from fxnorm.normalization import DatasetFeatures, NormalizationConfig

    if options.features is not None:
        features, config = DatasetFeatures.load(options.features), NormalizationConfig()
    else:
        settings, features = load_settings(_model_folder(options))
        config = settings.normalization
    return sum_normalized(
        tracks,
        None,
        features,
        config.adapted(chosen_effects(options, config.effects), options.strength),
        keep_stems=_needs_stems(options),
        **_common_arguments(options),
    )


def _needs_stems(options: argparse.Namespace) -> bool:
    return options.stems is not None or options.page is not None
