"""Stage `extra_songs@<root>`: the songs of a further training root.

DVC takes no list as dependencies: the stages that read these songs depend on the folder of the
lists that this stage writes, one for each root.
"""

import pandas as pd

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import HOW_TO_SKIP, find_songs
from fxnorm.digests import digest
from fxnorm.outputs import atomic_file
from stages.common import argument, stage, usable_songs
from stages.places import EXTRA_SONGS


def main(root: str) -> None:
    """List the root's songs with a digest of their files."""
    with stage(f"extra_songs@{root}", ["dataset", "stems"]) as (params, _):
        found = find_songs(
            f"{root}/train",
            tuple(params.stems),
            skip_faulty=params.dataset.skip_faulty,
            how_to_skip=HOW_TO_SKIP,
        )
        songs = usable_songs(found)
        table = pd.DataFrame(
            {
                "song": song.name,
                "seconds": song.samples / SAMPLE_RATE,
                "digest": digest(song.mixture, *song.stems.values()),
            }
            for song in songs
        )
        with atomic_file(EXTRA_SONGS / root.lstrip("/") / "songs.csv") as path:
            table.to_csv(path, index=False, float_format="%.3f")


if __name__ == "__main__":
    main(argument("stages.extra_songs <root>"))
