"""Models in MLflow's registry: stems in, mix out, loaded with `mlflow.pyfunc` or served."""

import importlib.metadata
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import fxnorm
from fxnorm import audio
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.digests import digest
from fxnorm.errors import FxNormError
from fxnorm.models import MixerConfig, load_settings
from fxnorm.normalization import load_impulse_responses
from fxnorm.scratch import temporary_folder
from fxnorm.seeds import generator
from fxnorm.tracking.store import MODEL_DIGEST, Store, reason, training_run

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

_CODE = Path(__file__).with_name("served_mixer.py")
#: What serving needs beside the plain dependencies.
_SERVING = ("mlflow", "filelock", "pandas")
_EXAMPLE_S = 1.0


class RegisteredModel(NamedTuple):
    """A version in the registry."""

    name: str
    version: int
    system: str
    run_id: str
    """Of the training, or a new one for a model that was not trained into this store."""


def register_model(
    folder: str | os.PathLike[str],
    store: Store,
    *,
    name: str,
    alias: str | None,
    impulse_responses: str | os.PathLike[str] | None,
) -> RegisteredModel:
    """Log a model folder in the run that trained it and register it as a new version.

    The logged model holds the folder, the code of this package and the versions of what it needs.

    Args:
        folder: model folder.
        store: where to register.
        name: of the registered model, whose versions may be of different systems.
        alias: name to give to this version and take from any other, such as "champion"; None for
            none.
        impulse_responses: folder of rooms for networks that were trained on reverberated stems;
            None for none.

    Raises:
        FxNormError: the folder is no model, rooms for one without a reverb, an unusable name or
            alias, or a store that fails.
    """
    config, _ = load_settings(folder)
    if impulse_responses is not None:
        load_impulse_responses(impulse_responses)
        if not config.normalization.needs("impulse_responses"):
            raise FxNormError(
                f"{folder}: the model applies no reverb; leave --impulse-responses out"
            )
    model_digest = digest(Path(folder).resolve())
    with _registration_explained(store):
        run_id = training_run(store, model_digest) or _new_run(store, config, model_digest)
        version = _log(Path(folder), store, config, run_id, name, impulse_responses)
        for key, value in (("system", config.system), (MODEL_DIGEST, model_digest)):
            store.client.set_model_version_tag(name, str(version), key, value)
        if alias is not None:
            store.client.set_registered_model_alias(name, alias, str(version))
    return RegisteredModel(name, version, config.system, run_id)


def example_song(stems: Sequence[str]) -> "pd.DataFrame":
    """One row of stems, a second of decaying tones each, as the served mixer takes them."""
    import pandas as pd

    time_s = np.arange(round(_EXAMPLE_S * SAMPLE_RATE)) / SAMPLE_RATE
    row = {}
    with temporary_folder() as scratch:
        for stem in stems:
            draws = generator(0, "example song", stem)
            tone = np.sin(2.0 * np.pi * draws.uniform(80.0, 800.0) * time_s)
            noise = draws.uniform(-0.02, 0.02, (time_s.size, 2))
            decay = np.exp(-8.0 * (time_s % 0.25))
            path = scratch / f"{stem}.flac"
            audio.write(path, (0.3 * tone * decay)[:, None] + noise, SAMPLE_RATE)
            row[stem] = path.read_bytes()
    return pd.DataFrame([row])


def requirements() -> list[str]:
    """What serving needs, in the versions that are installed here, as PyPI calls them."""
    own = importlib.metadata.requires("fxnorm") or []
    plain = [re.match(r"[\w.-]+", line)[0] for line in own if "extra ==" not in line]  # type: ignore[index]
    # A build for one kind of machine, such as torch's "+cpu", is on other indexes only.
    versions = {
        name: importlib.metadata.version(name).partition("+")[0] for name in (*plain, *_SERVING)
    }
    return [f"{name}=={version}" for name, version in versions.items()]


def _log(
    folder: Path,
    store: Store,
    config: MixerConfig,
    run_id: str,
    name: str,
    impulse_responses: str | os.PathLike[str] | None,
) -> int:
    import mlflow
    from mlflow.models import Model

    artifacts = {"model": str(folder)}
    if impulse_responses is not None:
        artifacts["impulse_responses"] = str(impulse_responses)
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    # What is logged belongs to MLflow's current experiment, also where a run is named.
    mlflow.set_experiment(experiment_id=store.experiment_id)
    logged = Model.log(
        artifact_path=None,
        name=config.system,
        flavor=mlflow.pyfunc,
        run_id=run_id,
        registered_model_name=name,
        python_model=str(_CODE),
        code_paths=[str(Path(fxnorm.__file__).parent)],
        artifacts=artifacts,
        signature=_signature(config.stems),
        input_example=example_song(config.stems),
        pip_requirements=requirements(),
    )
    return int(logged.registered_model_version)


def _signature(stems: Sequence[str]) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec(DataType.binary, stem, required=False) for stem in stems]),
        outputs=Schema([ColSpec(DataType.binary, "mix"), ColSpec(DataType.string, "warnings")]),
        params=ParamSchema([ParamSpec("seed", DataType.long, 0)]),
    )


def _new_run(store: Store, config: MixerConfig, model_digest: str) -> str:
    tags = {"system": config.system, MODEL_DIGEST: model_digest}
    run = store.client.create_run(
        store.experiment_id, tags=tags, run_name=f"register/{config.system}"
    )
    store.client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


@contextmanager
def _registration_explained(store: Store) -> Iterator[None]:
    """One line for whatever MLflow raises, and none of what it prints."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    except FxNormError:
        raise
    except Exception as error:
        raise FxNormError(f"{store.uri}: the model is not registered: {reason(error)}") from error
