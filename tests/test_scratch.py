import os
import subprocess
import sys

import numpy as np
import pytest
from fresh_process import run_code

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
    code = """
        import resource, numpy as np
        from fxnorm import scratch
        from fxnorm.audio import peak
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        array = scratch.empty(2**28)
        for block in scratch.blocks(2**28):
            array[block] = block.start % 7
        total = sum(float(array[b][0]) for b in scratch.blocks(2**28))
        assert peak(array) == 6.0
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, total)
    """
    printed = run_code(code).stdout.split()
    assert float(printed[0]) < 700_000  # kB, of 1,048,576
    assert float(printed[1]) == sum(start % 7 for start in range(0, 2**28, 2**20))


def test_a_full_disk_is_one_line(monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch.os, "posix_fallocate", refuse)
    with pytest.raises(FxNormError, match=r"no room for 0\.4 GB .*set TMPDIR"):
        scratch.empty(10**8)


def _killed_at_work(folder, work="", place=None):
    """A process that is killed while it has a temporary file and folder; their names."""
    script = (
        "import os, sys\n"
        "from fxnorm import scratch\n"
        f"place = {str(place) if place else None!r}\n"
        "if place: scratch.use_place(place)\n"
        f"with scratch.temporary_file({str(folder)!r}, '.wav') as file:\n"
        f"    with scratch.temporary_folder({str(folder)!r}) as inner:\n"
        "        (inner / 'half').write_bytes(bytes(9))\n"
        "        print(file.parent, inner.parent, flush=True)\n"
        f"        {work or 'os.kill(os.getpid(), 9)'}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_what_a_killed_process_left_goes_when_the_next_one_comes(tmp_path):
    with _killed_at_work(tmp_path) as killed:
        assert killed.communicate()[0].split() == [str(tmp_path)] * 2
    (tmp_path / "mine").touch()
    assert len(list(tmp_path.iterdir())) == 3
    with scratch.temporary_folder(tmp_path):
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_pipe_that_somebody_put_there_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / f"{scratch.PREFIX}pipe")
    with _killed_at_work(tmp_path, "pass") as process:
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_work_of_a_living_process_is_left_alone(tmp_path):
    with _killed_at_work(tmp_path, "sys.stdin.read()") as living:
        assert living.stdout.readline()
        with scratch.temporary_file(tmp_path, ".wav"):
            assert len(list(tmp_path.iterdir())) == 3
        living.communicate()
    assert list(tmp_path.iterdir()) == []


def test_a_place_takes_work_from_beside_its_output_and_is_swept(tmp_path):
    place, output = tmp_path / "place", tmp_path / "output"
    output.mkdir()
    with _killed_at_work(output, place=place) as killed:
        assert killed.communicate()[0].split() == [str(place)] * 2
    assert list(output.iterdir()) == []
    assert len(list(place.iterdir())) == 2
    with _killed_at_work(output, "pass", place) as next_one:
        next_one.communicate()
    assert list(place.iterdir()) == []
