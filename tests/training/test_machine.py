"""Where training runs when nobody says where."""

import signal
import subprocess
import sys

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


WAIT = """
import signal, sys, time

from fxnorm.training.machine import Machine, launch


def wait(fabric, job, emit):
    emit(fabric.world_size)
    time.sleep(600)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        launch(Machine("cpu", 2), "32-true", wait, None, lambda size: print(size, flush=True))
    except KeyboardInterrupt:
        sys.exit(130)
"""


# A process that is killed tells nobody, and interrupts may be ignored.
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_the_end_of_the_first_process_ends_all(tmp_path, sent, code):
    (tmp_path / "wait.py").write_text(WAIT)
    with subprocess.Popen(
        [sys.executable, tmp_path / "wait.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"2\n"
        process.send_signal(sent)
        # Both streams end with the last process.
        _, errors = process.communicate(timeout=120)
    assert process.returncode == code
    # Processes of one that was killed may say what they miss.
    assert sent == signal.SIGKILL or b"Traceback" not in errors
