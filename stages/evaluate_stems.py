"""Stage `evaluate_stems`: each normalised stem of the wet test set against the engineer's."""

from fxnorm.data import find_songs, load_partition
from fxnorm.evaluation import evaluate_stems, write_scores
from stages.common import stage
from stages.places import STEM_SCORES, TEST_SETS


def main() -> None:
    """Score every stem type on its own."""
    with stage("evaluate_stems", ["dataset", "stems"]) as (params, run):
        stems = tuple(params.stems)
        processed = load_partition(params.dataset, "test", stems).songs
        scores = evaluate_stems(find_songs(TEST_SETS["wet"], stems).songs, processed, jobs=-1)
        write_scores(scores, STEM_SCORES)
        run.table(scores, "stems")


if __name__ == "__main__":
    main()
