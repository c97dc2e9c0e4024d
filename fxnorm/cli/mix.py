"""`fxnorm mix`: stems in, a mix out."""

import argparse
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fxnorm.cli.common import (
    add_effects,
    add_json,
    add_subtype,
    check_output,
    chosen_effects,
    describe_levels,
    describe_stem,
    keep_inputs,
    print_json,
    read_impulse_responses,
    warn,
)
from fxnorm.errors import FxNormError
from fxnorm.progress import fraction_done
from fxnorm.stems import STEMS

if TYPE_CHECKING:
    from fxnorm.mixing import Mix


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "mix",
        help="mix stems",
        description="Mix stems with a trained network. The output has the stems' sample rate and "
        "the longest stem's length.",
    )
    for stem in STEMS:
        parser.add_argument(f"--{stem}", metavar="FILE", help="wav, flac, ogg, mp3 or aiff")
    parser.add_argument(
        "--stem",
        action="append",
        default=[],
        type=_stem,
        metavar="TYPE=FILE",
        help="a stem of any type that the model knows; may be given several times",
    )
    parser.add_argument("--model", metavar="DIR", help="folder of a trained or imported model")
    parser.add_argument("--output", required=True, metavar="OUT", help="wav or flac file")
    parser.add_argument(
        "--normalized-sum",
        action="store_true",
        help="the baseline without a network: the sum of the normalised stems",
    )
    parser.add_argument(
        "--features", metavar="FILE", help="features.npz, for --normalized-sum without a model"
    )
    add_effects(parser)
    parser.add_argument("--device", default="auto", help="auto (the default), cpu, cuda, ...")
    add_subtype(parser, "PCM_24")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, mix, write, report."""
    from fxnorm import audio

    check_output(options.output, audio.WRITABLE, options.subtype)
    files = _stem_files(options)
    keep_inputs(options.output, files.values())
    mixed = (_sum if options.normalized_sum else _mix)(options, files)
    audio.write(options.output, mixed.audio, mixed.sample_rate, options.subtype)
    warn(mixed.warnings)
    levels = _levels(mixed)
    if options.json:
        warnings = list(mixed.warnings)
        print_json({"output": options.output, **levels, "stems": mixed.stems, "warnings": warnings})
        return
    for stem, report in mixed.stems.items():
        print(f"{stem}: {files[stem]}\n{describe_stem(report)}")
    seconds = mixed.audio.shape[0] / mixed.sample_rate
    print(f"{options.output}: {seconds:.1f} s at {mixed.sample_rate} Hz, {describe_levels(levels)}")


def _stem(text: str) -> tuple[str, str]:
    stem, _, file = text.partition("=")
    if not stem or not file:
        raise argparse.ArgumentTypeError(f"'{text}' is not TYPE=FILE")
    return stem, file


def _stem_files(options: argparse.Namespace) -> dict[str, str]:
    files: dict[str, str] = {}
    named = [(stem, getattr(options, stem)) for stem in STEMS if getattr(options, stem)]
    for stem, file in [*named, *options.stem]:
        if stem in files:
            raise FxNormError(f"stem '{stem}' is given twice: {files[stem]} and {file}")
        files[stem] = file
    if not files:
        raise FxNormError(f"no stems: give at least one of {', '.join(f'--{s}' for s in STEMS)}")
    return files


def _mix(options: argparse.Namespace, files: Mapping[str, str]) -> "Mix":
    from fxnorm.mixing import choose_device, mix_stems
    from fxnorm.models import load

    if options.model is None:
        raise FxNormError("no model: give --model DIR, or --normalized-sum for the baseline")
    model = load(options.model, choose_device(options.device))
    responses = read_impulse_responses(options.impulse_responses)
    pre_responses = read_impulse_responses(options.pre_impulse_responses)
    with fraction_done("mix") as on_progress:
        return mix_stems(
            files,
            None,
            model,
            seed=options.seed,
            effects=chosen_effects(options, model.config.normalization.effects),
            strengths=options.strength,
            impulse_responses=responses,
            pre_impulse_responses=pre_responses,
            on_progress=on_progress,
        )


def _sum(options: argparse.Namespace, files: Mapping[str, str]) -> "Mix":
    from fxnorm.mixing import sum_normalized
    from fxnorm.models import load_settings
    from fxnorm.normalization import DatasetFeatures, NormalizationConfig

    if options.features is None and options.model is None:
        raise FxNormError("no features: --normalized-sum needs --features FILE or --model DIR")
    if options.features is not None:
        features, config = DatasetFeatures.load(options.features), NormalizationConfig()
    else:
        settings_of_model, features = load_settings(options.model)
        config = settings_of_model.normalization
    effects = chosen_effects(options, config.effects)
    settings = {"effects": effects, "strengths": options.strength}
    return sum_normalized(
        files,
        None,
        features,
        NormalizationConfig.parse(config.model_dump() | settings, "fxnorm mix"),
        seed=options.seed,
        impulse_responses=read_impulse_responses(options.impulse_responses),
        pre_impulse_responses=read_impulse_responses(options.pre_impulse_responses),
    )


def _levels(mixed: "Mix") -> dict[str, float | None]:
    """Peak and loudness, None for what is silent or too short, as JSON knows no infinity."""
    from fxnorm import audio

    loudness = audio.integrated_loudness(mixed.audio, mixed.sample_rate)
    return {
        "peak_db": audio.peak_db(mixed.audio) if mixed.audio.any() else None,
        "loudness_lufs": loudness if math.isfinite(loudness) else None,
    }
