"""Where a training run stands: what its checkpoints hold besides weights and optimiser."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

Weights = dict[str, torch.Tensor]


@dataclass
class TrainingState:
    """Counters, this epoch's losses, the history so far and the best weights so far."""

    step: int = 0
    """Steps done, over all epochs."""
    losses: list[float] = field(default_factory=list)
    """This epoch's training losses, of the steps that were not skipped."""
    norms: list[float] = field(default_factory=list)
    """Their gradient norms before clipping."""
    skipped: int = 0
    """This epoch's skipped steps."""
    bad_in_row: int = 0
    """Skipped steps since the last good one."""
    history: list[tuple[int, str, str, float]] = field(default_factory=list)
    """Rows of (epoch, split, metric, value), epochs from 1."""
    best: dict[str, Any] = field(default_factory=dict)
    """Of the lowest mean of the songs' validation losses: epoch, value, weights."""

    def record(self, loss: float, norm: float) -> None:
        """Count a step; one with a loss or norm that is not finite was skipped."""
        self.step += 1
        if math.isfinite(loss) and math.isfinite(norm):
            self.losses.append(loss)
            self.norms.append(norm)
            self.bad_in_row = 0
        else:
            self.skipped += 1
            self.bad_in_row += 1

    def close_epoch(self, epoch: int, learning_rate: float) -> None:
        """Add the epoch's training rows to the history and start counting anew."""
        rows = {
            **_summary(self.losses),
            "learning_rate": learning_rate,
            "gradient_norm_mean": float(np.mean(self.norms)) if self.norms else math.nan,
            "gradient_norm_max": max(self.norms, default=math.nan),
            "skipped_steps": float(self.skipped),
        }
        self.history += [(epoch, "train", metric, value) for metric, value in rows.items()]
        self.losses, self.norms, self.skipped = [], [], 0

    def add_validation(self, epoch: int, losses: Sequence[float], weights: Weights) -> None:
        """Add the epoch's validation rows and keep the weights where they are strictly better."""
        rows = _summary(losses)
        self.history += [(epoch, "valid", metric, value) for metric, value in rows.items()]
        value = rows["loss_mean"]
        # NaN is below nothing: never selected.
        if value < self.best.get("value", math.inf):
            self.best = {"epoch": epoch, "value": value, "weights": weights}

    def out_of_patience(self, patience: int | None) -> bool:
        """Whether the last `patience` validations brought no better mean."""
        if patience is None:
            return False
        validated = [
            epoch for epoch, split, metric, _ in self.history if (split, metric) == _VALID_MEAN
        ]
        best: int = self.best.get("epoch", 0)
        return sum(epoch > best for epoch in validated) >= patience

    def log(self, epoch: int) -> dict[str, float]:
        """An epoch's history rows as `<split>/<metric>`, with the epoch's number."""
        rows = {
            f"{split}/{metric}": value for at, split, metric, value in self.history if at == epoch
        }
        return {"epoch": epoch, **rows}

    def summary(self, epoch: int) -> str:
        """An epoch's mean losses in a line."""
        log = self.log(epoch)
        losses = [
            f"{split} {log[key]:.4g}"
            for split in ("train", "valid")
            if (key := f"{split}/loss_mean") in log
        ]
        return f"epoch {epoch}: {', '.join(losses)}"


_VALID_MEAN = ("valid", "loss_mean")


def _summary(losses: Sequence[float]) -> dict[str, float]:
    if not losses:
        return {"loss_mean": math.nan, "loss_median": math.nan}
    return {"loss_mean": float(np.mean(losses)), "loss_median": float(np.median(losses))}
