"""Configuration models that reject what they do not know."""

import hashlib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from fxnorm.errors import FxNormError


class Config(BaseModel):
    """A frozen configuration: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str) -> Self:
        """Validate plain data, as read from YAML or JSON.

        Args:
            data: nested mapping.
            source: where the data came from, for the message (a path or a section's name).

        Raises:
            FxNormError: names the source and every wrong key, in one line.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            faults = "; ".join(_describe(fault) for fault in error.errors())
            raise FxNormError(f"{source}: {faults}") from error


def fingerprint(*parts: Config | str | int) -> str:
    """A name for what decides a run's result: configurations, seed, digests of data and code.

    Returns:
        16 hexadecimal digits.
    """
    texts = [part.model_dump_json() if isinstance(part, Config) else str(part) for part in parts]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _describe(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "(top level)"
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{key}': remove or correct it"
    if fault["type"] == "missing":
        return f"key '{key}' is missing"
    return f"key '{key}': {fault['msg']} (got {fault['input']!r})"
