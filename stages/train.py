"""Stage `train@<system>`: a network that turns normalised stems into the human mix."""

from stages.common import argument, stage
from stages.training import train_stage


def main(system: str) -> None:
    """Train and save one system."""
    sections = ["seed", "dataset", "stems", "normalization", f"systems.{system}"]
    with stage(f"train@{system}", sections, system=system) as (params, run):
        train_stage(system, params.system(system), params, run)


if __name__ == "__main__":
    main(argument("stages.train <system>"))
