import os
import subprocess
import sys
from pathlib import Path

from fxnorm.compiling import compiled

ROOT = Path(__file__).resolve().parents[1]


def test_functions_compile_where_no_code_can_be_kept():
    """A function of no file has no place for its code, as those of a read-only installation."""
    names = {}
    exec("def double(x):\n    return x + x\n", names)
    assert compiled(names["double"])(21.0) == 42.0


def test_functions_run_where_there_is_no_room_for_their_code(tmp_path):
    """A file that must not grow beyond a kilobyte stands for a full disk."""
    (tmp_path / "twice.py").write_text(
        "from fxnorm.compiling import compiled\n\n\ndef double(x):\n    return x + x\n\n\n"
        "print(compiled(double)(21.0))\n"
    )
    limited = (
        "import resource, runpy, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"runpy.run_path({str(tmp_path / 'twice.py')!r})\n"
    )
    cache = tmp_path / "cache"
    variables = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", limited], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "42.0\n"
    assert not list(cache.rglob("*.nbc"))
