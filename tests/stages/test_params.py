import difflib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from fxnorm.configuration import Config
from fxnorm.errors import FxNormError
from fxnorm.stems import DEFAULT_STEMS, StemType
from fxnorm.training.schedule import learning_rate
from stages.params import load_params, select
from stages.tracking import flatten

ROOT = Path(__file__).resolve().parents[2]
BOTH = ("params.yaml", "params/paper.yaml")
#: Sections that hold only what differs from the shared ones.
OWN = ("pretraining", "systems")
#: Params that are merged into the systems and logged as part of them.
SHARED = ("networks", "training")
WAVE_U_NET = {
    "name": "A",
    "network": {"kind": "wave-u-net"},
    "training": {"learning_rate": 1e-3, "loss": {"kind": "stereo-a"}},
}
AUTOMIX = WAVE_U_NET | {"network": {"kind": "automix"}}
#: Sizes of a network that follow from elsewhere, or that nobody changes.
GIVEN = {"kind", "stems", "channels", "pretraining"}
#: Settings that have another value in params.yaml than where none is given, and why.
OTHER_DEFAULTS = {
    "the length of a training": {
        *("training.steps_per_epoch", "training.schedule", "training.validation.max_song_s"),
    },
    "the recipe at that length; without it, training is plainer": {
        *("training.ramp_steps", "training.decay", "training.averaging"),
        *("training.calibrate_width", "training.calibrate_mono"),
    },
    "the generated songs have no validation songs of their own": {"dataset.validation"},
}


def _with(tmp_path, **changes):
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(data | changes))
    return str(path)


def test_both_scales_have_the_same_schema_and_the_same_keys():
    default, paper = ROOT / "params.yaml", ROOT / "params" / "paper.yaml"
    assert load_params(str(default)).systems.keys() >= load_params(str(paper)).systems.keys()
    data = [yaml.safe_load(path.read_text()) for path in (default, paper)]
    shared = [{k: v for k, v in one.items() if k not in OWN} for one in data]
    assert set(flatten(shared[0])) == set(flatten(shared[1]))
    assert list(data[0]) == list(data[1])


def test_the_paper_preset_has_the_released_values():
    paper = load_params(str(ROOT / "params" / "paper.yaml"))
    ours = paper.systems["ours_S_Lb"].training
    assert (ours.batch_size, ours.sequence_samples, ours.epochs) == (4, 440_960, 311)
    assert (ours.learning_rate, ours.schedule[0].factor) == (1e-3, 0.0)
    assert paper.pretraining.training.sequence_samples == 132_288
    assert paper.systems["wun_S_Lb"].training.validation.guard_samples == 32_540
    assert paper.dataset.validation == "musdb18"
    for name, system in paper.systems.items():
        training = system.training
        assert training.augmentation.swap_channels == 0.0
        assert (training.ramp_steps, training.decay, training.calibrate_gain) == (0, "none", False)
        assert (training.start, training.averaging) == ("random", 0.0)
        assert training.front_end == (None if name == "wun_S_Lb" else "last")


def test_the_default_recipe_departs_from_it_where_it_says_so():
    default, paper = (load_params(str(ROOT / file)) for file in BOTH)
    for name in paper.systems:
        training = default.system(name).training
        assert training.augmentation.swap_channels == 0.5
        assert training.ramp_steps > 0
        assert training.schedule[0].factor > 0.0
        assert training.front_end == (None if name == "wun_S_Lb" else "best")
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
        assert set(data[section]) == set(params[section]) - {"stems"}, section
    assert set(data["training"]) == set(params["training"]) - {"learning_rate"}
    for system in data["systems"].values():
        assert {"learning_rate", "loss"} <= set(system["training"])
    for kind, network in data["networks"].items():
        assert set(network) == set(params["networks"][kind]) - GIVEN


