import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from fxnorm.errors import FxNormError
from fxnorm.workers import in_processes, in_threads

SLEEPERS = (
    "import time\n"
    "from fxnorm.workers import in_processes\n"
    "list(in_processes(time.sleep, [('a', (600,)), ('b', (600,))], 2))\n"
)


def _work(number):
    # Longer than it takes to hand a result over.
    time.sleep(0.2)
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_results_come_in_order_from_other_processes():
    tasks = [(str(number), (number,)) for number in range(5)]
    for jobs in (1, 2):
        assert list(in_processes(_work, tasks, jobs)) == [0, 1, 4, 9, 16]


def test_a_killed_worker_is_one_line_that_names_its_song_and_what_was_done_is_kept():
    done = []
    with pytest.raises(FxNormError, match=r"Song 5.*out of memory.*--jobs 1") as error:
        done.extend(in_processes(_work, [(f"Song {n}", (n,)) for n in range(9)], 2))
    assert "\n" not in str(error.value)
    assert done == [n * n for n in range(len(done))]


def test_nothing_is_left_in_shared_memory_when_all_are_killed():
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPERS], stderr=subprocess.DEVNULL, start_new_session=True
    ) as parent:
        while len(psutil.Process(parent.pid).children()) < 4:
            time.sleep(0.05)
        os.killpg(parent.pid, signal.SIGKILL)
    assert list(Path("/dev/shm").glob(f"joblib*_{parent.pid}_*")) == []


def _where():
    return os.getcwd()


def test_workers_that_are_there_already_follow_to_another_folder(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path.parent):
        monkeypatch.chdir(folder)
        assert set(in_processes(_where, [("a", ()), ("b", ())], 2)) == {str(folder)}


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(way):
    with subprocess.Popen([sys.executable, "-c", SLEEPERS], stderr=subprocess.DEVNULL) as parent:
        process = psutil.Process(parent.pid)
        while len(workers := process.children(recursive=True)) < 4:  # two, and two trackers
            time.sleep(0.05)
        parent.send_signal(way)
        parent.wait()
    assert psutil.wait_procs(workers, timeout=20)[1] == []


def test_an_interrupt_does_not_wait_for_threads():
    end, tasks = threading.Event(), []

    def interrupted():
        with in_threads(1) as pool:
            tasks.extend(pool.submit(end.wait) for _ in range(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [task.done() for task in tasks] == [False, True]
    end.set()
