"""The model in the package is the recorded one, and mixes as recorded."""

import re
from pathlib import Path

import numpy as np
import pytest
from fresh_process import run_code

from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE, STEMS
from fxnorm.data.synthesis import SynthesisConfig, synthesize
from fxnorm.digests import digest
from fxnorm.evaluation import compare
from fxnorm.mixing import mix_stems
from fxnorm.models import load
from fxnorm.models.default_model import DEFAULT_MODEL

CARD = Path(__file__).parents[2] / "docs" / "model-card.md"
#: Of the mix of the first generated test song with this seed.
RECORDED = {"spectral": 0.0773, "panning": 0.1391, "dynamics": 0.0973}


def test_it_is_the_recorded_one():
    (recorded,) = re.findall(r"\| `fxnorm/models/default` \| `(\w+)` \|", CARD.read_text())
    assert digest(DEFAULT_MODEL) == recorded
    model = load(DEFAULT_MODEL)
    assert model.config.stems == STEMS
    assert len(model.rooms) == 6
    assert (DEFAULT_MODEL / "model.safetensors").stat().st_size < 2_000_000


def test_its_mix_of_a_generated_song_is_the_recorded_one(tmp_path):
    config = SynthesisConfig(training_songs=1, test_songs=1, duration_s=(8.0, 8.0))
    synthesize(tmp_path, config, seed=5, jobs=1)
    (song,) = (tmp_path / "dry").iterdir()
    mixed = mix_stems({stem: song / f"{stem}.wav" for stem in STEMS}, SAMPLE_RATE)
    assert np.abs(mixed.audio).max() < 1.0
    scores = compare(mixed.audio, audio.read(song / "mixture.wav")[0], SAMPLE_RATE).values
    found = {group: scores[group]["mape_mean"] for group in RECORDED}
    assert found == pytest.approx(RECORDED, rel=0.02)


def test_it_is_loaded_without_the_compiler_of_torch():
    run_code("""
        import sys
        from fxnorm.models import load
        from fxnorm.models.default_model import DEFAULT_MODEL
        load(DEFAULT_MODEL)
        # Each takes a good part of a second, and none is needed to mix.
        heavy = {"sympy", "torch._dynamo", "torch._inductor"} & set(sys.modules)
        assert not heavy, heavy
    """)
