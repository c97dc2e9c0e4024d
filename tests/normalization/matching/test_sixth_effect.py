"""A sixth effect that matches features: `docs/add-an-effect.md`, carried out step by step."""

import os
import re
import shutil
import subprocess
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

CHECKOUT = Path(__file__).parents[3]
GUIDE = CHECKOUT / "docs" / "add-an-effect.md"
MODULE = "fxnorm.normalization.matching.width"
FILE, ROW, TEST = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)


@pytest.fixture
def example(tmp_path, monkeypatch) -> NormalizationConfig:
    """The file and the row of the guide in place; returns the params that name it."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "width.py").write_text(FILE)
    monkeypatch.setattr(matching, "__path__", [*matching.__path__, str(tmp_path / "package")])
    rows = eval(f"{{{ROW}}}", {"Row": effect_table.Row})
    last = {"loudness": effect_table.EFFECTS["loudness"]}
    before = {name: row for name, row in effect_table.EFFECTS.items() if name != "loudness"}
    monkeypatch.setattr(effect_table, "EFFECTS", {**before, **rows, **last})
    yield NormalizationConfig(effects=("width", *effect_table.default_effects()))
    sys.modules.pop(MODULE, None)
    vars(matching).pop("width", None)


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A copy of the package and the chain's tests in which the guide is carried out."""
    checkout = tmp_path_factory.mktemp("checkout")
    for part in ("fxnorm", "tests/normalization"):
        shutil.copytree(CHECKOUT / part, checkout / part)
    for file in ("pyproject.toml", "tests/fresh_process.py", "tests/golden_signals.py"):
        shutil.copy(CHECKOUT / file, checkout / file)
    normalization = checkout / "fxnorm" / "normalization"
    (normalization / "matching" / "width.py").write_text(FILE)
    (checkout / "tests" / "normalization" / "matching" / "test_width.py").write_text(TEST)
    table = normalization / "effect_table.py"
    text, row = table.read_text(), '    "loudness": Row('
    assert row in text
    table.write_text(text.replace(row, f"    {ROW}{row}"))
    return checkout


def run_in(checkout, *words) -> str:
    """What a command prints where the package is the one of that checkout."""
    result = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_chain_s_tests_and_the_guide_s_own_pass(extended) -> None:
    files = ("test_normalizer_golden.py", "test_effect_table.py", "matching/test_width.py")
    tests = [f"tests/normalization/{file}" for file in files]
    assert " passed" in run_in(extended, "pytest", "-q", "-p", "no:cacheprovider", *tests)


def test_old_features_serve_the_command_until_it_is_named(extended, tmp_path) -> None:
    reference_features().save(tmp_path / "old.npz")
    audio.write(tmp_path / "bass.wav", noise(1.0, 1), SAMPLE_RATE)
    files = ["bass.wav", "--stem", "bass", "--features", "old.npz", "--output"]
    outputs = []
    for checkout, output in ((extended, "with.wav"), (CHECKOUT, "without.wav")):
        words = [str(tmp_path / w) if "." in w else w for w in (*files, output)]
        run_in(checkout, "fxnorm", "normalize", *words)
        outputs.append((tmp_path / output).read_bytes())
    assert outputs[0] == outputs[1]


def test_it_is_measured_saved_loaded_applied_and_shown(example, tmp_path) -> None:
    songs = make_songs(tmp_path / "data", seconds=1.5)
    default = measure_features(songs, jobs=1)
    assert list(default.references) == ["eq", "compression", "panning", "loudness"]
    features = measure_features(songs, example, jobs=1)
    assert list(features.references) == ["eq", "compression", "panning", "width", "loudness"]
    features.save(tmp_path / "features.npz")
    loaded = DatasetFeatures.load(tmp_path / "features.npz")
    assert loaded.numbers() == features.numbers()
    assert loaded.numbers()["drums"]["width_db"] == features.references["width"]["drums"][0]

    chain = FxNormalizer(loaded, example)
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


def test_the_configuration_and_the_command_know_it(example, tmp_path, capsys) -> None:
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


def test_features_without_it_serve_chains_without_it(example) -> None:
    features = reference_features()
    with pytest.raises(FxNormError, match="'width'; measure them again"):
        FxNormalizer(features, example)
    FxNormalizer(features)
