"""Synthetic pairs of mix and target for which the reference metrics are known."""

import numpy as np
from golden_signals import SR, golden_signal


def metric_pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(mix, target) by name, (samples, 2) float64, 8 s."""
    drum, bass, vocal, pad, loud = (
        golden_signal(name).astype(np.float64)
        for name in ("drum_like", "bass_like", "vocal_like", "pad", "loud")
    )
    target = 0.25 * (drum + bass + vocal + pad)
    mix = 0.40 * drum + 0.20 * bass + 0.15 * vocal[:, ::-1] + 0.30 * pad
    gap = target.copy()
    gap[2 * SR : 3 * SR + SR // 2] = 0.0
    return {
        "mix": (mix, target),
        "vocal_vs_pad": (vocal, pad),
        "mix_vs_loud": (target, loud),
        "gap": (mix, gap),
    }
