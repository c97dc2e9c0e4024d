"""Stage `train@<system>`: a network that turns normalised stems into the human mix."""

import sys

from stages.common import stage
from stages.training import train_stage


def main(system: str) -> None:
    """Train and save one system."""
    sections = ["seed", "dataset", "normalization", f"systems.{system}"]
    with stage(f"train@{system}", sections) as (params, run):
        train_stage(system, params.system(system), params, run)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
