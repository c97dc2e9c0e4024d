"""Put a trained system into the package, as the model that `fxnorm mix` uses by default.

Run it as `python -m stages.ship default` after training with `params/default-model.yaml`.
"""

import shutil

from fxnorm.digests import digest
from fxnorm.models import load
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.outputs import atomic_folder
from stages.common import argument, ends_in_one_line
from stages.places import MODELS


def main(system: str) -> None:
    """Check that the model loads, copy it, and print its digest for the model card."""
    with ends_in_one_line("ship"):
        load(MODELS / system)
        with atomic_folder(DEFAULT_MODEL) as folder:
            shutil.copytree(MODELS / system, folder, dirs_exist_ok=True)
    print(f"{DEFAULT_MODEL}: {digest(DEFAULT_MODEL)}")


if __name__ == "__main__":
    main(argument("stages.ship <system>"))
