"""Every command of the pages on mixing and on the paper, run as it stands there."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import plain_features

from fxnorm.audio import read
from fxnorm.cli import main
from fxnorm.conventions import STEMS
from fxnorm.models import AutomixConfig, AutomixNet

ROOT = Path(__file__).parents[2]
FILES = {"vox": "vocals", "kick": "drums", "snare": "other", "overheads": "drums"}
FILES |= {"guitars": "other", "bass": "bass", "drums": "drums", "rest": "other"}


def _blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def _commands(page):
    lines = "".join(_blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("fxnorm")]


@pytest.fixture(scope="module")
def place(tmp_path_factory, stems, model):
    """A folder with all that the pages name."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(model, folder / "models" / "ours_S_Lb")
    for name, stem in FILES.items():
        shutil.copy(stems / f"{stem}.wav", folder / f"{name}.wav")
    (folder / "drums.wav").rename(folder / "drums.flac")
    for song in (folder / "Song", folder / "songs" / "a", folder / "songs" / "b"):
        song.mkdir(parents=True)
        for stem in STEMS:
            shutil.copy(stems / f"{stem}.wav", song / f"{stem}.wav")
    (table,) = _blocks("docs/mixing.md", "yaml")
    (folder / "session.yaml").write_text(table)
    return folder


PAGES = ["README.md", "docs/index.md", "docs/mixing.md"]


@pytest.mark.parametrize(
    "command", [pytest.param(c, id=f"{p}: {c[11:60]}") for p in PAGES for c in _commands(p)]
)
def test_a_command_of_the_pages_works(command, place, monkeypatch):
    monkeypatch.chdir(place)
    for path in ("mix.wav", "mix.flac", "mix.html"):
        (place / path).unlink(missing_ok=True)
    words = shlex.split(command)[1:]
    assert main(words) == 0
    outputs = [place / "mixes" / "a.wav", place / "mixes" / "b.wav"]
    if "--songs" not in words:
        outputs = [place / next(w for w in words if w in ("mix.wav", "mix.flac"))]
    for output in outputs:
        assert np.abs(read(output)[0]).max() > 0.0
    if "--stems" in words:
        parts = [read(path)[0] for path in (place / "parts").glob("*.wav")]
        np.testing.assert_allclose(sum(parts), read(outputs[0])[0], rtol=0, atol=1e-6)
    assert (place / "mix.html").exists() == ("--page" in words)


def test_the_commands_with_the_authors_files_work_one_after_the_other(
    place, features, write_song, monkeypatch, capsys
):
    monkeypatch.chdir(place)
    shutil.copy(features, "models/features.npz")
    released = np.array(plain_features().references, dtype=object)
    np.save("features_MUSDB18.npy", released, allow_pickle=True)
    torch.manual_seed(0)
    torch.save(AutomixNet(AutomixConfig()).state_dict(), "ours_S_Lb.params")
    for stem in STEMS:
        shutil.copy(f"Song/{stem}.wav", f"{stem[0]}.wav")
    room = Path("data/impulse_responses/reverb/room/impulse_response.wav")
    room.parent.mkdir(parents=True)
    shutil.copy(write_song(place, "noise", samples=1000) / "other.wav", room)
    for command in _commands("docs/reproduce-the-paper.md"):
        assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
    assert Path("features.png").stat().st_size > 10_000
    assert np.abs(read("mix.wav")[0]).max() > 0.0
