"""Where the time of the default run goes, stage by stage.

Run it as `python -m benchmarks.pipeline` in a checkout with its environment: it clones the last
commit into a temporary folder, runs `dvc repro` there from nothing, and prints the wall time of
every stage, DVC's own work after it included, and the cores that the whole run kept busy.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

_OTHER = "DVC: start and end"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, help="run with these instead of params.yaml")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "fxnorm"
        subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
        if arguments.params:
            (clone / "params.yaml").write_bytes(arguments.params.read_bytes())
        # What git keeps of an earlier run must not save any work.
        (clone / "dvc.lock").unlink(missing_ok=True)
        _print(*_run(clone))


def _run(clone: Path) -> tuple[dict[str, float], float]:
    """Wall seconds of each stage, and CPU seconds of all."""
    programs = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": programs + os.pathsep + os.environ["PATH"]}
    environment |= {"PYTHONPATH": str(clone)}
    seconds: dict[str, float] = defaultdict(float)
    stage, since = _OTHER, time.perf_counter()
    process = subprocess.Popen(
        ["dvc", "repro"], cwd=clone, env=environment, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout or ():
        if line.startswith("Running stage"):
            now = time.perf_counter()
            seconds[stage] += now - since
            stage, since = line.split("'")[1], now
    if process.wait():
        sys.exit(process.returncode)
    seconds[stage] += time.perf_counter() - since
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime


def _print(seconds: dict[str, float], cpu_s: float) -> None:
    total = sum(seconds.values())
    for stage, wall in seconds.items():
        print(f"{stage:36}{wall:8.1f} s {100.0 * wall / total:5.1f} %")
    print(f"{'all':36}{total:8.1f} s on {os.cpu_count()} cores, {cpu_s / total:.2f} of them busy")


if __name__ == "__main__":
    main()
