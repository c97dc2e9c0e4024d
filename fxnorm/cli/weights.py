"""`fxnorm weights`: import the authors' released weights."""

import argparse
from typing import Any

from fxnorm.cli.common import check_place


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("weights", help="import the authors' released weights")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    released = actions.add_parser(
        "import",
        help="convert a released .params file",
        description="Convert a released .params file (a state dict of tensors; anything else in "
        "it is refused) to a model folder for `fxnorm mix`.",
    )
    released.add_argument("released", metavar="RELEASED.params")
    released.add_argument(
        "--system",
        required=True,
        choices=("ours", "ours-pretrained", "wun"),
        help="which network the weights are of",
    )
    released.add_argument(
        "--features", required=True, metavar="FILE", help="features .npz the weights go with"
    )
    released.add_argument("-o", "--output", required=True, metavar="DIR", help="model folder")
    released.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Import and save."""
    from fxnorm.models import import_model, save
    from fxnorm.normalization import DatasetFeatures

    check_place(options.output)
    features = DatasetFeatures.load(options.features)
    net, config = import_model(options.released, options.system)
    save(options.output, net, features, config)
    count = sum(weights.numel() for weights in net.parameters())
    print(f"{options.output}: {config.system}, {count:,} parameters, released quirks on")
