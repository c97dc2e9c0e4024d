"""`fxnorm normalize`: bring stems to a data set's features."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli import common
from fxnorm.errors import FxNormError, printable
from fxnorm.normalization.effect_table import default_effects

if TYPE_CHECKING:
    import numpy as np


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "normalize",
        help="bring stems to a data set's features",
        description="Bring files of one stem type to a data set's average loudness, spectrum, "
        "dynamics and stereo position. Sample rate and length stay; the output is stereo.",
    )
    parser.add_argument("inputs", nargs="+", metavar="IN", help="wav, flac, ogg, mp3 or aiff")
    parser.add_argument(
        "--stem", required=True, metavar="TYPE", help="their stem type, one of the features'"
    )
    parser.add_argument("--features", required=True, metavar="FILE", help="features.npz")
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR|FILE",
        help="wav or flac file for one input, else a folder for <input's name>.wav",
    )
    common.add_effects(parser)
    parser.add_argument(
        "--released-quirks",
        action="store_true",
        help="reproduce the released code's departures from its method",
    )
    common.add_subtype(parser, "PCM_16")
    common.add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Normalise the inputs one by one."""
    from fxnorm import audio
    from fxnorm.normalization import DatasetFeatures, FxNormalizer, NormalizationConfig
    from fxnorm.seeds import derive_seed

    outputs = _outputs(options.inputs, options.output, options.subtype)
    settings = {
        "effects": common.chosen_effects(options, default_effects()),
        "strengths": options.strength,
        "released_quirks": options.released_quirks,
    }
    normalizer = FxNormalizer(
        DatasetFeatures.load(options.features),
        NormalizationConfig.parse(settings, "fxnorm normalize"),
        impulse_responses=common.read_impulse_responses(options.impulse_responses),
        pre_impulse_responses=common.read_impulse_responses(options.pre_impulse_responses),
    )
    reports = []
    for source, target in zip(options.inputs, outputs, strict=True):
        samples, sample_rate = audio.read(source)
        common.warn(audio.info(source).notes)
        seed = derive_seed(options.seed, "normalize", Path(source).name)
        try:
            result = normalizer(samples, sample_rate, options.stem, seed)
        except FxNormError as error:
            raise FxNormError(f"{source}: {error}") from error
        stereo, report = result.audio, result.report
        if options.subtype != "FLOAT" and audio.peak(stereo) > 1.0:
            stereo, report = _within_full_scale(stereo, report)
        audio.write(target, stereo, sample_rate, options.subtype)
        reports.append({"file": source, "output": str(target), **report})
        common.warn([f"{source}: {message}" for message in report["warnings"]])
        if not options.json:
            print(printable(f"{source} -> {target}"))
            print(common.describe_stem(report))
    if options.json:
        common.print_json(reports)


def _within_full_scale(
    stereo: "np.ndarray", report: dict[str, Any]
) -> "tuple[np.ndarray, dict[str, Any]]":
    """Lower what integer samples would clip, and say so."""
    from fxnorm import audio, scratch

    lowered_db = audio.peak_db(stereo)
    output = {
        name: None if level is None else level - lowered_db
        for name, level in report["output"].items()
        if name in ("peak_db", "loudness_lufs")
    }
    warning = f"lowered by {lowered_db:.1f} dB to stay within full scale; FLOAT keeps the level"
    changes = {"output": {**report["output"], **output}, "warnings": [*report["warnings"], warning]}
    highest = audio.peak(stereo)
    for block in scratch.blocks(len(stereo)):
        stereo[block] /= highest
    return stereo, report | changes


def _outputs(inputs: Sequence[str], output: str, subtype: str) -> list[Path]:
    from fxnorm import audio

    if Path(output).suffix.lower() in audio.WRITABLE:
        if len(inputs) > 1:
            raise FxNormError(f"{output}: is one file for {len(inputs)} inputs; give a folder")
        common.check_output(output, audio.WRITABLE, subtype)
        targets = [Path(output)]
    else:
        if Path(output).suffix.lower() in audio.READABLE and not Path(output).is_dir():
            raise FxNormError(f"{output}: can't be written; give a .wav or .flac file, or a folder")
        targets = [Path(output) / f"{Path(source).stem}.wav" for source in inputs]
    if len(set(targets)) < len(targets):
        raise FxNormError("two inputs have the same name; normalise them into different folders")
    common.keep_inputs(targets, inputs)
    return targets