def test_a_setting_has_one_default():
    params = load_params(str(ROOT / "params.yaml"))
    # What systems and stem types have of their own is no default; networks' are the paper's sizes.
    own = (*OWN, "networks", "stems", "normalization.stems")
    found = {path for path in _other_than_default(params) if not path.startswith(own)}
    assert found == set.union(*OTHER_DEFAULTS.values())


def _other_than_default(config, path=""):
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from _other_than_default(value, f"{path}{name}.")
        elif not field.is_required() and value != field.get_default(call_default_factory=True):
            yield f"{path}{name}"


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


def test_systems_of_the_paper_differ_where_they_should():
    for file in BOTH:
        systems = yaml.safe_load((ROOT / file).read_text())["systems"]
        la, lb = (flatten(systems[name]) for name in ("ours_S_La", "ours_S_Lb"))
        longer = {"training.schedule"} if "paper" in file else set()
        differing = {key for key in {*la, *lb} if la.get(key) != lb.get(key)}
        assert differing == {"name", "training.loss.kind"} | longer


def test_shared_sections_are_merged_into_the_systems_key_by_key(tmp_path):
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    data["systems"]["mine"] = {
        "name": "Mine",
        "network": {"kind": "automix", "hidden": 48},
        "training": {"learning_rate": 1e-4, "loss": {"kind": "stereo-a", "guard_frames": 3}},
    }
    params = load_params(_with(tmp_path, systems=data["systems"]))
    mine, shared = params.system("mine"), data["training"]
    assert (mine.network.hidden, mine.network.filters) == (
        48,
        data["networks"]["automix"]["filters"],
    )
    assert (mine.training.loss.guard_frames, mine.training.loss.kind) == (3, "stereo-a")
    assert mine.training.loss.guard_samples == shared["loss"]["guard_samples"]
    assert mine.training.batch_size == shared["batch_size"]
    assert params.names["mine"] == "Mine"


def test_the_papers_learning_rates_are_the_released_ones():
    released = {
        "pretraining": "0 1e-3*40 3.33e-4*20 1e-4*20 3.33e-5*10 1e-5*10 1e-6*5",
        "ours_S_La": "0 1e-3*150 3.33e-4*50",
        "ours_S_Lb": "0 1e-3*150 3.33e-4*50 1e-4*50 3.33e-5*25 1e-5*25 1e-6*10",
        "wun_S_Lb": "0 1e-3*100 3.33e-4*50 1e-4*25 3.33e-5*10 1e-5*10 1e-6*5",
    }
    paper = load_params(str(ROOT / "params" / "paper.yaml"))
    for name, text in released.items():
        system = paper.pretraining if name == "pretraining" else paper.system(name)
        training = system.training
        rates = [
            float(rate)
            for part in text.split()
            for rate, _, epochs in [part.partition("*")]
            for _ in range(int(epochs or 1))
        ]
        steps = range(0, training.steps, training.steps_per_epoch)
        assert [learning_rate(training, step) for step in steps] == rates


def test_stem_types_are_those_of_the_library_and_given_once(tmp_path):
    for file in BOTH:
        params = load_params(str(ROOT / file))
        assert params.stems == DEFAULT_STEMS
        assert list(params.stems) == list(DEFAULT_STEMS)
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    five = load_params(_with(tmp_path, stems=data["stems"] | {"guitar": {"attack_ms": 5.0}}))
    assert five.stems["guitar"] == StemType(attack_ms=5.0)
    assert five.normalization.stems == five.stems
    assert {system.network.stems for system in five.systems.values()} == {5}
    with pytest.raises(FxNormError, match=r"key 'normalization\.stems': give stem types in"):
        load_params(_with(tmp_path, normalization={"stems": data["stems"]}))


