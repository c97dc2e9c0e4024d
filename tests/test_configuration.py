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


class Numbers(Config):
    gain: float = 0.0
    ranges: dict[str, tuple[float, float]] = {}
    window: int | str = 1
    strict: bool = False
    inner: Inner | None = None


@pytest.mark.parametrize(
    "data",
    [
        {"gain": True},
        {"ranges": {"low": [False, 1.0]}},
        {"window": True},
        {"inner": {"rate": True}},
    ],
)
def test_a_switch_is_no_number(data):
    with pytest.raises(FxNormError, match="true or false"):
        Numbers.parse(data, "table.yaml")


def test_switches_are_taken_where_they_belong():
    assert Numbers.parse({"strict": True, "inner": {"rate": 2}}, "table.yaml").strict
