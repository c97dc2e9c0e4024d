import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from mlflow.exceptions import MlflowException
from tiny_model import TINY, plain_features

from fxnorm.audio import write
from fxnorm.cli import main
from fxnorm.conventions import STEMS
from fxnorm.digests import digest
from fxnorm.mixing import mix
from fxnorm.models import AutomixConfig, MixerConfig, build, save
from fxnorm.normalization import NormalizationConfig
from fxnorm.tracking import MODEL_DIGEST, open_store

RATE = 44_100


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder with a model, one run that trained it, and the model registered as champion."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    torch.manual_seed(1)
    config = MixerConfig(system="tiny", network=AutomixConfig(**TINY))
    save(folder / "models/tiny", build(config.network), plain_features(), config)
    store = open_store(folder, None)
    tags = {"dvc.stage": "train@tiny", MODEL_DIGEST: digest(folder / "models/tiny")}
    run = store.client.create_run(store.experiment_id, tags=tags)
    store.client.log_metric(run.info.run_id, "dry/mean", 12.5)
    store.client.set_terminated(run.info.run_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder / "models")
        assert main(["register", "tiny", "--alias", "champion"]) == 0
    yield folder
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Two seconds of every stem but the bass, by stem type, and as files."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("song")
    envelope = np.exp(-4.0 * (np.arange(2 * RATE) / RATE % 0.5))[:, None]
    stems = {}
    for stem in STEMS:
        if stem != "bass":
            audio = rng.uniform(-0.3, 0.3, (2 * RATE, 2)) * envelope
            write(folder / f"{stem}.flac", audio, RATE)
            stems[stem] = (np.rint(audio * 32_768.0) / 32_768.0).astype(np.float32)
    return folder, stems


def _decode(data):
    audio, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == RATE
    return audio


def test_a_registered_version_belongs_to_the_run_that_trained_it(checkout):
    client = open_store(checkout, None).client
    version = client.get_model_version_by_alias("fxnorm", "champion")
    assert version.tags == {"system": "tiny", MODEL_DIGEST: digest(checkout / "models/tiny")}
    run = client.get_run(version.run_id)
    assert run.data.tags["dvc.stage"] == "train@tiny"
    assert run.data.metrics["dry/mean"] == 12.5
    assert run.info.status == "FINISHED"
    # The model is in the project's experiment, beside the database, and nowhere else.
    (model,) = client.search_logged_models([run.info.experiment_id])
    assert model.source_run_id == version.run_id
    assert f"{checkout}/mlartifacts/" in model.artifact_location
    assert sorted(path.name for path in (checkout / "models").iterdir()) == ["tiny"]


def test_a_loaded_model_mixes_like_the_library(checkout, song):
    folder, stems = song
    mlflow.set_tracking_uri(open_store(checkout, None).uri)
    model = mlflow.pyfunc.load_model("models:/fxnorm@champion")
    row = {path.stem: path.read_bytes() for path in folder.iterdir()}
    mixed = model.predict(pd.DataFrame([row]))
    expected = mix(stems, RATE, checkout / "models/tiny")
    np.testing.assert_allclose(_decode(mixed["mix"][0]), expected, atol=2**-22)
    # MLflow leaves out columns that the signature does not have; without it, they are no paths.
    with pytest.raises(MlflowException, match=r"unknown stem '\.\./vocals'"):
        model.unwrap_python_model().predict(None, pd.DataFrame([{"../vocals": b""}]))


def test_a_logged_model_says_what_it_takes_and_holds_what_it_needs(checkout):
    mlflow.set_tracking_uri(open_store(checkout, None).uri)
    info = mlflow.models.get_model_info("models:/fxnorm@champion")
    assert info.signature.inputs.input_names() == list(STEMS)
    assert info.signature.outputs.input_names() == ["mix", "warnings"]
    folder = Path(mlflow.artifacts.download_artifacts("models:/fxnorm@champion"))
    assert (folder / "code/fxnorm/tracking/served_mixer.py").is_file()
    assert digest(folder / "artifacts/tiny") == digest(checkout / "models/tiny")
    needed = (folder / "requirements.txt").read_text().split()
    assert {
        f"torch=={torch.__version__.partition('+')[0]}",
        f"mlflow=={mlflow.__version__}",
    } <= set(needed)
    example = json.loads((folder / "serving_input_example.json").read_text())
    assert set(example["dataframe_split"]["columns"]) == set(STEMS)


@pytest.fixture(scope="module")
def server(checkout):
    """The address of `mlflow models serve` in an environment that has no other fxnorm."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"MLFLOW_TRACKING_URI": f"sqlite:///{checkout}/mlflow.db"}
    environment |= {"MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "600"}  # of a busy machine
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve"]
    options = ["-m", "models:/fxnorm@champion", "--env-manager", "local", "-p", str(port)]
    process = subprocess.Popen(
        [*command, *options],
        cwd=checkout,
        env=environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/ping").close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _post(address, body):
    request = urllib.request.Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["predictions"]


def test_a_server_mixes_a_song(checkout, song, server):
    folder, stems = song
    row = {path.stem: base64.b64encode(path.read_bytes()).decode() for path in folder.iterdir()}
    (answer,) = _post(server, {"dataframe_records": [row]})
    expected = mix(stems, RATE, checkout / "models/tiny")
    np.testing.assert_allclose(_decode(base64.b64decode(answer["mix"])), expected, atol=2**-22)


def test_a_server_says_what_is_wrong_with_a_stem(server):
    row = {"vocals": base64.b64encode(b"no audio").decode()}
    with pytest.raises(urllib.error.HTTPError) as caught:
        _post(server, {"dataframe_records": [row]})
    assert caught.value.code == 400
    assert "Error: vocals: not readable as audio" in json.load(caught.value)["message"]


def test_a_model_from_elsewhere_gets_a_run_and_a_missing_one_is_named(
    checkout, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    assert main(["register", str(checkout / "models/tiny"), "--name", "mine", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["uri"], made["system"]) == ("models:/mine/1", "tiny")
    client = open_store(tmp_path, f"sqlite:///{tmp_path}/other.db").client
    assert client.get_run(made["run_id"]).info.run_name == "register/tiny"

    assert main(["register", "absent"]) == 2
    assert capsys.readouterr().err.startswith("fxnorm: absent: ")


def test_rooms_for_a_model_without_a_reverb_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    settings = NormalizationConfig(effects=("eq", "loudness"))
    config = MixerConfig(system="dry", network=AutomixConfig(**TINY), normalization=settings)
    save(tmp_path / "dry", build(config.network), plain_features(), config)
    write(tmp_path / "rooms" / "a" / "impulse_response.wav", np.eye(2)[[0] * 9], RATE)
    assert main(["register", "dry", "--impulse-responses", "rooms"]) == 2
    assert "dry: the model applies no reverb; leave" in capsys.readouterr().err


def test_a_store_that_fails_is_one_line(checkout, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    assert main(["register", str(checkout / "models/tiny")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fxnorm: MLflow's store: HTTPConnection(host='127.0.0.1', port={port})")
    assert line.endswith("; check MLFLOW_TRACKING_URI")
