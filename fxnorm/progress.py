"""Progress of long work on stderr: a bar on a terminal, a plain line now and then otherwise."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_LINE_EVERY_S = 10.0


class Progress:
    """How much is done, and the time left.

    Args:
        title: what is being done.
        total: how much there is.
        unit: what it is counted in; "" shows the fraction done.
        done: how much an earlier run did.
        silent: report nothing, for processes beside the first.
    """

    def __init__(
        self, title: str, total: float, unit: str, *, done: float = 0, silent: bool = False
    ) -> None:
        self._title, self._total, self._unit = title, total, unit
        self._first = self._done = done
        self._start = self._last = time.monotonic()
        self._silent = silent
        self._bar = None
        if sys.stderr.isatty() and not silent:
            form = None if unit else "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
            self._bar = tqdm(
                desc=title,
                initial=done,
                total=total,
                unit=unit or "it",
                bar_format=form,
                leave=bool(unit),
                dynamic_ncols=True,
            )

    def advance(self, amount: float = 1, note: str = "") -> None:
        """More is done.

        Args:
            amount: how much more.
            note: shown with it.
        """
        self._done += amount
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(amount)
            return
        now = time.monotonic()
        finished = bool(self._unit) and self._done >= self._total
        if self._done > self._first and (finished or now - self._last >= _LINE_EVERY_S):
            rate = (now - self._start) / (self._done - self._first)
            counted = f"{self._done}/{self._total} {self._unit}"
            shown = counted if self._unit else f"{self._done / self._total:.0%}"
            shown += f", {note}" if note else ""
            self.say(f"{shown}, {rate * (self._total - self._done):.0f} s left")
            self._last = now

    def say(self, text: str) -> None:
        """A line of its own."""
        if not self._silent:
            tqdm.write(f"{self._title}: {text}", file=sys.stderr)

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self._bar is not None:
            self._bar.close()


def progress(items: Iterable[T], total: int, title: str, unit: str) -> Iterator[T]:
    """Yield `items` while reporting how many are done.

    Args:
        items: what to go through.
        total: how many there are.
        title: what is being done.
        unit: what they are, in the plural.
    """
    with closing(Progress(title, total, unit)) as report:
        for item in items:
            yield item
            report.advance()


@contextmanager
def fraction_done(title: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the fraction done so far, 0 to 1, and reports it.

    Work that ends within seconds reports nothing but the bar.

    Args:
        title: what is being done.
    """
    done = 0.0
    with closing(Progress(title, 1.0, "")) as report:

        def reach(fraction: float) -> None:
            nonlocal done
            report.advance(fraction - done)
            done = fraction

        yield reach
