"""Work on a Dask cluster: two processes of this machine that share its disk with this one."""

import gc
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from normalization_fixtures import make_songs, reference_features

from fxnorm import workers
from fxnorm.cli import main
from fxnorm.data import find_songs
from fxnorm.errors import FxNormError
from fxnorm.evaluation import SongMix, evaluate_mixes
from fxnorm.mixing import mix_songs
from fxnorm.models import AutomixConfig, LoadedModel, MixerConfig, build
from fxnorm.normalization import (
    FxNormalizer,
    ImpulseResponse,
    feature_measurement,
    normalize_dataset,
)
from fxnorm.workers import in_processes, on_cluster

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

PAGE = Path(__file__).parents[1] / "docs/scaling.md"


@pytest.fixture(scope="module")
def cluster():
    """A scheduler in this process, and two workers under nannies that start them anew."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as it:
        yield it


@pytest.fixture
def results(cluster):
    """Sizes of the results that workers tell the scheduler of, as they come."""

    class Results(distributed.diagnostics.plugin.SchedulerPlugin):
        sizes: list[int] = []

        def transition(self, key, start, finish, *args, nbytes=None, **kwargs):
            if finish == "memory":
                self.sizes.append(nbytes)

    plugin = Results()
    cluster.scheduler.add_plugin(plugin, name="results")
    yield plugin.sizes
    cluster.scheduler.remove_plugin("results")


def _files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _work_through(folder, songs):
    """Features, normalised stems, mixes and scores of songs, as files of a folder."""
    features = ("features", "measure", songs, "-o", folder / "features.npz", "--jobs", 1)
    assert main([str(word) for word in features]) == 0
    rng = np.random.default_rng(0)
    rooms = [ImpulseResponse(f"room {k}", rng.standard_normal((500, 2)) * 0.05) for k in range(2)]
    normalizer = FxNormalizer(reference_features(), impulse_responses=rooms)
    found = find_songs(songs).songs
    normalize_dataset(found, folder / "normalized", normalizer, seed=3, jobs=1)
    mixes = mix_songs(found, folder / "mixes" / "sum", None, jobs=2)
    sizes = {"filters": 8, "bottleneck": 8, "skip": 8, "hidden": 8, "blocks": 2, "repeats": 1}
    config = MixerConfig(system="tiny", network=AutomixConfig(**sizes))
    model = LoadedModel(build(config.network).eval(), reference_features(), config)
    for parameter in model.net.parameters():
        parameter.data.fill_(0.01)
    mix_songs(found, folder / "mixes" / "tiny", model, jobs=2)
    pairs = [SongMix("wet", song.name, mixes[song.name], song.mixture) for song in found]
    evaluate_mixes("sum", pairs, jobs=2).to_csv(folder / "scores.csv")
    for song in found:
        target = folder / "human" / f"{song.name}.wav"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(song.mixture.read_bytes())
    words = ("--target", folder / "human", "--mixes", folder / "mixes", "-o", folder / "all.csv")
    assert main(["score", *map(str, words)]) == 0


def test_a_cluster_gives_the_same_bytes_and_gets_no_audio(
    tmp_path, monkeypatch, capsys, cluster, results
):
    make_songs(tmp_path / "songs", seconds=1.0)
    _work_through(tmp_path / "here", tmp_path / "songs")
    assert results == []
    monkeypatch.setenv("FXNORM_DASK", cluster.scheduler_address)
    with on_cluster(cluster.scheduler_address):
        _work_through(tmp_path / "there", tmp_path / "songs")
    here, there = (_files(tmp_path / name) for name in ("here", "there"))
    assert here == there
    assert len(here) == 17
    assert len(results) >= 40
    # A second of a stem is 176 KB.
    assert max(results) < 44_100
    with (
        on_cluster(cluster.scheduler_address),
        pytest.raises(FxNormError, match="a song: a cluster takes files"),
    ):
        list(in_processes(np.sum, [("a song", (np.zeros(44_100),))], 2))


def test_the_commands_of_the_page_work(tmp_path, monkeypatch, cluster):
    make_songs(tmp_path / "songs", seconds=1.5)
    (tmp_path / "human").mkdir()
    for song in (tmp_path / "songs").iterdir():
        (tmp_path / "human" / f"{song.name}.wav").hardlink_to(song / "mixture.wav")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^fxnorm .*$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        *words, _ = command.split()[1:]
        assert main([*words, cluster.scheduler_address]) == 0
    assert all((tmp_path / name).exists() for name in ("features.npz", "mixes/mine", "scores.csv"))


def _step_and_die(task, *arguments):
    """Do the step; the first of a song's to be done takes its worker with it."""
    done = feature_measurement._measuring_step(task, *arguments)
    died = task.files.with_name("died")
    if not died.exists():
        died.touch()
        _die()
    return done


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_dead_worker_is_replaced_and_its_songs_are_done_again(tmp_path, monkeypatch, cluster):
    """It dies after it has written its files: done once more, they are the same."""
    songs = make_songs(tmp_path / "songs", seconds=1.0)[:1]
    feature_measurement.measure_features(songs, jobs=1).save(tmp_path / "here.npz")

    def deadly(function, tasks, jobs):
        assert function is feature_measurement._measuring_step
        return in_processes(_step_and_die, tasks, jobs)

    monkeypatch.setattr(feature_measurement, "in_processes", deadly)
    before = {nanny.pid for nanny in cluster.workers.values()}
    with on_cluster(cluster.scheduler_address):
        feature_measurement.measure_features(songs).save(tmp_path / "there.npz")
        cluster.wait_for_workers(2)
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "there.npz").read_bytes()
    after = {nanny.pid for nanny in cluster.workers.values()}
    assert (len(after), len(after - before)) == (2, 1)


