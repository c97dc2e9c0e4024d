import subprocess
import sys

import numpy as np
import pytest

from fxnorm import scratch
from fxnorm.errors import FxNormError


def test_large_arrays_hold_what_is_written_to_them_and_small_ones_are_plain(monkeypatch):
    monkeypatch.setattr(scratch, "_LARGEST_IN_MEMORY", 1000)
    small, large = scratch.empty(10), scratch.empty((2, 1_000_003), np.float64)
    assert small.base is None
    assert large.base is not None
    values = np.random.default_rng(0).normal(size=large.shape)
    for block in scratch.blocks(large.shape[1], 12_345):
        large[:, block] = values[:, block]
    np.testing.assert_array_equal(large, values)


def test_a_gigabyte_takes_a_fraction_of_the_processs_memory():
    script = (
        "import resource, numpy as np\n"
        "from fxnorm import scratch\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "array = scratch.empty(2**28)\n"
        "for block in scratch.blocks(2**28):\n"
        "    array[block] = block.start % 7\n"
        "total = sum(float(array[b][0]) for b in scratch.blocks(2**28))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, total)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    assert float(printed[0]) < 700_000  # kB, of 1,048,576
    assert float(printed[1]) == sum(start % 7 for start in range(0, 2**28, 2**22))


def test_a_full_disk_is_one_line(monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch.os, "posix_fallocate", refuse)
    with pytest.raises(FxNormError, match=r"no room for 0\.4 GB .*set TMPDIR"):
        scratch.empty(10**8)
