"""Stage `pretrain`: the front end as an auto-encoder of normalised stems."""

from stages.common import stage
from stages.training import train_stage

SECTIONS = ["seed", "dataset", "stems", "normalization", "pretraining"]


def main() -> None:
    """Train and save the pretraining network."""
    with stage("pretrain", SECTIONS, system="pretrained") as (params, run):
        train_stage("pretrained", params.pretraining, params, run)


if __name__ == "__main__":
    main()
