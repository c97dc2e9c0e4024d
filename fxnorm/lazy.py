"""Public names of a package that are imported when they are first asked for.

torch, mlflow and others take seconds, and few need all of a package.
"""

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """What a package needs to import its modules lazily (PEP 562).

    Args:
        package: its `__name__`.
        file: its `__file__`. The stub `__init__.pyi` beside it says, for type checkers and for
            us, which module holds which name: lines of `from .module import name`.

    Returns:
        The package's `__getattr__`, `__dir__` and `__all__`.
    """
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [statement for statement in stub.body if isinstance(statement, ast.ImportFrom)]
    modules = {name.name: f"{package}.{line.module}" for line in imports for name in line.names}

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(modules[name]), name)
        # Kept in the package, also because a module of the same name has just been put there.
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(modules), sorted(modules)
