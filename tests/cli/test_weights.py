"""`fxnorm weights`."""

import json

import torch

from fxnorm.cli import main
from fxnorm.models import AutomixConfig, AutomixNet


def test_released_weights_become_a_model_folder(tmp_path, capsys, features):
    torch.manual_seed(2)
    state = AutomixNet(AutomixConfig()).state_dict()
    torch.save(state, tmp_path / "ours.params")
    options = ["--system", "ours", "--features", str(features), "-o", str(tmp_path / "model")]
    assert main(["weights", "import", str(tmp_path / "ours.params"), *options]) == 0
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["normalization"]["released_quirks"] is True
    assert config["warm_up_s"] == 30.0
