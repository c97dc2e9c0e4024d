"""Where training runs when nobody says where."""

import joblib
import pytest

from fxnorm.training import Machine, on_all_cores


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_processes_share_a_batch_evenly(batch_size, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    cores = joblib.cpu_count()
    machine = on_all_cores("cpu", batch_size)
    shared_by = [n for n in range(1, batch_size + 1) if batch_size % n == 0 and n <= cores]
    assert machine.devices == shared_by[-1]
    assert machine.devices * machine.threads <= cores < machine.devices * (machine.threads + 1)


def test_limits_of_the_environment_are_kept(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert on_all_cores("cpu", 4) == Machine("cpu", 1, threads=None)


def test_a_gpu_is_used_alone():
    assert on_all_cores("cuda", 4) == Machine("cuda", 1)
