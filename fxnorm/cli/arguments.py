"""How arguments behave that are given more than once, or empty: nothing is dropped or guessed."""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any


class Parser(argparse.ArgumentParser):
    """A parser whose plain options may be given once, and which takes no empty words."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for name in (None, "store"):
            self.register("action", name, _Once)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As the parent's; an empty word, which would be the current folder, is an error.

        An empty list of effects is a list.
        """
        words = sys.argv[1:] if args is None else list(args)
        for before, word in pairwise(["", *words]):
            empty = word == "" or (word.startswith("--") and word.endswith("="))
            if empty and "--effects" not in (before, word.rstrip("=")):
                self.error("an argument is empty; is a variable of the shell not set?")
        return super().parse_known_args(words, namespace)


class _Once(argparse.Action):
    """Store a value; a second one is an error."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        given = vars(namespace).setdefault("given", set())
        if option is not None and self.dest in given:
            raise argparse.ArgumentError(self, "is given twice; give it once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class Join(argparse.Action):
    """Join the tuples of all that is given."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        known = getattr(namespace, self.dest) or ()
        setattr(namespace, self.dest, (*known, *(v for v in values if v not in known)))


class Merge(argparse.Action):
    """Merge the mappings of all that is given; two values of one key are an error."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        known = getattr(namespace, self.dest) or {}
        for key in values:
            if key in known and known[key] != values[key]:
                raise argparse.ArgumentError(
                    self, f"'{key}' is given as {known[key]:g} and as {values[key]:g}"
                )
        setattr(namespace, self.dest, {**known, **values})


def number(low: float, high: float) -> Callable[[str], float]:
    """What turns an option's text into a number from `low` to `high`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}': give a number from {low:g} to {high:g}")
        return value

    return parse


def several(parse: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """What turns "a,b" into what `parse` makes of each."""
    return lambda text: tuple(parse(part.strip()) for part in text.split(","))


def whole(low: int, high: int) -> Callable[[str], int]:
    """What turns an option's text into a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        value = number(low, high)(text)
        if value != int(value):
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
        return int(value)

    return parse


def numbers(name: str, low: float, high: float) -> Callable[[str], dict[str, float]]:
    """What turns "a=1,b=2" into numbers by name; `name` is what the names are."""

    def parse(text: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for part in text.split(","):
            key, equals, value = (word.strip() for word in part.partition("="))
            if not key or not equals:
                raise argparse.ArgumentTypeError(f"'{part}' is not {name}=NUMBER")
            if key in found:
                raise argparse.ArgumentTypeError(f"'{key}' is given twice")
            found[key] = number(low, high)(value)
        return found

    return parse
