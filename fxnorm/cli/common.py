"""Options and output that several commands share."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli.arguments import Join, Merge, numbers, several
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError, printable
from fxnorm.normalization.effect_table import EFFECTS, default_effects, effect_names, find_effect

if TYPE_CHECKING:
    from fxnorm.normalization import ImpulseResponse


def add_subtype(parser: argparse.ArgumentParser, default: str) -> None:
    """Add --subtype."""
    parser.add_argument(
        "--subtype",
        default=default,
        choices=("PCM_16", "PCM_24", "PCM_32", "FLOAT"),
        help=f"of the output; {default} is the default",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add --jobs and --dask."""
    parser.add_argument(
        "--jobs", type=_jobs, default=-1, help="songs at a time; -1 (the default): all cores"
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        default=os.environ.get("FXNORM_DASK"),
        help="scheduler of a Dask cluster to work on, such as tcp://10.0.0.1:8786; the default is "
        "the environment's FXNORM_DASK, or none",
    )


def add_stem_types(parser: argparse.ArgumentParser) -> None:
    """Add --stem-types."""
    parser.add_argument(
        "--stem-types",
        type=several(str),
        default=STEMS,
        metavar="LIST",
        help=f"comma-separated, of the songs; {','.join(STEMS)} is the default",
    )


