"""Code run in a process of its own, which has imported nothing."""

import os
import subprocess
import sys
from textwrap import dedent


def run_code(code, *words, folder=None, check=True, **variables):
    """The finished process; `words` are its arguments, `variables` are added to the environment."""
    return subprocess.run(
        [sys.executable, "-c", dedent(code), *words],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=check,
    )
