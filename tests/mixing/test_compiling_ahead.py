import os

import pytest
from fresh_process import run_code

_ASK = """
from fxnorm.compiling import is_kept
from fxnorm.normalization.matching import panning
print(is_kept(panning))
"""
_CONTEXT = """
import os
from pathlib import Path
from fxnorm.mixing.compiling_ahead import compiling_ahead

os.cpu_count = lambda: 2

def children():
    return len(Path("/proc/thread-self/children").read_text().split())

with compiling_ahead():
    print(children())
print(children())
"""
_CHAIN = """
import numpy as np
from numba.core import event

compiled = []

class Listener(event.Listener):
    def on_start(self, started):
        compiled.append(started.data["dispatcher"].py_func.__name__)

    def on_end(self, ended):
        pass

event.register("numba:compile", Listener())
from fxnorm.models import load_rooms, load_settings
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.normalization import FxNormalizer

config, features = load_settings(DEFAULT_MODEL)
rooms = load_rooms(DEFAULT_MODEL)
normalizer = FxNormalizer(features, config.normalization, impulse_responses=rooms)
time_s = np.arange(3 * 44100)[:, None] / 44100
hits = np.exp(-6.0 * (time_s % 0.5)) * np.sin(2 * np.pi * 220.0 * time_s) * [0.3, 0.4]
for stem in features.stems:
    normalizer(hits, 44100, stem)
print(*compiled)
"""
_AHEAD = """
from fxnorm.mixing.compiling_ahead import main
main()
"""


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh process that finds nothing compiled but what was compiled here."""

    def run(code, *words):
        return run_code(code, *words, NUMBA_CACHE_DIR=str(tmp_path / "cache")).stdout.split()

    return run


def test_a_second_process_compiles_all_that_the_effects_need(python):
    assert python(_ASK) == ["False"]
    python(_AHEAD, str(os.getpid()))
    assert python(_ASK) == ["True"]
    assert python(_CHAIN) == []


def test_the_second_process_ends_with_the_context(python):
    assert python(_CONTEXT) == ["1", "0"]


def test_no_second_process_where_all_is_compiled(python):
    python(_AHEAD, str(os.getpid()))
    assert python(_CONTEXT) == ["0", "0"]
