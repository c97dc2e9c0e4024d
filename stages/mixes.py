"""Where the mixes of the test sets lie, and what the systems without a network are called."""

from pathlib import Path

REPORTS = Path("reports/evaluation")
#: The test sets by the folder of their normalised stems and human mixes.
TEST_SETS = {"wet": Path("data/normalized/test"), "dry": Path("data/normalized/dry")}
#: The sums of the normalised stems, and of the dry ones.
BASELINE, DRY_SUM = "normalized_sum", "dry_sum"
BASELINE_NAMES = {DRY_SUM: "Dry sum", BASELINE: "Normalised sum"}
#: The scores of the stems of the wet test set.
STEM_SCORES = REPORTS / "stems.csv"


def mix_path(system: str, test_set: str, song: str) -> Path:
    """A system's mix of a test song."""
    return REPORTS / system / "mixes" / test_set / f"{song}.wav"
