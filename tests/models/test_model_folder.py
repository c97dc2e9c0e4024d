"""Model folders, released files and pretrained front ends."""

import json
import pickle

import models_recipe as recipe
import numpy as np
import pytest
import torch

from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.models import (
    AutomixConfig,
    AutomixNet,
    LoadedModel,
    MixerConfig,
    WaveUNet,
    WaveUNetConfig,
    WindowConfig,
    build,
    import_model,
    import_released,
    load,
    read_released,
    save,
)
from fxnorm.normalization import DatasetFeatures, ImpulseResponse

LAYOUTS = json.loads((recipe.GOLDEN / "state_dicts.json").read_text())
CONFIGS = {
    "automix": MixerConfig(system="a", network=recipe.SMALL),
    "wave-u-net": MixerConfig(
        system="w",
        network=WaveUNetConfig(filters=8, levels=2),
        released_alignment=True,
        window=WindowConfig(samples=1000, guard_left=50, guard_right=60),
    ),
}


@pytest.fixture
def features():
    curve = np.linspace(0.1, 1.0, 32_769)
    return DatasetFeatures(
        eq=dict.fromkeys(STEMS, curve),
        compression=dict.fromkeys(STEMS, (-12.0, 3.0)),
        panning={stem: np.full(32_769, 0.5) for stem in STEMS},
        loudness=dict.fromkeys(STEMS, -23.0),
    )


@pytest.fixture
def folder(tmp_path, features):
    torch.manual_seed(0)
    config = CONFIGS["automix"]
    save(tmp_path / "model", build(config.network), features, config)
    return tmp_path / "model"


@pytest.mark.parametrize("kind", CONFIGS)
def test_loading_gives_back_what_was_saved(kind, tmp_path, features):
    torch.manual_seed(0)
    config = CONFIGS[kind]
    net = build(config.network).eval()
    save(tmp_path / "model", net, features, config)
    loaded = load(tmp_path / "model")
    assert loaded.config == config
    assert loaded.features.loudness == features.loudness
    assert not loaded.net.training
    x = torch.randn(1, 4, 2, 400)
    with torch.no_grad():
        assert torch.equal(loaded.net(x), net(x))
    names = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert names == ["config.json", "features.npz", "model.safetensors"]


def test_a_model_brings_its_rooms(tmp_path, features):
    config = CONFIGS["automix"]
    samples = np.linspace(-0.5, 0.5, 2000, dtype=np.float32).reshape(1000, 2)
    rooms = [ImpulseResponse("small", samples), ImpulseResponse("large", samples[::-1])]
    save(tmp_path / "model", build(config.network), features, config, rooms)
    loaded = load(tmp_path / "model").rooms
    assert [room.name for room in loaded] == ["large", "small"]
    np.testing.assert_allclose(loaded[1].samples, samples, atol=2**-15)
    # Saving again replaces them.
    save(tmp_path / "model", build(config.network), features, config)
    assert load(tmp_path / "model").rooms == ()


def test_saving_twice_writes_the_same_bytes(folder, tmp_path, features):
    torch.manual_seed(0)
    save(tmp_path / "again", build(CONFIGS["automix"].network), features, CONFIGS["automix"])
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_all_its_files_may_be_read_by_the_same_people(folder):
    assert len({path.stat().st_mode for path in folder.iterdir() if path.is_file()}) == 1


def test_saving_another_network_than_configured_is_refused(tmp_path, features):
    with pytest.raises(FxNormError, match=r"another network: missing .* unexpected"):
        save(tmp_path / "model", WaveUNet(WaveUNetConfig(filters=8)), features, CONFIGS["automix"])
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "features.npz"])
@pytest.mark.parametrize("damage", ["absent", "empty", "cut"])
def test_a_damaged_folder_is_named(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    with pytest.raises(FxNormError, match=name):
        load(folder)


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(FxNormError, match="nowhere: no such model folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"systme": "x"}, "unknown key 'systme'"),
        ({"sample_rate": 48_000}, "sample_rate"),
        ({"stems": ["vocals", "bass"]}, "takes 4 stems, not 2"),
        ({"network": {"kind": "automix", "filtres": 3}}, "filtres"),
        ({"network": {"kind": "transformer"}}, "transformer"),
        ({"window": {"samples": 10, "guard_left": 5, "guard_right": 5}}, "leave nothing"),
    ],
)
def test_settings_that_do_not_fit_are_named(folder, change, message):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FxNormError, match=message):
        load(folder)


def test_weights_of_other_sizes_are_named(folder):
    path = folder / "config.json"
    data = json.loads(path.read_text())
    data["network"]["hidden"] = 11
    path.write_text(json.dumps(data))
    with pytest.raises(FxNormError, match=r"misshaped repeats\.0\.0\.conv1x1\.weight .* and \d+"):
        load(folder)


