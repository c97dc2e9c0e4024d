import pytest
import yaml
from tiny_checkout import ROOT

from fxnorm.errors import FxNormError
from stages.check import check_chains, check_folders
from stages.params import load_params


def _params(folder, **dataset):
    return _changed(folder, lambda data: data["dataset"].update(dataset))


def _changed(folder, change):
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    change(data)
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(data))
    return load_params(str(path))


def test_generated_songs_need_not_be_there_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_folders(_params(tmp_path))


@pytest.mark.parametrize("key", ["root", "dry_root", "impulse_responses", "pre_impulse_responses"])
def test_a_folder_that_is_missing_is_named_with_its_key(key, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = _params(tmp_path, **{key: "data/musdb18hq"})
    with pytest.raises(FxNormError) as raised:
        check_folders(params)
    message = f"params.yaml: dataset.{key}: there is no folder 'data/musdb18hq'"
    assert str(raised.value) == message
    (tmp_path / "data/musdb18hq").mkdir(parents=True)
    check_folders(params)


def test_a_further_root_may_be_what_dvc_add_keeps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = _params(tmp_path, extra_roots=["data/own/songs"])
    with pytest.raises(FxNormError, match=r"dataset\.extra_roots \(data/own/songs\)"):
        check_folders(params)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/own.dvc").touch()
    check_folders(params)


def test_in_a_temporary_copy_the_remedy_is_named(tmp_path, monkeypatch):
    copy = tmp_path / ".dvc/tmp/exps/tmpabc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    with pytest.raises(FxNormError, match="absolute path, or run `dvc add data/musdb18hq`"):
        check_folders(_params(copy, root="data/musdb18hq"))
    # An absolute path is the same in every copy.
    with pytest.raises(FxNormError, match=r"there is no folder '/nowhere/songs'$"):
        check_folders(_params(copy, root="/nowhere/songs"))


def test_a_processor_that_cannot_be_built_is_found_before_any_training(tmp_path):
    step = {"processor": "Equaliser", "ranges": {"high_shelf_freq": [2000.0, 4000.0]}}

    def trained_with(**changes):
        chain = {"augmentation": {"chain": [step | changes]}}
        return _changed(
            tmp_path, lambda data: data["systems"]["ours_S_La"]["training"].update(chain)
        )

    with pytest.raises(FxNormError, match=r"ours_S_La: .*'high_shelf_freq': 2000 Hz is out of"):
        check_chains(trained_with())
    with pytest.raises(FxNormError, match=r"no 'tuba'; choose from .*vocals"):
        check_chains(trained_with(ranges={}, stems=["tuba"]))
    check_chains(trained_with(ranges={}, stems=["bass"]))


def test_a_processor_of_the_engineer_that_cannot_be_built_is_found_before_any_song(tmp_path):
    extra = {"bass": [{"processor": "Fuzz"}]}
    engineer = _changed(tmp_path, lambda data: data["synthesis"]["engineer"].update(extra=extra))
    with pytest.raises(FxNormError, match=r"synthesis\.engineer\.extra\.bass: .*Fuzz"):
        check_chains(engineer)
    check_chains(load_params(str(ROOT / "params.yaml")))


@pytest.mark.parametrize(
    "file", sorted((ROOT / "params").glob("*.yaml")), ids=lambda file: file.name
)
def test_the_other_params_are_right_too(file):
    check_chains(load_params(str(file)))
