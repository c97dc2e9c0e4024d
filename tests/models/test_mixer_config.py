"""Networks as configuration: sizes that don't go together, and files that exist already."""

import pytest
from fresh_process import run_code

from fxnorm.configuration import Config
from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.models import AutomixConfig, MixerConfig, NetworkConfig, WaveUNetConfig, WindowConfig

# What `save` wrote before stem types were data; such folders load unchanged.
AUTOMIX_FILE = """{
  "system": "ours_S_Lb",
  "network": {
    "kind": "automix", "stems": 4, "channels": 2, "filters": 8, "kernel": 16, "pool": 8,
    "bottleneck": 12, "skip": 6, "hidden": 10, "block_kernel": 3, "blocks": 2, "repeats": 2,
    "se_ratio": 16, "lstm_layers": 3, "lstm_dropout": 0.1, "pretraining": false
  },
  "stems": ["vocals", "bass", "drums", "other"],
  "sample_rate": 44100,
  "normalization": {
    "effects": ["reverb", "eq", "compression", "panning", "loudness"],
    "strengths": {}, "released_quirks": false, "eq_max_boost_db": 24.0,
    "panning_max_gain_db": 24.0, "expansion": false, "exhaustive": false
  },
  "warm_up_s": 0.0, "released_alignment": false, "window": null
}"""
WAVE_U_NET_FILE = """{
  "system": "wun_S_Lb",
  "network": {
    "kind": "wave-u-net", "stems": 4, "channels": 2, "filters": 8, "levels": 2, "kernel": 5
  },
  "stems": ["vocals", "bass", "drums", "other"],
  "sample_rate": 44100,
  "normalization": {
    "effects": ["reverb", "eq", "compression", "panning", "loudness"],
    "strengths": {}, "released_quirks": false, "eq_max_boost_db": 24.0,
    "panning_max_gain_db": 24.0, "expansion": false, "exhaustive": false
  },
  "warm_up_s": 0.0, "released_alignment": false,
  "window": {"samples": 440960, "guard_left": 32540, "guard_right": 32540}
}"""


class Section(Config):
    network: NetworkConfig


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"kind": "automix", "filters": 9}, r"'network\.filters': .* multiple of 2 \(got 9\)"),
        ({"kind": "automix", "kernel": 15}, r"'network\.kernel': .* multiple of 2 \(got 15\)"),
        ({"kind": "automix", "kernel": 0}, r"'network\.kernel': .* \(got 0\)"),
        ({"kind": "automix", "block_kernel": 2}, r"'network\.block_kernel': .* odd .*\(got 2\)"),
        ({"kind": "automix", "repeats": 0}, r"'network\.repeats': .* \(got 0\)"),
        ({"kind": "automix", "lstm_dropout": 1.0}, r"'network\.lstm_dropout': .* \(got 1\.0\)"),
        ({"kind": "wave-u-net", "filters": 12}, r"'network\.filters': .* of 8 \(got 12\)"),
        ({"kind": "wave-u-net", "kernel": 4}, r"'network\.kernel': .* odd .*\(got 4\)"),
        ({"kind": "wave-u-net", "levels": 1}, r"'network\.levels': .* \(got 1\)"),
        ({"kind": "wave-u-net", "pretraining": False}, r"unknown key 'network\.pretraining'"),
    ],
)
def test_sizes_that_do_not_fit_are_found_on_reading(sizes, message):
    with pytest.raises(FxNormError, match=rf"^params\.yaml: (key )?{message}[^\n]*$"):
        Section.parse({"network": sizes}, "params.yaml")


@pytest.mark.parametrize("text", [AUTOMIX_FILE, WAVE_U_NET_FILE])
def test_a_file_of_the_first_layout_still_loads(text):
    config = MixerConfig.model_validate_json(text)
    assert config.stems == STEMS
    if text is AUTOMIX_FILE:
        sizes = {"filters": 8, "kernel": 16, "pool": 8, "bottleneck": 12, "skip": 6, "hidden": 10}
        assert config.network == AutomixConfig(**sizes, blocks=2, repeats=2)
        assert config.window is None
    else:
        assert config.network == WaveUNetConfig(filters=8, levels=2)
        assert config.window == WindowConfig()
    assert MixerConfig.model_validate_json(config.model_dump_json()) == config


def test_stems_may_have_any_names():
    stems = ("vocals", "guitar", "drums_2")
    assert MixerConfig(system="a", network=AutomixConfig(stems=3), stems=stems).stems == stems


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        (["vocals", "vocals"], "distinct"),
        (["vocals", "mixture"], "stem type 'mixture'"),
        (["vocals", "../bass"], "stem type '../bass'"),
        (["vocals", ""], "stem type ''"),
        (["vocals", "bass", "guitar"], "takes 2 stems, not 3"),
    ],
)
def test_stems_that_do_not_fit_are_named(stems, message):
    data = {"system": "a", "network": {"kind": "automix", "stems": 2}, "stems": stems}
    with pytest.raises(FxNormError, match=message):
        MixerConfig.parse(data, "config.json")


def test_configurations_need_no_torch():
    run_code("""
        import sys
        from fxnorm.models import AutomixConfig, MixerConfig, WaveUNetConfig
        MixerConfig(system="a", network=AutomixConfig()), WaveUNetConfig()
        assert "torch" not in sys.modules
    """)