def chosen_stem_types(options: argparse.Namespace) -> tuple[str, ...]:
    """The stem types of `add_stem_types`.

    Raises:
        FxNormError: a name that no stem type has.
    """
    from fxnorm.stems import checked_stem_name

    try:
        return tuple(checked_stem_name(name) for name in options.stem_types)
    except ValueError as error:
        raise FxNormError(f"--stem-types: {error}") from error


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def add_effects(parser: argparse.ArgumentParser) -> None:
    """Add the choice of effects and the impulse responses they need."""
    parser.add_argument(
        "--effects",
        action=Join,
        type=_effects,
        metavar="LIST",
        help="comma-separated, of "
        + ", ".join(f"{name} ({row.summary})" for name, row in EFFECTS.items())
        + f"; the default is {', '.join(default_effects())}, the reverbs only with impulse "
        "responses: those of the options below or, for a model's mix, its own rooms",
    )
    parser.add_argument(
        "--strength",
        action=Merge,
        type=_strengths,
        default={},
        metavar="EFFECT=NUMBER,...",
        help="how much of an effect, from 0 (untouched) to 1 (full, the default)",
    )
    parser.add_argument(
        "--impulse-responses",
        metavar="DIR",
        help="folder of <name>/impulse_response.wav, 2 to 4 s long: reverberates stems",
    )
    parser.add_argument(
        "--pre-impulse-responses",
        metavar="DIR",
        help="the same, below 1.5 s: a room for dry recordings, before all else",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the choice of impulse responses")


def chosen_effects(
    options: argparse.Namespace, default: Sequence[str], *, has_rooms: bool = False
) -> tuple[str, ...]:
    """The effects to apply.

    Args:
        options: with what `add_effects` added.
        default: the effects where none are named; those whose impulse responses are given join.
        has_rooms: whether a model brings impulse responses for the effect `reverb`.

    Raises:
        FxNormError: an effect is named whose impulse responses are not given, or strength or
            impulse responses of one that is not applied.
    """
    needs = {name: find_effect(name).impulse_responses for name in effect_names()}
    given: set[str | None]
    given = {need for need in needs.values() if need and getattr(options, need)}
    effects: tuple[str, ...] = options.effects
    if effects is None:
        effects = (*default, *(name for name, need in needs.items() if need in given))
    for need in given - {needs[effect] for effect in effects}:
        raise FxNormError(
            f"--{str(need).replace('_', '-')}: no effect of --effects uses them; add their reverb,"
            " or leave them out"
        )
    given |= {None, needs["reverb"] if has_rooms else None}
    for effect in options.effects or ():
        option = needs[effect]
        if option is not None and option not in given:
            raise FxNormError(
                f"the effect '{effect}' needs --{option.replace('_', '-')} DIR; give it, or leave "
                "the effect out of --effects"
            )
    applied = [effect for effect in effects if needs[effect] in given]
    for effect in options.strength:
        if effect not in applied:
            raise FxNormError(
                f"--strength {effect}: that effect is not applied, {', '.join(applied) or 'none'}"
                " are; add it to --effects, a reverb with its impulse responses, or leave its"
                " strength out"
            )
    return tuple(effects)


def read_impulse_responses(folder: str | None) -> "list[ImpulseResponse] | None":
    """The set in a folder, None for none.

    Raises:
        FxNormError: the folder is missing or holds none.
    """
    from fxnorm.normalization import load_impulse_responses

    return None if folder is None else load_impulse_responses(folder)


def describe_stem(report: Mapping[str, Any]) -> str:
    """A stem's normalisation report as indented lines."""
    return "\n".join(f"  {name:<12}{text}" for name, text in stem_steps(report))


def stem_steps(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a stem's normalisation report says, in order: name and words."""
    lines = [("input", describe_levels(report["input"]))]
    if report["passed_through"]:
        lines.append(("", "passed through unchanged"))
    for effect, facts in report["effects"].items():
        lines.append((effect, find_effect(effect).describe(facts)))
    lines.append(("output", describe_levels(report["output"])))
    return lines


def print_json(report: Any) -> None:
    """Print a report as one JSON document."""
    json.dump(report, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    print()


def warn(messages: Sequence[str]) -> None:
    """Print warnings on stderr."""
    for message in messages:
        print(f"warning: {printable(message)}", file=sys.stderr)


def check_output(path: str, suffixes: Sequence[str], subtype: str = "PCM_16") -> None:
    """Refuse an output path early, before long work.

    Raises:
        FxNormError: a suffix that can't be written, or not with that subtype, a folder where a
            file is meant, or a place where nothing can be written.
    """
    if Path(path).is_dir():
        raise FxNormError(f"{path}: is a folder; give a file name")
    if Path(path).suffix.lower() not in suffixes:
        raise FxNormError(f"{path}: the output's name must end in {' or '.join(suffixes)}")
    if Path(path).suffix.lower() == ".flac" and subtype in ("PCM_32", "FLOAT"):
        raise FxNormError(f"{path}: flac files can't hold {subtype} samples; use .wav")
    check_place(path)


def check_place(path: str) -> None:
    """Refuse a file or folder to be written early.

    Raises:
        FxNormError: nothing can be written there.
    """
    from fxnorm.outputs import writing_explained

    parent = Path(path).absolute().parent
    with writing_explained(path):
        parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=parent).close()


def keep_inputs(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse outputs that are inputs, by whatever path, or one another.

    Raises:
        FxNormError: one is.
    """
    files = {_identity(source): source for source in inputs if Path(source).exists()}
    places = set[str]()
    for output in outputs:
        if Path(output).exists() and (source := files.get(_identity(output))) is not None:
            raise FxNormError(f"{source}: would be overwritten; choose another output")
        place = os.path.realpath(output)
        if place in places:
            raise FxNormError(f"{output}: would be written twice; choose another output")
        places.add(place)


def _identity(path: str | Path) -> tuple[int, int]:
    state = Path(path).stat()
    return state.st_dev, state.st_ino


def _jobs(text: str) -> int:
    if text.lstrip("-").isdigit() and (int(text) == -1 or int(text) > 0):
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is neither -1 nor a number of at least 1")


def _effects(text: str) -> tuple[str, ...]:
    effects = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [effect for effect in effects if effect not in effect_names()]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown effect '{unknown[0]}'; choose from {','.join(effect_names())}"
        )
    return effects


def _strengths(text: str) -> dict[str, float]:
    strengths = numbers("EFFECT", 0.0, 1.0)(text)
    for effect in strengths:
        _effects(effect)
    return strengths


def describe_levels(levels: Mapping[str, Any]) -> str:
    """Loudness and peak, as far as they are known, in words."""
    loudness, peak = levels["loudness_lufs"], levels["peak_db"]
    if peak is None:
        return "silent"
    text = f"peak {peak:.1f} dBFS"
    if "true_peak_dbtp" in levels:
        text = f"true peak {levels['true_peak_dbtp']:.1f} dBTP"
    return text if loudness is None else f"{loudness:.1f} LUFS, {text}"
