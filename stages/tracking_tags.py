"""Tags of a stage's run: what ran, of which commit, for which experiment, and in which process."""

import getpass
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from fxnorm.digests import digest

#: What decides a result, of what git knows: documents, tests and results do not make it dirty.
_CODE_AND_PARAMS = ("fxnorm", "stages", "dvc.yaml", "params.yaml")
_HOST, _PROCESS = "process.host", "process.id"
_SAME_START_S = 3.0


def run_tags(stage: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a new run.

    Args:
        stage: what `stages.tracking.stage_run` says of it.
    """
    root = stage["root"]
    text = json.dumps(stage["params"], sort_keys=True, default=str)
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *_CODE_AND_PARAMS)
    return {
        "dvc.stage": stage["stage"],
        "dvc.exp_name": os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline_rev": os.environ.get("DVC_EXP_BASELINE_REV", ""),
        "git.commit": commit,
        "git.dirty": str(bool(changes)).lower(),
        "params.digest": digest(text),
        "mlflow.user": _user(),
        "mlflow.source.name": f"stages/{stage['script']}",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": commit,
        _HOST: platform.node(),
        _PROCESS: f"{os.getpid()}/{psutil.Process().create_time():.0f}",
    } | ({} if stage["system"] is None else {"system": stage["system"]})


def written_here() -> str:
    """The filter for runs that this machine wrote."""
    return f"tags.`{_HOST}` = '{platform.node()}'"


def is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process that wrote a run on this machine is no more."""
    pid, _, start = tags.get(_PROCESS, "").partition("/")
    try:
        process = psutil.Process(int(pid))
        # Systems give a process id out again. Starts are known to a second or so.
        another = abs(process.create_time() - float(start)) > _SAME_START_S
        return bool(another or process.status() == psutil.STATUS_ZOMBIE)
    except (psutil.NoSuchProcess, ValueError):
        return True
    except psutil.AccessDenied:
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container that has no name for its user
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
