"""A sixth effect that matches features: `docs/add-an-effect.md`, carried out step by step."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from normalization_fixtures import SAMPLE_RATE, make_songs, noise, reference_features

from fxnorm import audio
from fxnorm.cli import main
from fxnorm.errors import FxNormError
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    NormalizationConfig,
    effect_table,
    matching,
    measure_features,
    normalize_dataset,
    tabulate_reports,
)
from fxnorm.reporting.features_figure import features_figure, features_table

GUIDE = Path(__file__).parents[3] / "docs" / "add-an-effect.md"
MODULE = "fxnorm.normalization.matching.width"


@pytest.fixture(autouse=True)
def example(tmp_path, monkeypatch) -> str:
    """The file and the row of the guide in place; returns the guide's test."""
    file, row, test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "width.py").write_text(file)
    monkeypatch.setattr(matching, "__path__", [*matching.__path__, str(tmp_path / "package")])
    rows = eval(f"{{{row}}}", {"Row": effect_table.Row})
    last = {"loudness": effect_table.EFFECTS["loudness"]}
    before = {name: row for name, row in effect_table.EFFECTS.items() if name != "loudness"}
    monkeypatch.setattr(effect_table, "EFFECTS", {**before, **rows, **last})
    yield test
    sys.modules.pop(MODULE, None)
    vars(matching).pop("width", None)


def test_the_guide_s_own_test_passes(example) -> None:
    names: dict = {}
    exec(example, names)
    names["test_the_width_becomes_the_reference"]()


def test_it_is_measured_saved_loaded_applied_and_shown(tmp_path) -> None:
    songs = make_songs(tmp_path / "data", seconds=1.5)
    features = measure_features(songs, jobs=1)
    assert list(features.references) == ["eq", "compression", "panning", "width", "loudness"]
    features.save(tmp_path / "features.npz")
    loaded = DatasetFeatures.load(tmp_path / "features.npz")
    assert loaded.numbers() == features.numbers()
    assert loaded.numbers()["drums"]["width_db"] == features.references["width"]["drums"][0]

    chain = FxNormalizer(loaded)
    assert chain.config.effects[-2:] == ("width", "loudness")
    result = chain(audio.read(songs[0].stems["drums"])[0], SAMPLE_RATE, "drums")
    left, right = result.audio.T.astype(float)
    width_db = 20 * np.log10(np.std(left - right) / np.std(left + right))
    assert width_db == pytest.approx(loaded.references["width"]["drums"][0], abs=0.05)
    assert isinstance(result.report["effects"]["width"]["side_db"], float)
    rows = tabulate_reports(normalize_dataset(songs, tmp_path / "out", chain, seed=0, jobs=1))
    assert rows[2]["width_side_db"] == result.report["effects"]["width"]["side_db"]

    titles = [axes.get_title() for axes in features_figure(loaded).axes]
    assert len(titles) == 5
    assert titles[3] == "Width"
    assert list(features_table(loaded).columns) == ["frequency_hz", "stem", "eq_db", "phi"]


def test_the_configuration_and_the_command_know_it(tmp_path, capsys) -> None:
    config = NormalizationConfig(effects=("loudness", "width"), strengths={"width": 0.5})
    assert config.effects == ("width", "loudness")
    features = reference_features()
    widths = dict.fromkeys(features.stems, -12.0)
    DatasetFeatures(**features.references, width=widths).save(tmp_path / "features.npz")
    audio.write(tmp_path / "bass.wav", noise(1.0, 1), SAMPLE_RATE)
    arguments = [str(tmp_path / "bass.wav"), "--stem", "bass", "--output", str(tmp_path / "n.wav")]
    arguments += ["--features", str(tmp_path / "features.npz"), "--effects", "width"]
    assert main(["normalize", *arguments]) == 0
    assert re.search(r"width +side [+-]\d+\.\d dB", capsys.readouterr().out)


def test_features_without_it_serve_chains_without_it() -> None:
    features = reference_features()
    with pytest.raises(FxNormError, match="'width'; measure them again"):
        FxNormalizer(features)
    FxNormalizer(features, NormalizationConfig(effects=("eq", "loudness")))
