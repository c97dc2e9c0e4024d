"""The pipeline at a tiny scale, in a copy of this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
#: One of each network. What differs only in its loss goes the same way.
SYSTEMS = ("ours_S_Lb", "wun_S_Lb")
TINY_AUTOMIX = {"filters": 10, "bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1}


def run(folder, *words, check=True, **variables):
    programs = str(Path(sys.executable).parent)
    # `make test` would tell a `make` of a test that it is its child.
    foreign = ("DVC_", "MLFLOW_", "MAKE", "MFLAGS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    environment |= {"PATH": programs + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    # Workers and MLflow take longer to start than these songs take; results are the same without.
    environment |= {"LOKY_MAX_CPU_COUNT": "1", "FXNORM_TRACKING": "off"} | variables
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def copy_checkout(target):
    """The checkout's files that git knows or would add, as a repository of their own."""
    listed = run(ROOT, "git", "ls-files", "-coz", "--exclude-standard").stdout
    for name in filter(None, listed.split("\0")):
        # Results of an earlier run are not part of what is tested.
        if (ROOT / name).is_file() and not name.startswith(("dvc.lock", "reports/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    # What is compiled already, the index of a function's code before the code.
    for kind in ("nbi", "nbc"):
        for file in (ROOT / "fxnorm").rglob(f"*.{kind}"):
            copy = target / file.relative_to(ROOT)
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(file, copy)
    run(target, "git", "init", "-q")
    run(target, "git", "add", "-A")
    run(target, "git", "config", "user.name", "test")
    run(target, "git", "config", "user.email", "test@example.org")
    run(target, "git", "commit", "-qm", "copy")


def shrink(path):
    params = yaml.safe_load(path.read_text())
    params["synthesis"] |= {
        "training_songs": 3,
        "test_songs": 2,
        "duration_s": [6.0, 6.0],
        "impulse_responses": 1,
    }
    params["dataset"]["validation"] = 0.34
    params["evaluation"]["resamples"] = 100
    params["report"] |= {"songs": 1, "seconds": 3.0}
    params["networks"]["automix"] |= TINY_AUTOMIX
    params["networks"]["wave-u-net"]["levels"] = 2
    params["systems"] = {name: params["systems"][name] for name in SYSTEMS}
    short = {"steps_per_epoch": 2, "sequence_s": 1.0, "schedule": [{"epochs": 1}]}
    params["training"] |= short
    for system in (params["pretraining"], *params["systems"].values()):
        system["training"] = {k: v for k, v in system["training"].items() if k not in short}
    path.write_text(yaml.safe_dump(params, sort_keys=False))


def _stages(printed):
    """Stages that DVC says it runs, without the check of params.yaml, which any change reruns."""
    lines = [line for line in printed.splitlines() if line.startswith("Running stage")]
    return {line.split("'")[1] for line in lines} - {"check"}


def would_run(folder):
    return _stages(run(folder, "dvc", "repro", "--dry").stdout)


def set_params(folder, **changes):
    """Change params by dotted key, with `__` for the dots."""
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        *sections, last = key.split("__")
        section = params
        for name in sections:
            section = section[name]
        section[last] = value
    path.write_text(yaml.safe_dump(params, sort_keys=False))


def ran(folder):
    """Stages that `dvc repro` runs, not those it takes from the run cache."""
    return _stages(run(folder, "dvc", "repro").stdout)
