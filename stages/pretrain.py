"""Stage `pretrain`: the front end as an auto-encoder of normalised stems."""

from stages.common import stage
from stages.places import PRETRAINED
from stages.training import train_stage

SECTIONS = ["seed", "dataset", "stems", "normalization", "pretraining"]


def main() -> None:
    """Train and save the pretraining network."""
    with stage("pretrain", SECTIONS, system=PRETRAINED) as (params, run):
        train_stage(PRETRAINED, params.pretraining, params, run)


if __name__ == "__main__":
    main()
