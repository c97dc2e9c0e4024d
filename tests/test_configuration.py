import pytest

from fxnorm.configuration import Config
from fxnorm.errors import FxNormError


class Inner(Config):
    rate: float = 1.0


class Outer(Config):
    inner: Inner
    name: str


def test_faults_of_a_configuration_are_all_named_in_one_line():
    with pytest.raises(FxNormError) as error:
        Outer.parse({"inner": {"rate": "fast", "rat": 2}}, "params.yaml")
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("params.yaml: ")
    assert "unknown key 'inner.rat'" in message
    assert "key 'inner.rate'" in message
    assert "key 'name' is missing" in message
