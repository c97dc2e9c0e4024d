"""The documentation against the code that it describes."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from fxnorm.reporting.reference import compare_with_reference, headline_frame, read_reference

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    # Its files are those that the reader is to write; a test of its own carries the example out.
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.stem != "add-an-effect"),
]
METHOD = sorted((ROOT / "docs" / "method").glob("*.md"))


def _layers():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return settings["contracts"][0]["layers"]


def test_the_diagram_has_the_rooms_in_the_order_of_the_rule_and_every_stage():
    diagram = (ROOT / "docs/architecture.svg").read_text()
    names = r'<rect class="{}"[^>]* y="(\d+)"[^>]*>\n<text class="name"[^>]*>(\w+)<'
    rows = {}
    for height, room in re.findall(names.format("room"), diagram):
        rows.setdefault(int(height), set()).add(room)
    *rooms, base = _layers()
    drawn = [rows[height] for height in sorted(rows)]
    assert drawn[: len(rooms)] == [set(layer.split(" | ")) for layer in rooms]
    assert all(module in diagram for module in re.findall(r"\w+", base))

    stages = {stage for _, stage in re.findall(names.format("stage"), diagram)}
    assert stages >= set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])


def test_the_table_of_rooms_names_every_folder_and_where_it_starts():
    page = (ROOT / "docs/architecture.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+\.py)` \|$", page, re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "fxnorm").glob("*/__init__.py")}
    assert set(table) == folders
    assert all((ROOT / "fxnorm" / room / start).is_file() for room, start in table.items())


def test_the_reference_has_the_module_of_every_public_name():
    shown = {
        module
        for page in (ROOT / "docs/api").glob("*.md")
        for module in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)
    }
    for stub in (ROOT / "fxnorm").glob("**/__init__.pyi"):
        room = ".".join(stub.parent.relative_to(ROOT).parts)
        modules = {f"{room}{name}" for name in re.findall(r"from (\.\S+) import", stub.read_text())}
        # The first page explains `mix`, and the command line has its own reference.
        assert modules - shown <= {"fxnorm.mixing", "fxnorm.cli.command"}
    base = {f"fxnorm.{path.stem}" for path in (ROOT / "fxnorm").glob("[!_]*.py")}
    assert base - shown == {"fxnorm.lazy"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(page):
    text = page.read_text()
    links = [page.parent / link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = re.findall(r"`((?:fxnorm|stages|tests|docs|benchmarks)/[\w/]+\.\w+)`", text)
    rooms = [room.name for room in (ROOT / "fxnorm").iterdir() if room.is_dir()]
    inner = re.findall(rf"`((?:{'|'.join(rooms)})/[\w/]+\.py)`", text)
    files = [*links, *(ROOT / name for name in named), *(ROOT / "fxnorm" / name for name in inner)]
    assert [str(file) for file in files if not file.exists()] == []


def test_the_pages_on_the_method_name_settings_by_their_keys():
    from stages.params import Params

    schema = Params.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    settings = {name for model in models for name in model.get("properties", ())}
    named = re.findall(r"`(\w+_\w+)`", "".join(p.read_text() for p in METHOD))
    assert {"eq_max_boost_db", "calibrate_gain"} <= set(named) <= settings


def test_the_example_of_experiments_begins_with_a_run_like_the_reference():
    text = (ROOT / "README.md").read_text()
    rows = re.findall(r"^  (workspace|master) +(\S+) +(\S+) ", text, re.M)
    assert [name for name, *_ in rows] == ["workspace", "master"]
    reference = read_reference(ROOT / "docs/reference.csv")
    for _, dry, wet in rows:
        means = {"dry": {"mean": float(dry)}, "wet": {"mean": float(wet)}}
        compared = compare_with_reference(headline_frame({"wun_S_Lb": means}), reference)
        assert list(compared["verdict"]) == ["as expected"] * 2


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A job of SLURM: its programs in a folder, which do here what they are told."""
    programs = {
        "srun": '[ "$1" = torchrun ] && echo "$@" || exec "$@"',
        "scontrol": "echo node7; echo node8",
        "dvc": 'echo dvc "$@"',
    }
    for name, line in programs.items():
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folders = (tmp_path / "bin", Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)), prepend=os.pathsep)
    job = {"SLURM_JOB_NUM_NODES": "2", "SLURM_GPUS_ON_NODE": "4", "SLURM_JOB_ID": "11"}
    for name, value in {**job, "SLURM_JOB_NODELIST": "node[7-8]"}.items():
        monkeypatch.setenv(name, value)

    def run(script, *words):
        command = ["bash", str(ROOT / "docs/slurm" / script), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


def test_the_cluster_of_a_slurm_job_works_and_leaves_nothing(slurm, tmp_path):
    pytest.importorskip("distributed")
    code = (
        "import os, tempfile\n"
        "from fxnorm.workers import in_processes, on_cluster\n"
        "with on_cluster(os.environ['FXNORM_DASK']):\n"
        "    pids = set(in_processes(os.getpid, [('a', ())] * 20, 1))\n"
        "print(os.getpid() in pids, len(pids) > 0, tempfile.gettempdir().startswith(os.getcwd()))\n"
    )
    assert slurm("cluster.sh", "python", "-c", code).stdout == "False True True\n"
    assert list((tmp_path / ".scratch").iterdir()) == []


def test_a_scheduler_that_does_not_start_ends_the_job(slurm, tmp_path):
    (tmp_path / "bin/dask").write_text("#!/bin/bash\nexit 1\n")
    (tmp_path / "bin/dask").chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError) as raised:
        slurm("cluster.sh", "echo", "hi")
    assert raised.value.stderr.endswith("the Dask scheduler has ended\n")
    assert list((tmp_path / ".scratch").iterdir()) == []


def test_the_training_of_a_slurm_job_starts_every_process_of_a_stage(slurm):
    from torch.distributed.run import get_args_parser

    started, committed = slurm("train.sh", "ours_S_Lb").stdout.splitlines()
    options = get_args_parser().parse_args(started.split()[1:])
    assert (options.nnodes, options.nproc_per_node) == ("2", "4")
    assert options.rdzv_endpoint == "node7:29500"
    assert (options.module, options.training_script) == (True, "stages.train")
    assert options.training_script_args == ["ours_S_Lb"]
    assert committed == "dvc commit --force train@ours_S_Lb"
