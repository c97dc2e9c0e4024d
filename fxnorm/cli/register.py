"""`fxnorm register`: a model into MLflow's registry."""

import argparse
import os
from pathlib import Path
from typing import Any

from fxnorm.cli.common import add_json, print_json, warn


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "register",
        help="put a model into MLflow's registry",
        description="Log a model folder in MLflow and register it as a new version, to be loaded "
        "with mlflow.pyfunc.load_model or served with `mlflow models serve`. The store is that of "
        "the checkout around the current folder; MLFLOW_TRACKING_URI names another one.",
    )
    parser.add_argument("model", metavar="MODEL_DIR", help="model folder")
    parser.add_argument(
        "--name", default="fxnorm", help="of the registered model; fxnorm is the default"
    )
    parser.add_argument("--alias", metavar="ALIAS", help="name for this version, such as champion")
    parser.add_argument(
        "--impulse-responses",
        metavar="DIR",
        help="folder of <name>/impulse_response.wav, for networks trained on reverberated stems",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Open the store, register, say how to use the version."""
    from fxnorm.models import load_settings
    from fxnorm.tracking import open_store, register_model

    load_settings(options.model)
    store = open_store(_checkout(Path.cwd()), os.environ.get("MLFLOW_TRACKING_URI"))
    warn([store.notice] if store.notice else [])
    made = register_model(
        options.model,
        store,
        name=options.name,
        alias=options.alias,
        impulse_responses=options.impulse_responses,
    )
    place = f"models:/{made.name}" + (f"@{options.alias}" if options.alias else f"/{made.version}")
    if options.json:
        print_json({**made._asdict(), "uri": place, "store": store.uri})
        return
    print(f"{made.name} version {made.version}: {made.system}, {place}")
    print(f"MLFLOW_TRACKING_URI={store.uri} mlflow models serve -m {place} --env-manager local")


def _checkout(folder: Path) -> Path:
    """The nearest folder with a pipeline, or this one."""
    around = (one for one in (folder, *folder.parents) if (one / "dvc.yaml").is_file())
    return next(around, folder)
