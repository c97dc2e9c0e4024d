"""Stage `evaluate@<system>`: mixes of the test sets, and their distance from the human mixes."""

import os

import numpy as np

from fxnorm.audio import read, short_term_loudness
from fxnorm.audio.excerpts import busiest_start
from fxnorm.conventions import LOGGED_S
from fxnorm.data import Song, find_songs, load_partition
from fxnorm.evaluation import SongMix, evaluate_mixes, headline, nested_summary, write_scores
from fxnorm.evaluation.evaluation_config import DRY_SUM, NORMALIZED_SUM
from fxnorm.evaluation.mix_evaluation import SCORES_FILE
from fxnorm.mixing import choose_device, mix_songs
from fxnorm.models import load
from fxnorm.outputs import atomic_folder
from stages.common import argument, stage, write_numbers
from stages.params import Params
from stages.places import EVALUATION, MODELS, TEST_SETS, mix_path


def main(system: str) -> None:
    """Mix, score, summarise."""
    folder = None if system in (NORMALIZED_SUM, DRY_SUM) else MODELS / system
    sections = ["seed", "dataset", "stems", "evaluation"]
    name = f"evaluate@{system}" if folder else f"evaluate_baseline@{system}"
    with stage(name, sections, system=system, model=folder) as (params, run):
        if folder is not None:
            params.system(system)
        # Not all of a cluster's machines have the GPU that this one may have.
        device = "cpu" if os.environ.get("FXNORM_DASK") else choose_device("auto")
        model = None if folder is None else load(folder, device)
        songs = _songs(system, params)
        for test_set, folder_of_songs in TEST_SETS.items():
            run.dataset(test_set, folder_of_songs, "test")
        with atomic_folder(EVALUATION / system / "mixes") as mixes:
            for test_set, listed in songs.items():
                # Recordings that nobody levelled may add up to more than full scale.
                subtype = "FLOAT" if system == DRY_SUM else "PCM_16"
                title = f"mix {test_set}"
                mix_songs(listed, mixes / test_set, model, title=title, subtype=subtype, jobs=-1)
        pairs = [
            SongMix(
                test_set,
                song.name,
                mix_path(system, test_set, song.name),
                TEST_SETS[test_set] / song.name / "mixture.wav",
            )
            for test_set, listed in songs.items()
            for song in listed
        ]
        scores = evaluate_mixes(system, pairs, params.evaluation, jobs=-1)
        write_scores(scores, EVALUATION / system / SCORES_FILE)
        summary = nested_summary(scores, params.evaluation, seed=params.seed)
        write_numbers(summary, EVALUATION / system / "summary.json")
        numbers = headline(summary)
        # DVC shows a metric without its file's path where no other file has the same keys.
        write_numbers({system: numbers}, EVALUATION / system / "headline.json", digits=4)
        run.metrics({"details": summary})
        run.headline(numbers)
        run.table(scores, "metrics")
        for test_set, listed in songs.items():
            run.excerpt(*_excerpt(system, test_set, listed[0].name), f"{test_set}_{listed[0].name}")


def _excerpt(system: str, test_set: str, song: str) -> tuple[np.ndarray, int]:
    """Audio and sample rate of a mix where the song is busiest, the same place for all systems."""
    human, rate = read(TEST_SETS[test_set] / song / "mixture.wav")
    profile = short_term_loudness(human, rate, hop_s=1.0)[1]
    start = busiest_start([profile], LOGGED_S)[0] * rate
    return read(mix_path(system, test_set, song), start, round(LOGGED_S * rate))


def _songs(system: str, params: Params) -> dict[str, list[Song]]:
    """What a system mixes, by test set: only the dry set's stems were never processed."""
    stems = tuple(params.stems)
    if system == DRY_SUM:
        return {"dry": load_partition(params.dataset, "dry", stems).songs}
    return {test_set: find_songs(path, stems).songs for test_set, path in TEST_SETS.items()}


if __name__ == "__main__":
    main(argument("stages.evaluate <system>"))
