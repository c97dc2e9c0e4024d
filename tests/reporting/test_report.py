"""The report of made-up systems: names, files, and what the page shows."""

import numpy as np
import pandas as pd
import pytest

from fxnorm.audio import write
from fxnorm.errors import FxNormError
from fxnorm.evaluation import EvaluationConfig
from fxnorm.evaluation.columns import FURTHER_COLUMNS, TABLE_COLUMNS
from fxnorm.evaluation.scoring import COLUMNS
from fxnorm.reporting import EvaluatedSong, build_report, write_report, write_report_page
from fxnorm.reporting.page import PageConfig

RATE = 44_100
NAMES = {"guitar_net": "Guitar & net", "a_net": "A net"}
SYSTEMS = ("normalized_sum", *NAMES)
CONFIG = EvaluationConfig(resamples=100)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixes")
    rng = np.random.default_rng(0)
    for name in ("human", *SYSTEMS):
        write(folder / f"{name}.wav", rng.uniform(-0.3, 0.3, (4 * RATE, 2)), RATE)
    mixes = {name: folder / f"{name}.wav" for name in SYSTEMS}
    return [EvaluatedSong(f"song {n}", "wet", folder / "human.wav", mixes) for n in range(3)]


@pytest.fixture(scope="module")
def scores(songs):
    error = {"normalized_sum": 0.4, "guitar_net": 0.3, "a_net": 0.2}
    rows = [
        (system, "wet", song.name, column.group, column.metric, error[system] + 0.01 * n, "")
        for column in (*TABLE_COLUMNS, *FURTHER_COLUMNS)
        for n, song in enumerate(songs)
        for system in SYSTEMS
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@pytest.fixture(scope="module")
def report(scores, songs):
    loss = {"metric": "loss_mean", "value": [2.0, 1.0]}
    history = pd.DataFrame({"epoch": [1, 2], "split": "valid", **loss})
    return build_report(
        scores, songs, {"a_net": history}, CONFIG, NAMES, our_data="made-up songs", seed=0
    )


def test_systems_have_the_callers_names_and_order_everywhere(report):
    wanted = ["Normalised sum", "Guitar & net", "A net"]
    for name, last in (("wet", ["Human"]), ("wet_further", ["Human"]), ("published", [])):
        rows = [row for row, _ in report.tables[name].rows if not row.startswith("paper: ")]
        assert rows == wanted + last
    assert report.figures["training_a_net"].name == "Training of A net"
    boxes = report.figures["distributions_wet"].image.axes[0]
    assert [text.get_text() for text in boxes.get_xticklabels()] == wanted


def test_files_are_written_by_name(report, tmp_path):
    write_report(report, tmp_path / "tables", tmp_path / "figures")
    tables = {path.name for path in (tmp_path / "tables").iterdir()}
    assert tables == {"songs.csv"} | {
        f"{name}.{suffix}" for name in report.tables for suffix in ("csv", "md", "tex")
    }
    assert r"Guitar \& net" in (tmp_path / "tables" / "wet.tex").read_text()
    figures = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert figures == set(report.figures)


def test_a_folder_that_cannot_be_written_is_refused_as_documented(report, tmp_path):
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(FxNormError, match="tables: is a file") as error:
        write_report(report, tmp_path / "tables", tmp_path / "figures")
    assert f"{error.type.__name__}: " in write_report.__doc__
    assert not (tmp_path / "figures").exists()


def test_the_page_draws_the_human_mix_the_baseline_and_the_best_system(report, songs, tmp_path):
    path = tmp_path / "index.html"
    write_report_page(path, report, songs, PageConfig(seconds=2.0), NAMES, our_data="made up")
    text = path.read_text()
    assert text.count("Mel spectrograms of the excerpt: Human, Normalised sum, A net") == 3
    assert "Guitar &amp; net" in text


@pytest.mark.parametrize("mono", [1, 3])
def test_a_song_without_one_of_the_errors_has_no_mean_improvement(mono, scores, songs, tmp_path):
    names = [song.name for song in songs[:mono]]
    panning = (scores["group"] == "panning") & scores["song"].isin(names)
    lacking = scores.assign(value=scores["value"].mask(panning))
    found = build_report(lacking, songs, {}, CONFIG, NAMES, our_data="made up", seed=0)
    without = found.songs[found.songs["song"].isin(names)]
    assert without[["panning", "mean"]].isna().all(axis=None)
    assert without[["spectral", "dynamics"]].notna().all(axis=None)
    assert found.songs["mean"].notna().sum() == 2 * (len(songs) - mono)
    page = PageConfig(seconds=2.0)
    write_report_page(tmp_path / "i.html", found, songs[:1], page, NAMES, our_data="made up")
