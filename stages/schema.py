"""`python -m stages.schema`: the JSON schema of params.yaml, from which editors complete it."""

import json
from pathlib import Path

from fxnorm.outputs import write_text
from stages.params import Params

SCHEMA = Path("params.schema.json")


def write_schema(path: Path) -> None:
    """Write what `Params` takes as JSON schema; docstrings are the keys' descriptions."""
    write_text(path, json.dumps(Params.model_json_schema(), indent=2) + "\n")


if __name__ == "__main__":
    write_schema(SCHEMA)
