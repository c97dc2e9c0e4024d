"""Text, JSON and YAML that anybody may have written.

They are bounded in size, depth and numbers, or an error of one line.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from fxnorm.errors import FxNormError

_LARGEST_BYTES = 2**28
_LARGEST_YAML_BYTES = 2**20
#: Of a YAML document with all its aliases written out.
_MOST_NODES, _DEEPEST = 20_000, 64
_LARGEST_INTEGER = 2**63
#: In any base, with underscores. Longer ones take PyYAML minutes, those in base 60.
_LONGEST_INTEGER = 100


def read_text(path: str | os.PathLike[str], remedy: str, most_bytes: int = _LARGEST_BYTES) -> str:
    """The text of a file in UTF-8, with or without byte order mark.

    Args:
        path: of the file.
        remedy: ends the message, such as "save the results again".
        most_bytes: its largest size.

    Raises:
        FxNormError: no such file, one that can't be read, is too large or not UTF-8.
    """
    file = Path(path)
    if not file.is_file():
        raise FxNormError(f"{path}: no such file; {remedy}")
    try:
        if file.stat().st_size > most_bytes:
            raise FxNormError(f"{path}: larger than {most_bytes / 1e6:.0f} MB; {remedy}")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FxNormError(f"{path}: not text in UTF-8 ({error.reason}); {remedy}") from error
    except OSError as error:
        raise FxNormError(f"{path}: can't be read ({error.strerror})") from error


def read_json(path: str | os.PathLike[str], remedy: str) -> Any:
    """A JSON document.

    Raises:
        FxNormError: see `read_text`; or it is not JSON, or holds what can't be written again.
    """
    return _parsed(path, read_text(path, remedy), "JSON", parse_json, remedy)


def read_yaml(path: str | os.PathLike[str], remedy: str) -> Any:
    """A YAML document of plain data.

    Raises:
        FxNormError: see `read_text`; or it is not YAML, gives a key twice, nests deeply, is large
            with its aliases written out, or holds integers of more than 64 bits.
    """
    text = read_text(path, remedy, _LARGEST_YAML_BYTES)
    return _parsed(path, text, "YAML", _parse_yaml, remedy)


def parse_json(text: str) -> Any:
    """JSON without integers of more than 64 bits and halves of characters.

    Raises:
        ValueError: it is something else.
        RecursionError: it nests deeply.
    """

    data = json.loads(text, parse_int=_bounded_integer)
    # A lone surrogate in an escape is text that no file can hold.
    json.dumps(data, ensure_ascii=False).encode("utf-8")
    return data


def _parsed(
    path: str | os.PathLike[str], text: str, kind: str, parse: Callable[[str], Any], remedy: str
) -> Any:
    try:
        return parse(text)
    except RecursionError as error:
        raise FxNormError(f"{path}: not valid {kind}: nests too deeply; {remedy}") from error
    except Exception as error:  # PyYAML raises all kinds on odd tags and scalars.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FxNormError(f"{path}: not valid {kind}: {reason}; {remedy}") from error


def _bounded_integer(text: str) -> int:
    value = int(text)
    if abs(value) >= _LARGEST_INTEGER:
        raise ValueError(f"the integer {text[:20]} is too large")
    return value


class _Loader(yaml.SafeLoader):
    """Plain YAML with integers of up to 64 bits, not nested deeply, which takes PyYAML long."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("nests too deeply")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _construct_integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _LONGEST_INTEGER or (
        abs(value := loader.construct_yaml_int(node)) >= _LARGEST_INTEGER
    ):
        raise ValueError(f"the integer {node.value[:20]} is too large")
    return int(value)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_integer)


def _parse_yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_nodes(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _check_nodes(root: yaml.Node) -> None:
    """Refuse keys given twice, and what aliases blow up, before anything is made of it."""
    stack, count = [root], 0
    while stack:
        node = stack.pop()
        count += 1
        if count > _MOST_NODES:
            raise ValueError("too large with its aliases written out")
        if isinstance(node, yaml.SequenceNode):
            stack += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                twice = next(key for key in keys if keys.count(key) > 1)
                raise ValueError(f"'{twice}' is given twice")
            stack += [inner for pair in node.value for inner in pair]
