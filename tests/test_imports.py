"""Modules that take long to load are not loaded by what can do without them."""

import pytest
from fresh_process import run_code

FILTERS = ("scipy.signal", "scipy.stats")
ALL = (*FILTERS, "scipy.fft", "numba", "joblib", "matplotlib", "torch")


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("fxnorm.cli.command", ("numpy", "pydantic", *ALL)),
        ("fxnorm.mixing.sessions, fxnorm.data.song_folders, stages.common", ("pandas", *ALL)),
        ("stages.headlines, stages.compare", ALL),
        ("stages.check, stages.evaluate, stages.report", FILTERS),
    ],
)
def test_modules_are_loaded_without_what_they_need_not(modules, heavy):
    run_code(f"""
        import sys
        import {modules}
        found = set({heavy}) & set(sys.modules)
        assert not found, found
    """)
