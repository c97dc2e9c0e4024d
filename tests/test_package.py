"""The wheel, and what it does with the plain dependencies alone.

The fresh environment gets the wheel itself, and links to those installed distributions that the
wheel's own metadata asks for without an extra. So what the extras bring isn't there, and the test
neither downloads torch nor needs a network. `.ci/run` installs the wheel as a user does and runs
this file on that environment: the variable FXNORM_PLAIN_SCRIPTS names the folder of its programs.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email import message_from_string
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tiny_model import TINY, plain_features

import fxnorm
from fxnorm.audio import info, write
from fxnorm.conventions import STEMS
from fxnorm.models import AutomixConfig, MixerConfig, build, save

ROOT = Path(__file__).parents[1]
#: Folders that the sdist holds.
SOURCES = ("benchmarks", "docs", "fxnorm", "params", "stages", "tests")
PLAIN = [
    *("jinja2", "joblib", "markupsafe", "numba", "numpy", "pydantic", "pyyaml", "safetensors"),
    *("scipy", "soundfile", "soxr", "torch", "tqdm"),
]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The folder of the sdist, and of the wheel that is built from it alone.

    Built from a copy: a build leaves folders behind that the next would pick up.
    """
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, source)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), source]
    subprocess.run(command, check=True, capture_output=True)
    return output


