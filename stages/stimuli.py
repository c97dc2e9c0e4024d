"""Stage `stimuli`: a listening test of the mixes of the dry test set."""

from pathlib import Path

from fxnorm.data import load_partition
from fxnorm.evaluation.evaluation_config import NORMALIZED_SUM
from fxnorm.listening import ListeningSong, export_stimuli
from fxnorm.listening.listening_config import HUMAN_MIX
from stages.common import stage, usable_songs
from stages.places import mix_path

OUTPUT = Path("reports/listening")


def main() -> None:
    """Export every system's mix of each dry song beside the human mix."""
    with stage("stimuli", ["seed", "dataset", "stems", "systems", "listening"]) as (params, run):
        dry = usable_songs(load_partition(params.dataset, "dry", tuple(params.stems)))
        systems = [NORMALIZED_SUM, *params.systems]
        songs = [
            ListeningSong(
                song.name,
                {HUMAN_MIX: song.mixture}
                | {name: mix_path(name, "dry", song.name) for name in systems},
                list(song.stems.values()),
            )
            for song in dry
        ]
        export_stimuli(songs, OUTPUT, params.listening, seed=params.seed)
        run.artifact(OUTPUT / "key.csv")
        run.artifact(OUTPUT / "hosted" / "webmushra.yaml")


if __name__ == "__main__":
    main()
