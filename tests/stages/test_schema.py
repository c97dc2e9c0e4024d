import json

import yaml

from stages.schema import write_schema


def test_the_schema_knows_and_explains_the_keys_of_params(tmp_path, request):
    write_schema(tmp_path / "schema.json")
    schema = json.loads((tmp_path / "schema.json").read_text())
    params = yaml.safe_load((request.config.rootpath / "params.yaml").read_text())
    assert set(params) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    training = schema["$defs"]["TrainingConfig"]["properties"]
    assert training["amsgrad"]["type"] == "boolean"
    assert training["clip_norm"]["description"].startswith("Largest L2 norm of the gradient")
