"""dvc.yaml names the code that each stage runs."""

import ast
from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
#: What surrounds every stage's work: params are dependencies by value, dvc.yaml has the places
#: itself, and the rest decides no number.
AROUND = {f"stages{name}" for name in ("", ".common", ".params", ".places", ".tracking")}
#: What says, checks and stores, and decides no number either.
SILENT = {
    f"fxnorm.{name}"
    for name in (
        "configuration",
        "digests",
        "documents",
        "errors",
        "lazy",
        "opcodes",
        "outputs",
        "progress",
        "workers",
    )
}


@pytest.fixture(scope="module")
def graph():
    graph = grimp.build_graph(
        "fxnorm", "stages", exclude_type_checking_imports=True, cache_dir=None
    )
    for stub in (ROOT / "fxnorm").rglob("__init__.pyi"):
        package = ".".join(stub.parent.relative_to(ROOT).parts)
        for node in ast.parse(stub.read_text()).body:
            # A package that loads lazily imports what its stub does.
            if isinstance(node, ast.ImportFrom) and not node.level:
                graph.add_import(importer=package, imported=node.module)
            elif isinstance(node, ast.ImportFrom):
                graph.add_import(importer=package, imported=f"{package}.{node.module}")
    for module in AROUND | SILENT:
        for imported in graph.find_modules_directly_imported_by(module):
            graph.remove_import(importer=module, imported=imported)
    return graph


def _files(graph, module):
    """Paths, below the checkout, of what a stage imports; packages only hand on names."""
    names = {module, *graph.find_upstream_modules(module)} - AROUND - SILENT
    paths = {Path(*name.split(".")) for name in names}
    return {path.with_suffix(".py") for path in paths if not (ROOT / path).is_dir()}


def _code(stage):
    named = stage.get("do", stage)["deps"]
    return {Path(name) for name in named if name.startswith(("fxnorm", "stages"))}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_it_runs_and_on_no_other(graph, name):
    module = STAGES[name].get("do", STAGES[name])["cmd"].split()[2]
    files, code = _files(graph, module), _code(STAGES[name])
    assert {path for path in files if not {path, *path.parents} & code} == set(), "missing"
    assert {one for one in code if not any(one in (p, *p.parents) for p in files)} == set(), "idle"
    assert all((ROOT / one).exists() for one in code)
