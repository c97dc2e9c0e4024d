"""Configuration models that reject what they do not know."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fxnorm.errors import FxNormError


class Config(BaseModel):
    """A frozen configuration: unknown keys, wrong types and infinite numbers are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str) -> Self:
        """Validate plain data, as read from YAML or JSON.

        Args:
            data: nested mapping.
            source: where the data came from, for the message (a path or a section's name).

        Raises:
            FxNormError: names the source and every wrong key, in one line.
        """
        with explained(data, source):
            return cls.model_validate(data)

    @model_validator(mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, data: Any) -> Any:
        """`gain: on` would be 1 dB: to pydantic, as to Python, true is a number."""
        for key, value in data.items() if isinstance(data, Mapping) else ():
            field = cls.model_fields.get(key)
            if field is not None and _holds_switch(value) and not _takes_switch(field.annotation):
                message = "Input should not be true or false (yes, no, on, off)"
                raise PydanticCustomError("switch", message, {"key": key, "input": value})
        return data


@contextmanager
def explained(data: Mapping[str, Any], source: str) -> Iterator[None]:
    """Say in one line what is wrong with data that are validated in this context; see `parse`."""
    try:
        yield
    except ValidationError as error:
        faults = "; ".join(_describe_fault(fault, data) for fault in error.errors())
        raise FxNormError(f"{source}: {faults}") from error


def _odd(length: int) -> int:
    if length % 2 == 0:
        raise ValueError("give an odd number, so that there is a middle")
    return length


#: Of a window or a filter whose middle is one of its values.
ODD = AfterValidator(_odd)


def within(limits: tuple[float, float]) -> Any:
    """A field's lowest and highest value."""
    return Field(ge=limits[0], le=limits[1])


def _holds_switch(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, list | tuple):
        return any(_holds_switch(part) for part in value)
    return isinstance(value, bool)


def _takes_switch(annotation: Any) -> bool:
    """Whether a type has switches in it, or is checked by itself, or is any."""
    if annotation in (bool, Any) or (
        isinstance(annotation, type) and issubclass(annotation, Config)
    ):
        return True
    return any(_takes_switch(part) for part in get_args(annotation))


def _describe_fault(fault: Any, data: Mapping[str, Any]) -> str:
    if fault["type"] == "switch":
        fault = fault | {
            "loc": (*fault["loc"], fault["ctx"]["key"]),
            "input": fault["ctx"]["input"],
        }
    key = ".".join(_key_path(fault["loc"], data)) or "(top level)"
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{key}': remove or correct it"
    if fault["type"] == "missing":
        return f"key '{key}' is missing"
    message = f"key '{key}': {fault['msg']}"
    return message if isinstance(fault["input"], Mapping) else f"{message} (got {fault['input']!r})"


def _key_path(location: tuple[str | int, ...], data: Any) -> list[str]:
    """The keys of a location; pydantic also has the names of alternatives in it."""
    keys = []
    for number, part in enumerate(location):
        inside = isinstance(data, Mapping) and part in data
        if isinstance(data, list | tuple) and isinstance(part, int):
            inside = part < len(data)
        if inside:
            data = data[part]
        if inside or number == len(location) - 1:
            keys.append(str(part))
    return keys
