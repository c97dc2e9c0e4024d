"""Progress of long work: a bar on a terminal, plain lines otherwise."""

import sys
import time
from collections.abc import Iterable, Iterator
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
