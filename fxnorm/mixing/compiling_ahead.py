"""Compiling the loops of normalisation on a second core, the first time after installation.

In one process only one function is compiled at a time. So a second one applies the chain's effects
to noise, from the last to the first, while this one goes forward; each finds on disk what the other
has compiled already.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fxnorm.compiling import is_kept
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.models import load_rooms, load_settings
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.normalization import FxNormalizer
from fxnorm.normalization.matching import panning
from fxnorm.normalization.normalizer import pad
from fxnorm.seeds import generator
from fxnorm.workers import end_with

_SECONDS = 3


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Let a second process compile during this context, where nothing is compiled yet."""
    if (os.cpu_count() or 1) == 1 or is_kept(panning):
        yield
        return
    words = [sys.executable, "-m", "fxnorm.mixing.compiling_ahead", str(os.getpid())]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(words, stdin=nowhere, stdout=nowhere, stderr=nowhere) as process:
        try:
            yield
        finally:
            process.kill()


def main() -> None:
    """Compile, until the process whose number is given has ended."""
    end_with(int(sys.argv[1]))
    config, features = load_settings(DEFAULT_MODEL)
    normalizer = FxNormalizer(
        features, config.normalization, impulse_responses=load_rooms(DEFAULT_MODEL)
    )
    noise = generator(0, "compile").normal(0.0, 0.1, (_SECONDS * SAMPLE_RATE, 2))
    noise[:: SAMPLE_RATE // 4] = 1.0  # Onsets.
    for name in reversed(normalizer.config.effects):
        # Loudness is what normalisation measures first.
        if name != "loudness":
            normalizer.apply(name, pad(noise), "vocals")


if __name__ == "__main__":
    main()
