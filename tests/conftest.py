"""What all tests share."""

import os

# Tests run side by side, one on each core. Threads of their own would wait for each other: the
# suite takes three times as long. Libraries read this when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("FXNORM_DEVICES", "1")

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from fxnorm.audio import write
from fxnorm.conventions import SAMPLE_RATE, STEMS

# The same examples in every run; compiled functions take long at their first call.
settings.register_profile("project", derandomize=True, deadline=None)
settings.load_profile("project")

#: Data beside the project that is never part of it; tests that use it skip where it is absent.
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("reference data is not beside this checkout")
    return SHARED


@pytest.fixture
def treat_as_long(monkeypatch):
    """A function: from its call on, arrays lie in files and are worked on in small blocks."""

    def call():
        monkeypatch.setattr("fxnorm.scratch._LARGEST_IN_MEMORY", 10_000)
        monkeypatch.setattr("fxnorm.scratch.blocks.__defaults__", (10_007,))

    return call


@pytest.fixture
def write_song(tmp_path):
    """Write a song of noise in MUSDB18-HQ's layout; keywords override samples per part."""

    def write_one(folder=tmp_path, name="song", samples=4410, sample_rate=SAMPLE_RATE, **lengths):
        rng = np.random.default_rng(len(name))
        for part in (*STEMS, "mixture"):
            audio = rng.uniform(-0.2, 0.2, (lengths.get(part, samples), 2)).astype(np.float32)
            write(folder / name / f"{part}.wav", audio, sample_rate)
        return folder / name

    return write_one
