"""What tracking in MLflow costs a stage, in wall time and in processor time.

Run it as `python -m benchmarks.tracking [--repeats 5]`. A stage that computes for so long logs a
hundred params, thirty metrics in each of ten epochs and an excerpt of audio, once tracked and once
not, in turns. The store is an SQLite database in a temporary folder, made beforehand.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

WORK_S = (0.0, 5.0, 20.0)
STAGE = """
import sys, time
import numpy as np
from stages.tracking import stage_run
work_s = float(sys.argv[2])
params = {f"param_{number}": number for number in range(100)}
with stage_run("train@benchmark", params, root=sys.argv[1], system="benchmark") as run:
    for epoch in range(10):
        begin = time.monotonic()
        while time.monotonic() - begin < work_s / 10:
            np.sin(np.arange(100_000))
        run.metrics({f"metric_{number}": 1.0 for number in range(30)}, epoch)
    run.excerpt(np.zeros((441_000, 2), np.float32), 44_100, "excerpt")
"""


def main() -> None:
    """Print a line per length of the stage's work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{'work':>6}{'untracked':>12}{'tracked':>10}{'more':>8}{'processor time more':>22}")
    with tempfile.TemporaryDirectory() as folder:
        _measure(folder, 0.0, tracked=True)
        for work_s in WORK_S:
            pairs = [
                (_measure(folder, work_s, tracked=False), _measure(folder, work_s, tracked=True))
                for _ in range(options.repeats)
            ]
            (wall, cpu), (tracked_wall, tracked_cpu) = np.median(pairs, axis=0)
            print(
                f"{work_s:4.0f} s{wall:10.2f} s{tracked_wall:8.2f} s"
                f"{tracked_wall - wall:6.2f} s{tracked_cpu - cpu:20.2f} s",
                flush=True,
            )


def _measure(folder: str, work_s: float, *, tracked: bool) -> tuple[float, float]:
    """Wall time and processor time of a stage, in seconds."""
    # Tracking is left to the first of several processes.
    variables = {"RANK": "0" if tracked else "1", "MLFLOW_TRACKING_URI": "", "OMP_NUM_THREADS": "1"}
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", STAGE, folder, str(work_s)]
    subprocess.run(command, env=os.environ | variables, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begin, cpu


if __name__ == "__main__":
    main()
