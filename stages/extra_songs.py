"""Stage `extra_songs@<root>`: the songs of a further training root.

DVC takes no list as dependencies: the stages that read these songs depend on the folder of the
lists that this stage writes, one for each root.
"""

import pandas as pd

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data import HOW_TO_SKIP, find_songs
from fxnorm.digests import digest
from stages.common import argument, stage, usable_songs, write_table
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
                "seconds": round(song.samples / SAMPLE_RATE, 3),
                "digest": digest(song.mixture, *song.stems.values()),
            }
            for song in songs
        )
        write_table(table, EXTRA_SONGS / root.lstrip("/") / "songs.csv")


if __name__ == "__main__":
    main(argument("stages.extra_songs <root>"))
