"""Random generators derived from (seed, what they are for).

Each use has a stream of its own, so adding a draw in one place moves no other.
"""

import hashlib

import numpy as np


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed that is a function of `seed` and `purpose` alone.

    Args:
        seed: the project's seed.
        purpose: what the draws are for, outermost first: `("reverb", song, stem)`.
    """
    text = "\0".join([str(seed), *map(str, purpose)])
    # Names of songs and files need not be text.
    data = text.encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator for one purpose; see `derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *purpose))