@pytest.mark.parametrize("file", BOTH)
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", 7),
        ("training.seed", 3),
        ("systems.ours_S_La.training.learning_rate", 1e-3 / 7),
        ("systems.ours_S_Lb.training.loss.kind", "stereo-a"),
        ("networks.wave-u-net.filters", 16),
    ],
)
def test_dvc_changes_one_line_of_the_file(tmp_path, file, setting, value):
    path = tmp_path / "params.yaml"
    before = (ROOT / file).read_text()
    path.write_text(before)
    apply_overrides(path, [f"{setting}={value}"])
    after = path.read_text()
    changed = difflib.ndiff(before.splitlines(), after.splitlines())
    assert [line[0] for line in changed if line[0] in "-+"] == ["-", "+"]
    section: Any = load_params(str(path)).model_dump()
    for key in setting.split("."):
        section = section[key]
    assert section == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"output": {"subtype": "PCM16"}}, "key 'output.subtype'"),
        ({"training": {"batch_size": 0}}, "params.yaml: key 'training.batch_size': Input should"),
        ({"networks": {"lstm": {"layers": 2}}}, "networks"),
        ({"systems": {"pretrained": WAVE_U_NET}}, "systems.pretrained: this name is taken"),
        ({"systems": {"a/b": WAVE_U_NET}}, "systems.a/b"),
        (
            {"systems": {"a": {"name": "A", "network": {"kind": "wave-u-net"}}}},
            "key 'systems.a.training.learning_rate' is missing; key 'systems.a.training.loss.kind'",
        ),
        ({"stems": {"Guitar": {}}}, "stem type 'Guitar'"),
        # What a listening test has beside the systems' mixes.
        *(
            ({"systems": {name: WAVE_U_NET}}, f"systems.{name}: this name is taken")
            for name in ("human", "reference", "anchor35")
        ),
        # Tables and players tell mixes apart by what they are called.
        *(
            (
                {"systems": {"a": WAVE_U_NET | {"name": "B"}, "b": WAVE_U_NET | {"name": name}}},
                f"systems.b.name: '{name}' is taken",
            )
            for name in ("B", "Human", "Dry sum", "Pretraining")
        ),
        (
            {"systems": {"a": AUTOMIX | {"network": {"kind": "automix", "filters": 16}}}},
            "systems.a.network.filters: the pretrained front end has 32; give it as many",
        ),
        ({"evaluation": {"baseline": "normalised_sum"}}, "evaluation.baseline: none of the"),
    ],
)
def test_wrong_values_are_named_in_one_line_before_any_work(tmp_path, change, message):
    with pytest.raises(FxNormError, match=re.escape(message)) as raised:
        load_params(_with(tmp_path, **change))
    assert "\n" not in str(raised.value)


def test_sections_are_selected_with_their_nesting():
    params = load_params(str(ROOT / "params.yaml"))
    chosen = select(params, ["seed", "systems.ours_S_Lb"])
    assert list(chosen) == ["seed", "systems"]
    assert list(chosen["systems"]) == ["ours_S_Lb"]


def test_stages_log_the_params_that_dvc_tracks():
    """The sections a stage names for its run are those of dvc.yaml."""
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in pipeline.items():
        tracked = stage.get("do", stage).get("params", [])
        module = (stage.get("do", stage)["cmd"]).split()[2].replace(".", "/") + ".py"
        source = (ROOT / module).read_text().replace("{system}", "${key}")
        for section in tracked:
            if section.startswith(SHARED):
                continue
            above = [section.rsplit(".", cut)[0] for cut in (0, 1)]
            assert any(f'"{part}"' in source for part in above), (name, section)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("/home/me/my songs", "'/home/me/my songs' has a space"),
        # A DVC that sees it finds no stage of this name.
        ("/home/me@work/songs", "which shells or DVC act upon"),
        # Its list would lie where no stage looks for it, and a changed song would go unnoticed.
        ("../songs", "'../songs' leads out of the checkout; give its absolute path"),
        ("", "leads out of the checkout"),
    ],
)
def test_an_extra_root_that_dvc_cannot_follow_is_refused(root, message, tmp_path):
    dataset = yaml.safe_load((ROOT / "params.yaml").read_text())["dataset"]
    path = _with(tmp_path, dataset=dataset | {"extra_roots": [root]})
    with pytest.raises(FxNormError, match=message):
        load_params(path)
