from pathlib import Path

import pytest
import yaml

from fxnorm.errors import FxNormError
from stages.params import load_params, select
from stages.tracking import flatten

ROOT = Path(__file__).resolve().parents[2]


def _with(tmp_path, **changes):
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(data | changes))
    return str(path)


def test_both_scales_have_the_same_schema_and_the_same_keys():
    default, paper = ROOT / "params.yaml", ROOT / "params" / "paper.yaml"
    assert load_params(str(default)).systems.keys() == load_params(str(paper)).systems.keys()
    keys = [set(flatten(yaml.safe_load(path.read_text()))) for path in (default, paper)]
    assert keys[0] == keys[1]


def test_the_paper_preset_has_the_released_values():
    paper = load_params(str(ROOT / "params" / "paper.yaml"))
    ours = paper.systems["ours_S_Lb"].training
    assert (ours.batch_size, ours.sequence_samples, ours.epochs) == (4, 440_960, 311)
    assert ours.schedule[0].learning_rate == 0.0
    assert paper.pretraining.training.sequence_samples == 132_288
    assert paper.systems["wun_S_Lb"].training.validation.guard_samples == 32_540
    assert paper.dataset.validation == "musdb18"
    for name, system in paper.systems.items():
        training = system.training
        assert training.augmentation.swap_channels == 0.0
        assert (training.ramp_steps, training.decay, training.calibrate_gain) == (0, "none", False)
        assert not training.mirrored_start
        assert training.transfer == (None if name == "wun_S_Lb" else "last")


def test_the_default_recipe_departs_from_it_where_it_says_so():
    default = load_params(str(ROOT / "params.yaml"))
    for name, system in default.systems.items():
        training = system.training
        assert training.augmentation.swap_channels == 0.5
        assert training.ramp_steps > 0
        assert training.schedule[0].learning_rate > 0.0
        assert training.transfer == (None if name == "wun_S_Lb" else "best")
    normalization = default.normalization
    assert (normalization.eq_max_boost_db, normalization.panning_max_gain_db) == (24.0, 24.0)
    assert not normalization.released_quirks
    assert default.evaluation.trim


def test_every_default_is_written_out_in_params_yaml():
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    params = load_params(str(ROOT / "params.yaml")).model_dump(mode="json")
    listening = set(params["listening"]) - {"criteria"}  # prose, not a number
    assert set(data["listening"]) == listening
    for section in ("synthesis", "dataset", "normalization", "evaluation", "report"):
        assert set(data[section]) == set(params[section]), section
    for name in data["systems"]:
        assert set(data["systems"][name]["training"]) == set(params["systems"][name]["training"])


def test_an_unknown_key_is_named(tmp_path):
    with pytest.raises(FxNormError, match=r"params\.yaml: unknown key 'evaluation\.confidenc'"):
        load_params(_with(tmp_path, evaluation={"confidenc": 0.9}))


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(FxNormError, match="no such file"):
        load_params(str(tmp_path / "params.yaml"))
    (tmp_path / "params.yaml").write_text("a: [1")
    with pytest.raises(FxNormError, match="not valid YAML"):
        load_params(str(tmp_path / "params.yaml"))


def test_an_unknown_system_is_named():
    with pytest.raises(FxNormError, match="systems has no 'mine'"):
        load_params(str(ROOT / "params.yaml")).system("mine")


def test_sections_are_selected_with_their_nesting():
    params = load_params(str(ROOT / "params.yaml"))
    chosen = select(params, ["seed", "systems.ours_S_Lb"])
    assert list(chosen) == ["seed", "systems"]
    assert list(chosen["systems"]) == ["ours_S_Lb"]


def test_stages_log_the_params_that_dvc_tracks():
    """The sections a stage names for its run are those of dvc.yaml."""
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in pipeline.items():
        tracked = stage.get("do", stage)["params"]
        module = (stage.get("do", stage)["cmd"]).split()[2].replace(".", "/") + ".py"
        source = (ROOT / module).read_text().replace("{system}", "${item.system}")
        for section in tracked:
            assert f'"{section}"' in source, (name, section)