@pytest.fixture(scope="module")
def wheel(distributions):
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory, request):
    """The folder of programs of a fresh environment with the wheel and the plain dependencies."""
    if "FXNORM_PLAIN_SCRIPTS" in os.environ:
        return Path(os.environ["FXNORM_PLAIN_SCRIPTS"])
    wheel = request.getfixturevalue("wheel")
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    paths = {"base": str(home), "platbase": str(home)}
    folder = Path(sysconfig.get_path("scripts", "venv", vars=paths))
    command = [sys.executable, "-m", "pip", "--python", str(folder / "python"), "install"]
    subprocess.run([*command, "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    for name in _closure(_requirements(wheel)):
        installed = distribution(name)
        for part in {file.parts[0] for file in installed.files} - {"..", "__pycache__"}:
            if not (packages / part).exists():
                (packages / part).symlink_to(installed.locate_file(part))
    return folder


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """A second of every stem and of their sum, features, and a tiny model."""
    folder = tmp_path_factory.mktemp("songs")
    rng = np.random.default_rng(5)
    stems = {stem: rng.uniform(-0.2, 0.2, (44_100, 2)).astype(np.float32) for stem in STEMS}
    for name, audio in {**stems, "mixture": sum(stems.values())}.items():
        write(folder / "data" / "song" / f"{name}.wav", audio, 44_100)
    features = plain_features()
    features.save(folder / "features.npz")
    torch.manual_seed(1)
    config = MixerConfig(system="tiny", network=AutomixConfig(**TINY))
    save(folder / "model", build(config.network), features, config)
    return folder


def _requirements(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    return _without_extras(metadata.get_all("Requires-Dist"))


def _without_extras(lines):
    requirements = [Requirement(line) for line in lines]
    return [
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]


def _closure(names):
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _without_extras(distribution(name).requires or [])
    return found


def _run(folder, *words):
    # -I: nothing of this checkout, of the user's folder or of PYTHONPATH is importable.
    command = [str(folder / "python"), "-I", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def _fxnorm(folder, *words):
    return _run(folder, "-m", "fxnorm", *words)


def test_the_wheel_holds_the_library_whole_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fxnorm").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there
    assert {"fxnorm/py.typed", "fxnorm/__init__.pyi"} <= held
    assert {Path(name).suffix for name in held} >= {".py", ".csv", ".css", ".js", ".html"}
    # The model takes 3.4 MB of it.
    assert wheel.stat().st_size < 4_500_000


def test_the_sdist_holds_what_builds_documents_and_tests_the_library(distributions):
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames() if "/" in name}
    wanted = {
        file.relative_to(ROOT).as_posix()
        for folder in SOURCES
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    wanted |= {path.name for path in ROOT.glob("*.md")}
    assert wanted | {"LICENSE", "constraints.txt", "dvc.yaml", "params.yaml"} <= held
    folders = {name.split("/")[0] for name in held if "/" in name}
    assert folders == {*SOURCES, "fxnorm.egg-info"}
    # Two sets of features take 2 MB each, the model 1.5 MB, golden numbers 2 MB.
    assert path.stat().st_size < 8_500_000


def test_the_version_is_the_same_everywhere(distributions):
    names = {path.name for path in distributions.iterdir()}
    version = fxnorm.__version__
    assert names == {f"fxnorm-{version}.tar.gz", f"fxnorm-{version}-py3-none-any.whl"}
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    changes = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version == next(change for change in changes if change != "Unreleased")


def test_the_plain_requirements_are_what_mixing_needs(wheel):
    assert sorted(_requirements(wheel)) == PLAIN


def test_a_plain_installation_mixes(tmp_path, scripts, songs):
    output = tmp_path / "mix.wav"
    files = [word for stem in STEMS for word in (f"--{stem}", songs / f"data/song/{stem}.wav")]
    page = tmp_path / "mix.html"
    words = ("--model", songs / "model", "--output", output, "--page", page)
    done = _fxnorm(scripts, "mix", *files, *words)
    assert done.returncode == 0, done.stderr
    assert page.read_text().count("data:image/png") == 3
    assert (info(output).samples, info(output).sample_rate) == (44_100, 44_100)

    code = (
        "import fxnorm, numpy, sys\n"
        "noise = numpy.random.default_rng(1).uniform(-0.1, 0.1, (44_100, 2))\n"
        "mix = fxnorm.mix({'bass': noise}, 44_100, sys.argv[1])\n"
        "assert mix.shape == (44_100, 2) and mix.any()\n"
        "print(fxnorm.__file__)\n"
    )
    done = _run(scripts, "-c", code, songs / "model")
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout


def test_a_plain_installation_normalizes_and_knows_features_and_weights(tmp_path, scripts, songs):
    source, features = songs / "data/song/bass.wav", songs / "features.npz"
    options = ("--stem", "bass", "--features", features, "--output", tmp_path / "bass.wav")
    measured = ("features", "measure", songs / "data", "-o", tmp_path / "measured.npz")
    assert "normalize" in subprocess.check_output([scripts / "fxnorm", "--help"], text=True)
    for words in (
        ("normalize", source, *options),
        (*measured, "--jobs", "1"),
        ("features", "show", tmp_path / "measured.npz"),
    ):
        done = _fxnorm(scripts, *words)
        assert done.returncode == 0, done.stderr
    assert info(tmp_path / "bass.wav").samples == 44_100

    missing = ("weights", "import", "no.params", "--system", "ours", "--features", features)
    done = _fxnorm(scripts, *missing, "-o", tmp_path / "imported")
    assert done.returncode == 2
    assert done.stderr.startswith("fxnorm: no.params")


def test_a_plain_installation_exports_a_listening_test(tmp_path, scripts, songs):
    mixes = tmp_path / "mixes" / "ours"
    mixes.mkdir(parents=True)
    shutil.copy(songs / "data" / "song" / "bass.wav", mixes / "song.wav")
    words = ("--mixes", mixes.parent, "--dry", songs / "data", "-o", tmp_path / "test")
    done = _fxnorm(scripts, "listen", "export", *words)
    assert done.returncode == 0, done.stderr
    hosted = tmp_path / "test" / "hosted"
    assert "</html>" in (hosted / "index.html").read_text()
    assert len(list((hosted / "audio").iterdir())) == 3


@pytest.mark.parametrize(
    "words",
    [
        ("score", "--target", "a", "--mixes", "b", "-o", "scores.csv"),
        ("listen", "analyze", "a", "--key", "b", "-o", "c"),
    ],
)
def test_commands_of_the_pipeline_name_the_extra(scripts, words):
    done = _fxnorm(scripts, *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'fxnorm[pipeline]'" in done.stderr
