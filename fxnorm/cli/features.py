"""`fxnorm features`: measure, import and look at a data set's features."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli import common

if TYPE_CHECKING:
    from fxnorm.normalization import DatasetFeatures


def add_parser(commands: Any) -> None:
    """Add the subcommand and its three."""
    parser = commands.add_parser("features", help="measure, import, look at a data set's features")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    measure = actions.add_parser(
        "measure",
        help="measure a data set",
        description="Measure the averages that stems are normalised to, over the songs in a "
        "folder (<DATASET>/<song>/{vocals,bass,drums,other,mixture}.wav).",
    )
    measure.add_argument("dataset", metavar="DATASET")
    common.add_stem_types(measure)
    measure.add_argument("-o", "--output", required=True, metavar="FILE", help="features .npz")
    measure.add_argument(
        "--skip-faulty",
        action="store_true",
        help="leave faulty songs out; for that, files may be decoded once more",
    )
    common.add_jobs(measure)
    common.add_json(measure)
    measure.set_defaults(run=_measure_data_set)

    released = actions.add_parser(
        "import",
        help="import the authors' released features",
        description="Convert the released .npy (a pickled dictionary, read without running "
        "anything in it) to our format.",
    )
    released.add_argument("released", metavar="RELEASED.npy")
    released.add_argument("-o", "--output", required=True, metavar="FILE", help="features .npz")
    common.add_json(released)
    released.set_defaults(run=_import)

    show = actions.add_parser(
        "show",
        help="print features, draw their curves",
        description="Print the features of each stem type; with --output, draw the curves.",
    )
    show.add_argument("file", metavar="FILE", help="features .npz")
    show.add_argument("other", nargs="?", metavar="OTHER", help="second file, for comparison")
    show.add_argument("-o", "--output", metavar="PNG", help="picture of the curves")
    common.add_json(show)
    show.set_defaults(run=_show)


def _measure_data_set(options: argparse.Namespace) -> None:
    from fxnorm.data import find_songs
    from fxnorm.normalization import measure_features

    common.check_output(options.output, (".npz",))
    found = find_songs(
        options.dataset,
        common.chosen_stem_types(options),
        skip_faulty=options.skip_faulty,
        how_to_skip="--skip-faulty",
    )
    common.warn([f"skipped {name}: {reason}" for name, reason in found.skipped.items()])
    common.warn([f"{song.name}: {note}" for song in found.songs for note in song.notes])
    features = measure_features(found.songs, jobs=options.jobs)
    features.save(options.output)
    _print(options, {options.output: features})


def _import(options: argparse.Namespace) -> None:
    from fxnorm.normalization import DatasetFeatures

    common.check_output(options.output, (".npz",))
    features = DatasetFeatures.import_released(options.released)
    features.save(options.output)
    _print(options, {options.output: features})


def _show(options: argparse.Namespace) -> None:
    from fxnorm.normalization import DatasetFeatures

    files = [options.file] + ([options.other] if options.other else [])
    shown = {file: DatasetFeatures.load(file) for file in files}
    if options.output:
        from fxnorm.outputs import atomic_file
        from fxnorm.reporting.features_figure import features_figure

        common.check_output(options.output, (".png",))
        figure = features_figure(*shown.values())
        with atomic_file(options.output) as path:
            figure.savefig(path, dpi=150)
    _print(options, shown)


def _print(options: argparse.Namespace, shown: "dict[str, DatasetFeatures]") -> None:
    if options.json:
        common.print_json({file: features.numbers() for file, features in shown.items()})
        return
    for file, features in shown.items():
        print(Path(file).name)
        for stem, numbers in features.numbers().items():
            texts = (f"{name} {value:.3f}" for name, value in numbers.items())
            print(f"  {stem:<8}" + "".join(f"{text:>24}" for text in texts))
