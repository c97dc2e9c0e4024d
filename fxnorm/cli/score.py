"""`fxnorm score`: how far mixes are from the human mixes."""

import argparse
import math
from typing import Any

from fxnorm.cli.arguments import number
from fxnorm.cli.common import add_jobs, add_json, check_output, print_json, warn
from fxnorm.mixing.limits import LOUDNESS_LUFS


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "score",
        help="score mixes against human mixes",
        description="Compare <mixes>/<system>/<song>.* with <target>/<song>.* for every system "
        "and song; print the means and write all numbers as tidy CSV.",
    )
    parser.add_argument("--target", required=True, metavar="DIR", help="human mixes")
    parser.add_argument("--mixes", required=True, metavar="DIR", help="one folder per system")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.csv", help="all scores")
    parser.add_argument(
        "--match-loudness",
        type=number(*LOUDNESS_LUFS),
        metavar="LUFS",
        help="bring all mixes and targets to this loudness first",
    )
    add_jobs(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Score, print, write."""
    from fxnorm.evaluation import score_mixes, write_scores
    from fxnorm.evaluation.scoring import FILE_GROUP

    check_output(options.output, (".csv",))
    scores = score_mixes(
        options.target, options.mixes, match_loudness_lufs=options.match_loudness, jobs=options.jobs
    )
    write_scores(scores, options.output)
    notes = scores.loc[scores["note"] != "", ["system", "song", "metric", "note"]]
    warn([f"{row.system}/{row.song}: {row.metric}: {row.note}" for row in notes.itertuples()])
    compared = scores[scores["group"] != FILE_GROUP]
    keys = ["group", "metric", "system"]
    means = compared.groupby(keys, sort=False)["value"].mean().unstack("system")
    if options.json:
        print_json({system: _nested(means[system]) for system in means.columns})
    else:
        print(means.to_string(float_format=lambda value: f"{value:.4f}"))


def _nested(column: Any) -> dict[str, dict[str, float | None]]:
    """{group: {metric: mean}}; None where no song has a meaningful value, as JSON has no NaN."""
    nested: dict[str, dict[str, float | None]] = {}
    for (group, metric), value in column.items():
        nested.setdefault(group, {})[metric] = float(value) if math.isfinite(value) else None
    return nested
