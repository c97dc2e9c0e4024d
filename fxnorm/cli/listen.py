"""`fxnorm listen`: export a listening test and analyse its results."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.cli.arguments import number, several, whole
from fxnorm.cli.common import add_stem_types, chosen_stem_types
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    from fxnorm.listening import AnalysisConfig, ListeningConfig


_MOST_PARTICIPANTS = 10_000


def add_parser(commands: Any) -> None:
    """Add the subcommand and its actions."""
    parser = commands.add_parser("listen", help="export or analyse a listening test")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_export(actions)
    _add_analyze(actions)
    _add_power(actions)


def _add_export(actions: Any) -> None:
    export = actions.add_parser(
        "export",
        help="export stimuli, key, test page and configurations",
        description="Cut loudness-matched excerpts of every system's mixes "
        "(<mixes>/<system>/<song>.wav), with the sum of the dry stems "
        "(<dry>/<song>/{vocals,bass,drums,other,mixture}.wav) as reference, and write a test page, "
        "and webMUSHRA and Web Audio Evaluation Tool configurations.",
    )
    export.add_argument("--mixes", required=True, metavar="DIR", help="one folder per system")
    export.add_argument("--dry", required=True, metavar="DIR", help="songs with dry stems")
    add_stem_types(export)
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    export.add_argument("--seed", type=int, default=0, help="of names, dither and orders")
    export.add_argument("--title", dest="name", help="of the test, for its participants")
    export.add_argument("--test-id", metavar="NAME", help="of the test in results")
    export.add_argument(
        "--criterion",
        action="append",
        dest="criteria",
        metavar="ID=TITLE|QUESTION[|LOW|HIGH]",
        help="what is rated, with the labels of the axis' ends; once per criterion; the default is "
        "the paper's three",
    )
    export.add_argument("--seconds", dest="excerpt_s", type=float, help="length of the excerpts")
    export.add_argument("--lufs", dest="target_lufs", type=float, help="loudness of all stimuli")
    export.add_argument("--ceiling", dest="ceiling_dbtp", type=float, help="highest true peak")
    export.add_argument(
        "--common-level",
        action="store_true",
        default=None,
        help="lower all songs together where one must be lowered for its peaks",
    )
    export.add_argument("--bits", type=int, choices=(16, 24))
    export.add_argument("--hosted-at", metavar="FOLDER", help="below the root of another tool")
    page = export.add_argument_group("the test page (hosted/index.html)")
    page.add_argument("--consent", metavar="FILE", help="text that participants agree to")
    page.add_argument("--instructions", metavar="FILE", help="text that they read then")
    page.add_argument("--no-training", dest="training", action="store_false", default=None)
    page.add_argument("--songs-per-participant", type=int, metavar="N", help="default: all")
    page.add_argument(
        "--repeated-pages", type=int, metavar="N", help="pages met twice, to see consistency"
    )
    page.add_argument("--post-to", metavar="URL", help="where results are sent, too")
    export.set_defaults(run=_export)


def _add_analyze(actions: Any) -> None:
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
    analyze.add_argument("--human", metavar="SYSTEM", help="which the others are held against")
    analyze.add_argument("--contrasts", choices=("all", "human"), help="which pairs are tested")
    analyze.add_argument("--unit", choices=("participant", "participant-and-song"))
    analyze.add_argument("--alpha", type=float, help="significance level, 0.05 by default")
    analyze.add_argument("--confidence", type=float, help="of intervals, 0.95 by default")
    analyze.add_argument(
        "--margin",
        type=float,
        help="largest difference that counts as none, in parts of the scale: test equivalence",
    )
    analyze.add_argument(
        "--group-by", metavar="QUESTION", help="such as experience_years or equipment"
    )
    analyze.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="SYSTEM=TEXT",
        help="what to call a system in tables and figure",
    )
    analyze.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PARTICIPANT=REASON",
        help="leave out a participant, by name or session",
    )
    analyze.add_argument(
        "--ignore-page", action="append", default=[], metavar="PAGE", help="leave out a page"
    )
    analyze.add_argument(
        "--ignore-stimulus", action="append", default=[], metavar="ID", help="leave out a stimulus"
    )
    analyze.set_defaults(run=_analyze)


def _add_power(actions: Any) -> None:
    power = actions.add_parser(
        "power",
        help="how many participants a test needs",
        description="Simulate listening tests in which one system is rated lower than the human "
        "mix, and print how often it is found to be, by the number of participants, where only "
        "pairs with the human mix are tested (analyze --contrasts human).",
    )
    power.add_argument(
        "--participants",
        type=several(whole(0, _MOST_PARTICIPANTS)),
        default=(8, 10, 14, 20, 30),
        metavar="N,…",
    )
    power.add_argument(
        "--differences", type=several(number(0, 1)), default=(0.05, 0.1, 0.15, 0.2), metavar="D,…"
    )
    power.add_argument("--systems", type=int, default=6, help="the human mix among them")
    for name, help_text in (
        ("songs", "that each participant rates"),
        ("level-sd", "where on the scale participants rate"),
        ("taste-sd", "what participants think of systems"),
        ("song-sd", "how songs are rated as a whole"),
        ("noise-sd", "how far ratings are off"),
    ):
        kind = int if name == "songs" else float
        power.add_argument(f"--{name}", type=kind, help=help_text)
    power.add_argument("--seed", type=int, default=0, help="of the simulation")
    power.set_defaults(run=_power)


def _export(options: argparse.Namespace) -> None:
    from fxnorm.listening import export_stimuli, find_listening_songs

    config = _listening_config(options)
    stems = chosen_stem_types(options)
    songs = find_listening_songs(Path(options.mixes), Path(options.dry), stems)
    rows = export_stimuli(songs, options.output, config, seed=options.seed)
    print(
        f"{options.output}: {len(rows)} stimuli of {len(songs)} songs; host {options.output}/hosted"
    )


def _listening_config(options: argparse.Namespace) -> "ListeningConfig":
    from fxnorm.documents import read_text
    from fxnorm.listening import ListeningConfig, OwnPageConfig

    page = _given(options, set(OwnPageConfig.model_fields))
    for name in ("consent", "instructions"):
        if name in page:
            page[name] = read_text(page[name], "give a text file")
    settings = _given(options, set(ListeningConfig.model_fields)) | {"page": page}
    if "criteria" in settings:
        settings["criteria"] = [_criterion(text) for text in settings["criteria"]]
    return ListeningConfig.parse(settings, "fxnorm listen export")


def _given(options: argparse.Namespace, names: set[str]) -> dict[str, Any]:
    return {
        name: value for name, value in vars(options).items() if name in names and value is not None
    }


def _criterion(text: str) -> dict[str, str]:
    name, _, words = text.partition("=")
    parts = [part.strip() for part in words.split("|")]
    if len(parts) not in (2, 4):
        raise FxNormError(
            f"--criterion '{text}': is not ID=TITLE|QUESTION or ID=TITLE|QUESTION|LOW|HIGH"
        )
    keys = ("id", "title", "question", "low", "high")
    return dict(zip(keys, [name.strip(), *parts], strict=False))


def _analyze(options: argparse.Namespace) -> None:
    from fxnorm.listening import Ignored, analyze

    ignored = Ignored(
        pages=options.ignore_page,
        stimuli=options.ignore_stimulus,
        participants=_pairs("--exclude", options.exclude),
    )
    found = analyze(
        options.results,
        options.key,
        options.output,
        _analysis_config(options),
        ignored=ignored,
        seed=options.seed,
    )
    for criterion, sentence in found.findings.items():
        print(f"{found.titles[criterion]}: {sentence}")
    print(f"{options.output}: tables, figure and findings")


def _analysis_config(options: argparse.Namespace) -> "AnalysisConfig":
    from fxnorm.listening import AnalysisConfig

    settings = _given(options, set(AnalysisConfig.model_fields))
    settings["labels"] = _pairs("--label", options.label)
    return AnalysisConfig.parse(settings, "fxnorm listen analyze")


def _power(options: argparse.Namespace) -> None:
    from fxnorm.listening import Listeners, power_table
    from fxnorm.tabulation import to_markdown

    settings = _given(options, set(Listeners.model_fields))
    listeners = Listeners.parse(settings, "fxnorm listen power")
    table = power_table(
        options.participants,
        options.differences,
        systems=options.systems,
        listeners=listeners,
        seed=options.seed,
    )
    print(to_markdown(table), end="")


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.rpartition("="))
        if not name or not value:
            raise FxNormError(f"{option} '{text}': is not NAME=TEXT; give both")
        pairs[name] = value
    return pairs
