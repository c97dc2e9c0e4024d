"""A third network: "Add a network" of CONTRIBUTING, carried out in a copy of the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

CONFIG = """
from typing import Literal

from fxnorm.models.network_config import BaseNetworkConfig


class FaderConfig(BaseNetworkConfig):
    kind: Literal["faders"] = "faders"
"""
NET = """
from torch import nn

from fxnorm.models.network import Network


class FaderNet(Network):
    def __init__(self, config):
        super().__init__()
        self.console = nn.Conv1d(config.stems * config.channels, config.channels, 1)

    def forward(self, x):
        return self.console(x.flatten(1, 2))
"""
#: File, what stands there, and what is added before it.
EDITS = (
    (
        "mixer_config.py",
        "from fxnorm.normalization",
        "from .faders.fader_config import FaderConfig\n",
    ),
    ("mixer_config.py", "AutomixConfig |", "FaderConfig | "),
    ("building.py", "from fxnorm.models.waveunet", "from .faders.fader_net import FaderNet\n"),
    ("building.py", '"automix":', '"faders": FaderNet, '),
)
PARAMS = (
    ("networks:\n", "  faders: {}\n"),
    (
        "systems:\n",
        "  mine:\n    name: Mine\n    network: {kind: faders}\n    training:\n"
        "      learning_rate: 0.01\n      loss: {kind: stereo-b}\n"
        "      start: random\n      calibrate_gain: false\n      calibrate_width:\n",
    ),
)
USE = """
from pathlib import Path

import numpy as np
from training_fixtures import CONFIG, make_songs, train_small

from fxnorm.audio import read
from fxnorm.errors import FxNormError
from fxnorm.mixing.inference import apply_network
from fxnorm.models import build, load, save
from fxnorm.normalization import DatasetFeatures
from stages.params import load_params
from stages.training import _front_end, mixer_config

params = load_params("params.yaml")
system = params.system("mine")
assert _front_end(system) is None
songs = make_songs(Path("songs"))
able = {"start": "random", "calibrate_gain": False}
config = CONFIG.model_copy(update=able)
result = train_small(songs, Path("c"), config=config, network=system.network)
net = build(system.network)
net.load_state_dict(result.last)
features = DatasetFeatures(loudness=dict.fromkeys(params.stems, -20.0))
save("model", net, features, mixer_config("mine", system, params))
stems = {stem: read(path)[0] for stem, path in songs[0].inputs.items()}
mix = apply_network(stems, load("model"))
weight, bias = (p.detach().double().numpy() for p in net.parameters())
longest = max(map(len, stems.values()))
rows = [np.pad(stems[s], [(0, longest - len(stems[s])), (0, 0)]) for s in params.stems]
np.testing.assert_allclose(mix, np.hstack(rows) @ weight[..., 0].T + bias, atol=1e-5)
for asked in ({"start": "sum"}, {"calibrate_gain": True}):
    config = CONFIG.model_copy(update=able | asked)
    try:
        train_small(songs, Path("d"), config=config, network=system.network)
    except FxNormError as error:
        print(error)
"""


def _added(path: Path, before: str, text: str) -> None:
    """Add text before the first place where `before` stands."""
    content = path.read_text()
    assert before in content
    path.write_text(content.replace(before, text + before, 1))


def test_it_trains_and_mixes_and_says_what_it_can_t(tmp_path):
    for part in ("fxnorm", "stages", "tests/training"):
        shutil.copytree(CHECKOUT / part, tmp_path / part)
    models = tmp_path / "fxnorm" / "models"
    (models / "faders").mkdir()
    (models / "faders" / "fader_config.py").write_text(CONFIG)
    (models / "faders" / "fader_net.py").write_text(NET)
    for file, before, text in EDITS:
        _added(models / file, before, text)
    params = (CHECKOUT / "params.yaml").read_text()
    for section, text in PARAMS:
        params = params.replace(f"\n{section}", f"\n{section}{text}", 1)
    (tmp_path / "params.yaml").write_text(params)
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{tmp_path / 'tests' / 'training'}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    errors = [line for line in done.stdout.splitlines() if "FaderNet" in line]
    assert [line.split()[0] for line in errors] == ["training.start:", "training.calibrate_gain:"]