def test_what_kills_its_workers_is_named(cluster, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    with (
        on_cluster(cluster.scheduler_address),
        pytest.raises(FxNormError, match=r"^Song 1: killed every worker.*out of memory"),
    ):
        list(in_processes(_die, [("Song 1", ())], 2))


def _answer(server, words):
    connection = server.accept()[0]
    connection.sendall(words)
    connection.recv(1000)
    connection.close()


def test_a_scheduler_that_ends_is_told_in_one_line(caplog):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        with on_cluster(address):
            work = in_processes(time.sleep, [("a", (0,)), ("b", (20,))], 1)
            next(work)
            cluster.close()
            with pytest.raises(FxNormError, match=f"^{address}: the Dask scheduler has ended"):
                next(work)
    assert not [record for record in caplog.records if record.name == "distributed.client"]


def test_a_cluster_that_cannot_be_used_is_told_in_one_line(tmp_path):
    def refused(address):
        with on_cluster(address), pytest.raises(FxNormError) as error:
            list(in_processes(os.getpid, [("a", ())], 1))
        # One that is closed when it is collected may stop everything.
        clients = [thing for thing in gc.get_objects() if type(thing) is distributed.Client]
        assert all(client.status == "closed" for client in clients)
        assert "\n" not in str(error.value)
        return str(error.value)

    with dask.config.set({"distributed.comm.timeouts.connect": "100ms"}):
        # Nothing listens at the discard port.
        assert "127.0.0.1:9: no Dask scheduler answers" in refused("tcp://127.0.0.1:9")
    # The last one is known to Dask, which has no certificates for it.
    for address in ("nonsense://", "tls://127.0.0.1:9"):
        assert "no Dask scheduler answers" in refused(address)
    # What Dask takes for sizes: of exbibytes, and of fewer bytes than a message has.
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05" + bytes(7) + b"hello"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=_answer, args=(server, answer), daemon=True).start()
            address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
            assert f"{address}: no Dask scheduler answers" in refused(address)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as threaded:
        assert "start them with --nthreads 1" in refused(threaded.scheduler_address)
    with pytest.raises(FxNormError, match="runs another version of fxnorm; start it anew"):
        workers._call_on_cluster(os.getcwd(), "0123456789abcdef", b"")
    with pytest.raises(FxNormError, match=f"has no {tmp_path}/gone; mount it"):
        workers._call_on_cluster(f"{tmp_path}/gone", workers._code(), b"")
