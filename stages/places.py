"""Where the pipeline's files lie in the checkout, as dvc.yaml names them."""

from pathlib import Path

#: The code that decides results: what an interrupted run left is only continued by its own.
CODE = Path("fxnorm")
#: The generated data set.
GENERATED = Path("data/raw")
#: The songs of further training roots.
EXTRA_SONGS = Path("data/extra_songs")
#: Normalised stems beside human mixes, by partition.
NORMALIZED = Path("data/normalized")
#: The test sets by the folder of their normalised stems and human mixes.
TEST_SETS = {"wet": NORMALIZED / "test", "dry": NORMALIZED / "dry"}

#: Trained models by system.
MODELS = Path("models")
#: What stems are normalised to.
FEATURES = MODELS / "features.npz"
#: The pretraining, in the place of a system.
PRETRAINED = "pretrained"

#: Histories of trainings by system.
TRAINING = Path("reports/training")
#: Scores and mixes by system.
EVALUATION = Path("reports/evaluation")
#: Scores of the stems of the wet test set.
STEM_SCORES = EVALUATION / "stems.csv"
#: What `make compare` holds a run against.
REFERENCE = Path("docs/reference.csv")


def mix_path(system: str, test_set: str, song: str) -> Path:
    """A system's mix of a test song."""
    return EVALUATION / system / "mixes" / test_set / f"{song}.wav"