def layout(system):
    """Random weights in a released file's layout."""
    shapes = LAYOUTS["wun" if system == "wun" else "ours"]
    names = LAYOUTS["ours-pretrained"] if system == "ours-pretrained" else shapes
    generator = torch.Generator().manual_seed(0)
    return {name: torch.rand(shapes[name], generator=generator) for name in names}


@pytest.mark.parametrize("system", ["ours", "ours-pretrained", "wun"])
def test_released_layouts_import_tensor_by_tensor(system, tmp_path, features):
    state = layout(system)
    torch.save(state, tmp_path / "net.params")
    net, config = import_model(tmp_path / "net.params", system)
    assert config.released_alignment
    assert config.normalization.released_quirks
    assert LoadedModel(net, features, config).output_offset == 0
    for name, tensor in state.items():
        own = name.removeprefix(recipe.WAVE_U_NET_PREFIX)
        assert torch.equal(net.get_parameter(own), tensor)


def test_pretrained_layout_with_lstm_imports_too():
    import_released(AutomixNet(AutomixConfig(pretraining=True)), layout("ours"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("conv_1.weight"), r"missing conv_1\.weight$"),
        (lambda s: s.update(extra=torch.zeros(1)), "unexpected extra$"),
        (
            lambda s: s.update({"conv_1.weight": torch.zeros(128, 2, 64)}),
            r"misshaped conv_1\.weight \(128, 2, 64\), not \(128, 8, 64\)$",
        ),
        (lambda s: s["output.1.bias"].fill_(torch.nan), r"output\.1\.bias holds NaN"),
        (lambda s: s.update({"output.1.bias": torch.zeros(128).int()}), "not floating point"),
        (lambda s: s.pop("blstm.bias_hh_l0"), r"missing blstm\.bias_hh_l0$"),
    ],
)
@pytest.mark.parametrize("pretraining", [False, True])
def test_import_is_strict(change, message, pretraining):
    torch.manual_seed(0)
    net, state = AutomixNet(AutomixConfig(pretraining=pretraining)), layout("ours")
    before = net.conv_1.weight.detach().clone()
    change(state)
    with pytest.raises(FxNormError, match=message):
        import_released(net, state)
    assert torch.equal(net.conv_1.weight, before)


def test_mixing_network_does_not_take_pretrained_weights_without_lstm():
    with pytest.raises(FxNormError, match=r"missing blstm\.\w+, .* and 21 more"):
        import_released(AutomixNet(AutomixConfig()), layout("ours-pretrained"))


class Payload:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize(
    "content", [{"a": Payload()}, Payload(), {"a": 1}, [torch.zeros(1)], {1: torch.zeros(1)}]
)
def test_files_with_more_than_tensors_are_refused(content, tmp_path, capsys):
    torch.save(content, tmp_path / "net.params")
    with pytest.raises(FxNormError, match=r"net\.params"):
        read_released(tmp_path / "net.params")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"RIFF0000", pickle.dumps({"a": 1})])
def test_files_of_another_kind_are_refused(content, tmp_path):
    (tmp_path / "net.params").write_bytes(content)
    with pytest.raises(FxNormError, match=r"net\.params"):
        read_released(tmp_path / "net.params")


def test_setting_the_front_end_copies_it_and_nothing_else():
    torch.manual_seed(0)
    source, net = AutomixNet(recipe.PRETRAINING), AutomixNet(recipe.SMALL)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.set_front_end(source.state_dict())
    for name, tensor in net.state_dict().items():
        taken = name in ("conv_1.weight", "conv_2.0.weight")
        assert torch.equal(tensor, (source.state_dict() if taken else before)[name]), name


def test_a_front_end_of_another_size_is_refused():
    source = AutomixNet(recipe.PRETRAINING.model_copy(update={"filters": 10}))
    with pytest.raises(FxNormError, match=r"pretrained front end: .* misshaped"):
        AutomixNet(recipe.SMALL).set_front_end(source.state_dict())
    with pytest.raises(FxNormError, match="missing conv_1"):
        AutomixNet(recipe.SMALL).set_front_end({})


def test_scaling_the_front_end_leaves_the_latent_network_alone():
    torch.manual_seed(0)
    net, x = AutomixNet(recipe.SMALL).eval(), torch.randn(1, 4, 2, 800)
    with torch.no_grad():
        peaks = net.encode(x).peaks
        net.scale_mix(0.25**2)
        # Powers of two change no digits.
        assert torch.equal(net.encode(x).peaks, peaks)
