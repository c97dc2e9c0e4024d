"""`fxnorm listen`: export a listening test and analyse its results."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli.common import warn
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    from fxnorm.listening import ListeningSong


def add_parser(commands: Any) -> None:
    """Add the subcommand and its two."""
    parser = commands.add_parser("listen", help="export or analyse a listening test")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    export = actions.add_parser(
        "export",
        help="export stimuli, key and configurations",
        description="Cut loudness-matched excerpts of every system's mixes "
        "(<mixes>/<system>/<song>.wav), with the sum of the dry stems "
        "(<dry>/<song>/{vocals,bass,drums,other,mixture}.wav) as reference, and write webMUSHRA "
        "and Web Audio Evaluation Tool configurations.",
    )
    export.add_argument("--mixes", required=True, metavar="DIR", help="one folder per system")
    export.add_argument("--dry", required=True, metavar="DIR", help="songs with dry stems")
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    export.add_argument("--seed", type=int, default=0, help="of names and dither")
    export.add_argument("--seconds", type=float, default=25.0, help="length of the excerpts")
    export.add_argument("--bits", type=int, choices=(16, 24), default=16)
    export.set_defaults(run=_export)

    analyze = actions.add_parser(
        "analyze",
        help="analyse results",
        description="Read results (our JSON or CSV, webMUSHRA's CSV, the Web Audio Evaluation "
        "Tool's XML) and write tables, figures and sentences.",
    )
    analyze.add_argument("results", nargs="+", metavar="RESULTS")
    analyze.add_argument("--key", required=True, metavar="key.csv", help="from the export")
    analyze.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    analyze.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    analyze.set_defaults(run=_analyze)


def _export(options: argparse.Namespace) -> None:
    from fxnorm.listening import ListeningConfig, export_stimuli

    settings = {"excerpt_s": options.seconds, "bits": options.bits}
    config = ListeningConfig.parse(settings, "fxnorm listen export")
    songs = _songs(Path(options.mixes), Path(options.dry))
    key = export_stimuli(songs, options.output, config, seed=options.seed)
    print(
        f"{options.output}: {len(key)} stimuli of {len(songs)} songs; host {options.output}/hosted"
    )


def _songs(mixes: Path, dry: Path) -> "list[ListeningSong]":
    from fxnorm.audio import READABLE
    from fxnorm.data import find_songs
    from fxnorm.listening import ListeningSong

    if not mixes.is_dir():
        raise FxNormError(f"{mixes}: no such folder; give the one with a folder per system")
    systems = sorted(path for path in mixes.iterdir() if path.is_dir())
    songs = []
    for song in find_songs(dry).songs:
        found = {
            system.name: path
            for system in systems
            for path in sorted(system.iterdir())
            if path.stem == song.name and path.suffix.lower() in READABLE
        }
        if not found:
            warn([f"{song.name}: no system has mixed it; left out"])
            continue
        versions = {"human": song.mixture} | found
        songs.append(ListeningSong(song.name, versions, list(song.stems.values())))
    return songs


def _analyze(options: argparse.Namespace) -> None:
    from fxnorm.listening import analyze

    found = analyze(options.results, options.key, options.output, seed=options.seed)
    for criterion, sentence in found.findings.items():
        print(f"{criterion}: {sentence}")
    print(f"{options.output}: tables, figure and findings")
