"""`fxnorm mix`: stems in, a mix out."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli import common
from fxnorm.cli.arguments import Merge, number, numbers
from fxnorm.cli.mix_song import keep_apart, known_types, mix_song, written_files
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError, printable
from fxnorm.mixing import limits

if TYPE_CHECKING:
    from fxnorm.mixing import Session

_FORMATS = ("wav", "flac")


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "mix",
        help="mix stems",
        description="Mix stems with a trained network. The output has the stems' highest sample "
        "rate and the longest stem's length. Files of one stem type are summed.",
    )
    _add_inputs(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="wav or flac file; with --songs, a folder",
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        help="folder of a trained or imported model; the default is the one in the package",
    )
    parser.add_argument(
        "--normalized-sum",
        action="store_true",
        help="the baseline without a network: the sum of the normalised stems",
    )
    parser.add_argument(
        "--features",
        metavar="FILE",
        help="features.npz for --normalized-sum; the default is the model's",
    )
    _add_outputs(parser)
    common.add_effects(parser)
    parser.add_argument("--device", default="auto", help="auto (the default), cpu, cuda, ...")
    common.add_json(parser)
    parser.set_defaults(run=run)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "song",
        nargs="?",
        metavar="SONG",
        help="folder of a song's tracks, whose names tell their stem types, or a table (.yaml) of "
        "file: stem type, or file: {stem: TYPE, gain: DB, pan: -1 to 1}",
    )
    for stem in STEMS:
        parser.add_argument(
            f"--{stem}",
            action="extend",
            nargs="+",
            default=[],
            metavar="FILE",
            help="wav, flac, ogg, opus, mp3, aiff, caf, w64 or au, and where ffmpeg is installed "
            "what it reads, such as m4a, 3gp, webm or wma; several are summed as they are",
        )
    parser.add_argument(
        "--stem",
        action="append",
        default=[],
        type=_stem_file,
        metavar="TYPE=FILE",
        help="a file of any stem type that the model knows; may be given several times",
    )
    parser.add_argument(
        "--unknown",
        choices=("refuse", "other"),
        default="refuse",
        help="what to do with files of a folder whose names tell no stem type: refuse them (the "
        "default), or take them as other",
    )
    parser.add_argument(
        "--songs", metavar="DIR", help="mix all songs of a folder, one folder of tracks each"
    )
    common.add_jobs(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stems",
        metavar="DIR",
        help="write each stem's share of the mix; they add up to it; with --songs, a folder for "
        "the songs' folders",
    )
    parser.add_argument(
        "--page",
        metavar="FILE.html",
        help="write one page that plays and shows what was done; with --songs, a folder",
    )
    parser.add_argument(
        "--balance",
        action=Merge,
        type=numbers("STEM", *limits.BALANCE_DB),
        default={},
        metavar="STEM=DB,...",
        help="gain of a stem's share of the mix, such as vocals=+1.5",
    )
    parser.add_argument(
        "--dry-wet",
        type=number(*limits.WET),
        default=1.0,
        metavar="NUMBER",
        help="from 0 (the plain sum of the inputs) to 1 (the mix, the default)",
    )
    parser.add_argument(
        "--loudness",
        type=number(*limits.LOUDNESS_LUFS),
        metavar="LUFS",
        help="integrated loudness of the mix; the default is as the network made it",
    )
    parser.add_argument(
        "--ceiling",
        type=number(*limits.CEILING_DBTP),
        default=limits.DEFAULT_CEILING_DBTP,
        metavar="DBTP",
        help="highest true peak, kept by lowering the mix; "
        f"{limits.DEFAULT_CEILING_DBTP:g} is the default",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, help="of the mix; the default is what OUT ends in, or wav"
    )
    common.add_subtype(parser, "PCM_24")


def run(options: argparse.Namespace) -> None:
    """Mix one song, or all of a folder."""
    if options.features is not None and not options.normalized_sum:
        raise FxNormError("--features is for --normalized-sum; a model has its own")
    if options.features is not None and options.model is not None:
        raise FxNormError("--features and --model: give one of them")
    _refuse_idle(options)
    if options.songs is not None:
        from fxnorm.cli.mix_songs import mix_all

        mix_all(options)
        return
    _mix_one(options)


def _refuse_idle(options: argparse.Namespace) -> None:
    """Refuse options that would not be looked at."""
    from fxnorm.mixing.sessions import own_tables

    given = getattr(options, "given", ())
    for option in ("jobs", "dask"):
        if options.songs is None and option in given:
            raise FxNormError(f"--{option} is for --songs; leave it out")
    named = options.song is None and options.songs is None
    told = options.song is not None and (Path(options.song).is_file() or own_tables(options.song))
    if "unknown" in given and (named or told):
        raise FxNormError(
            "--unknown is for --songs, or a folder of tracks without a table; leave it out"
        )


def _mix_one(options: argparse.Namespace) -> None:
    from fxnorm.mixing import notes_on_place
    from fxnorm.mixing.compiling_ahead import compiling_ahead
    from fxnorm.progress import fraction_done

    output = _output(options)
    _check_outputs(options, output)
    session = _session_to_mix(options)
    files = {stem: [str(track.audio) for track in its] for stem, its in session.tracks.items()}
    written = written_files(output, options.stems, options.page, files)
    common.keep_inputs(written, (file for its in files.values() for file in its))
    if options.stems is not None:
        keep_apart(options.stems, files, known_types(options))
    if options.song is not None and not options.json:
        for stem, its in files.items():
            print(printable(f"{stem}: {', '.join(its)}"), flush=True)
    with compiling_ahead(), fraction_done("mix") as on_progress:
        report = mix_song(options, session.tracks, output, options.stems, options.page, on_progress)
    notes = session.notes
    if options.song is not None:
        own = written_files(output, options.stems, None, files)
        notes += notes_on_place(options.song, own, known_types(options))
    report["warnings"] = [*notes, *report["warnings"]]
    common.warn(report["warnings"])
    if options.json:
        common.print_json(report)
        return
    for stem, facts in report["stems"].items():
        print(printable(f"{stem}: {', '.join(files[stem])}"))
        print(common.describe_stem(facts))
    print(
        f"{output}: {report['seconds']:.1f} s at {report['sample_rate']} Hz,"
        f" {common.describe_levels(report)}"
    )


def _session_to_mix(options: argparse.Namespace) -> "Session":
    from fxnorm.mixing import Session, Track, at_sides, read_session

    named = [(stem, file) for stem in STEMS for file in getattr(options, stem)] + options.stem
    if options.song is None and not named:
        raise FxNormError(
            f"no stems: give a song's folder or table, or at least one of"
            f" {', '.join(f'--{stem}' for stem in STEMS)}"
        )
    session = Session({})
    if options.song is not None:
        session = read_session(
            options.song, known_types(options), unknown_as_other=options.unknown == "other"
        )
    by_stem: dict[str, list[Track]] = {}
    for stem, file in named:
        by_stem.setdefault(stem, []).append(Track(file))
    beside = at_sides(by_stem)
    tracks = dict(session.tracks)
    for stem, its in beside.tracks.items():
        tracks[stem] = (*tracks.get(stem, ()), *its)
    return Session(tracks, (*session.notes, *beside.notes))


def _output(options: argparse.Namespace) -> Path:
    output = Path(options.output)
    if output.is_dir() or options.output.endswith(os.sep):
        raise FxNormError(f"{options.output}: is a folder; give a file name")
    suffix = output.suffix.lower().removeprefix(".")
    if options.format is None or suffix == options.format:
        return output
    if suffix in _FORMATS:
        raise FxNormError(f"{output}: its name says {suffix}, --format {options.format}; give one")
    return output.with_name(f"{output.name}.{options.format}")


def _check_outputs(options: argparse.Namespace, output: Path) -> None:
    common.check_output(str(output), [f".{name}" for name in _FORMATS], options.subtype)
    if options.page is not None:
        common.check_output(options.page, [".html"])
    if options.stems is not None:
        if Path(options.stems).is_file():
            raise FxNormError(f"{options.stems}: is a file; --stems takes a folder")
        common.check_place(str(Path(options.stems) / "stem.wav"))


def _stem_file(text: str) -> tuple[str, str]:
    stem, _, file = text.partition("=")
    if not stem or not file:
        raise argparse.ArgumentTypeError(f"'{text}' is not TYPE=FILE")
    return stem, file
