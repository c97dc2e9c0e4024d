"""What a training run prints: a bar on a terminal, a line now and then otherwise."""

import sys
import time

from tqdm import tqdm

_LINE_EVERY_S = 15.0


class TrainingProgress:
    """Steps done, the last loss and the time left, on stderr.

    Args:
        title: what is trained.
        done: steps done before, by a run that this one resumes.
        total: steps of the whole run.
        silent: print nothing, for processes beside the first.
    """

    def __init__(self, title: str, done: int, total: int, *, silent: bool = False) -> None:
        self._title = title
        self._first = self._done = done
        self._total = total
        self._silent = silent
        self._start = self._last = time.monotonic()
        self._bar = None
        if sys.stderr.isatty() and not silent:
            self._bar = tqdm(desc=title, initial=done, total=total, unit="step", dynamic_ncols=True)
        elif done and not silent:
            self._print(f"resumed at step {done}/{total}")

    def step(self, loss: float) -> None:
        """Another step is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._last >= _LINE_EVERY_S or self._done == self._total:
            left = (now - self._start) / (self._done - self._first) * (self._total - self._done)
            self._print(f"step {self._done}/{self._total}, loss {loss:.4g}, {left:.0f} s left")
            self._last = now

    def epoch(self, log: dict[str, float]) -> None:
        """An epoch is done."""
        losses = ", ".join(
            f"{split} {log[key]:.4g}"
            for split in ("train", "valid")
            if (key := f"{split}/loss_mean") in log
        )
        self._print(f"epoch {log['epoch']:.0f}: {losses}")

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self._bar is not None:
            self._bar.close()

    def _print(self, text: str) -> None:
        if not self._silent:
            tqdm.write(f"{self._title}: {text}", file=sys.stderr)


class Clock:
    """Wall time of an epoch's steps; for logs only, never for results."""

    def __init__(self) -> None:
        self.restart()

    def tick(self) -> None:
        """A step is done."""
        self._steps += 1

    def lap(self, batch_size: int) -> dict[str, float]:
        """Speed of the steps since the last restart, of which a resumed epoch has fewer."""
        per_step = (time.perf_counter() - self._start) / max(1, self._steps)
        return {
            "machine/seconds_per_step": per_step,
            "machine/items_per_second": batch_size / per_step,
        }

    def restart(self) -> None:
        """Start counting anew."""
        self._start = time.perf_counter()
        self._steps = 0
