import json

import yaml

from stages.schema import write_schema


def test_the_schema_knows_and_explains_the_keys_of_params(tmp_path, request):
    write_schema(tmp_path / "schema.json")
    schema = json.loads((tmp_path / "schema.json").read_text())
    params = yaml.safe_load((request.config.rootpath / "params.yaml").read_text())
    assert set(params) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    parts = [part.get("properties", {}) for part in schema["$defs"].values()]
    training = next(part for part in parts if "clip_norm" in part)
    assert training["amsgrad"]["type"] == "boolean"
    assert training["clip_norm"]["description"].startswith("Largest L2 norm of the gradient")
    # Sections are explained by their own descriptions.
    plain = ("type", "anyOf", "const", "enum")
    silent = {
        name
        for part in (schema["properties"], *parts)
        for name, key in part.items()
        if "description" not in key and any(word in key for word in plain)
    }
    assert silent == {"systems", "stems"}
