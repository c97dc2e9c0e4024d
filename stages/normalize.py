"""Stage `normalize@<partition>`: stems brought to the data set's features, beside the human mix."""

import pandas as pd

from fxnorm.data import Partition, load_partition, write_mixtures
from fxnorm.digests import digest
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    load_impulse_responses,
    normalize_dataset,
    tabulate_reports,
)
from fxnorm.outputs import atomic_folder
from fxnorm.workers import in_processes
from stages.common import argument, stage, unfinished_work, usable_songs
from stages.places import CODE, FEATURES, NORMALIZED


def main(partition: Partition) -> None:
    """Normalise one partition; only the dry one gets `prereverb`."""
    sections = ["seed", "dataset", "stems", "normalization", "output"]
    with stage(f"normalize@{partition}", sections) as (params, run):
        songs = usable_songs(load_partition(params.dataset, partition, tuple(params.stems)))
        rooms = load_impulse_responses(params.dataset.impulse_responses)
        small_rooms = load_impulse_responses(params.dataset.pre_impulse_responses)
        normalizer = FxNormalizer(
            DatasetFeatures.load(FEATURES),
            params.normalization,
            impulse_responses=rooms,
            pre_impulse_responses=small_rooms if partition == "dry" else None,
        )
        subtype = params.output.subtype
        files = [path for song in songs for path in (*song.stems.values(), song.mixture)]
        digests = in_processes(
            digest, ((path.name, (path,)) for path in files), jobs=-1, threads=True
        )
        rooms_used = (params.dataset.impulse_responses, params.dataset.pre_impulse_responses)
        key = digest(
            partition,
            params.seed,
            params.normalization,
            subtype,
            digest(FEATURES, CODE, *rooms_used),
            *digests,
        )
        with atomic_folder(NORMALIZED / partition) as folder:
            reports = normalize_dataset(
                songs,
                folder,
                normalizer,
                seed=params.seed,
                subtype=subtype,
                cache=unfinished_work("normalize", key),
            )
            write_mixtures(songs, folder, subtype)
        run.dataset(partition, NORMALIZED / partition, partition)
        run.table(pd.DataFrame(tabulate_reports(reports)), "stems")


if __name__ == "__main__":
    # load_partition refuses other words.
    main(argument("stages.normalize <train, valid, test or dry>"))  # type: ignore[arg-type]
