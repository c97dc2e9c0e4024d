"""Progress of long work: a bar on a terminal, plain lines otherwise."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_LINE_EVERY_S = 10.0


def progress(items: Iterable[T], total: int, title: str, unit: str = "it") -> Iterator[T]:
    """Yield `items` while reporting how many are done and the time left, on stderr.

    Args:
        items: what to go through.
        total: how many there are.
        title: what is being done.
        unit: what one item is, for the bar.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=title, unit=unit, dynamic_ncols=True)
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if done == total or now - last >= _LINE_EVERY_S:
            left = (now - start) / done * (total - done)
            print(f"{title}: {done}/{total} {unit}, {left:.0f} s left", file=sys.stderr, flush=True)
            last = now


@contextmanager
def fraction_done(title: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the fraction done so far, 0 to 1, and reports it on stderr.

    Work that ends within seconds reports nothing but the bar.

    Args:
        title: what is being done.
    """
    if sys.stderr.isatty():
        form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
        with tqdm(total=1.0, desc=title, bar_format=form, dynamic_ncols=True, leave=False) as bar:

            def advance(fraction: float) -> None:
                bar.update(fraction - bar.n)

            yield advance
        return
    start = last = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _LINE_EVERY_S and fraction > 0.0:
            left = (now - start) / fraction * (1.0 - fraction)
            print(f"{title}: {fraction:.0%}, {left:.0f} s left", file=sys.stderr, flush=True)
            last = now

    yield report
