"""The schema of params.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from fxnorm.configuration import Config
from fxnorm.data import DatasetConfig
from fxnorm.data.synthesis import SynthesisConfig
from fxnorm.errors import FxNormError
from fxnorm.evaluation import EvaluationConfig
from fxnorm.listening import ListeningConfig
from fxnorm.models import NetworkConfig
from fxnorm.normalization import NormalizationConfig
from fxnorm.reporting.page import PageConfig
from fxnorm.training import TrainingConfig


class SystemConfig(Config):
    """A network and how it is trained."""

    #: What tables and figures call it; empty for its key.
    name: str = ""
    network: NetworkConfig
    training: TrainingConfig


class OutputConfig(Config):
    """How normalised audio is stored."""

    #: PCM_16, PCM_24 or FLOAT.
    subtype: str = "PCM_16"


class ReportConfig(PageConfig):
    """What the report page shows."""

    #: Songs of each test set with players, first by name.
    songs: int = Field(4, ge=0)
    #: Draw the losses that the authors logged on MUSDB18 into the training curves.
    reference_curves: bool = False


class Params(Config):
    """All of params.yaml."""

    seed: int = Field(ge=0)
    synthesis: SynthesisConfig
    dataset: DatasetConfig
    normalization: NormalizationConfig
    output: OutputConfig
    pretraining: SystemConfig
    systems: dict[str, SystemConfig]
    evaluation: EvaluationConfig
    report: ReportConfig
    listening: ListeningConfig

    @model_validator(mode="after")
    def _has_one_pretraining(self) -> Self:
        if not _is_pretraining(self.pretraining):
            raise ValueError("pretraining.network: kind must be automix and pretraining true")
        for name, system in self.systems.items():
            if _is_pretraining(system):
                raise ValueError(f"systems.{name}.network.pretraining must be false")
        return self

    def system(self, name: str) -> SystemConfig:
        """One entry of `systems`.

        Raises:
            FxNormError: there is none of this name.
        """
        if name not in self.systems:
            known = ", ".join(self.systems)
            raise FxNormError(f"params.yaml: systems has no '{name}'; it has {known}")
        return self.systems[name]


def _is_pretraining(system: SystemConfig) -> bool:
    return getattr(system.network, "pretraining", False)


def load_params(path: str) -> Params:
    """Read and validate a params file.

    Raises:
        FxNormError: no such file, not YAML, or keys that are unknown, missing or wrong.
    """
    file = Path(path)
    if not file.is_file():
        raise FxNormError(f"{path}: no such file; run stages from the repository's root")
    try:
        data = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise FxNormError(f"{path}: not valid YAML: {reason}") from error
    if not isinstance(data, dict):
        raise FxNormError(f"{path}: holds no sections")
    return Params.parse(data, path)


def select(params: Params, keys: Sequence[str]) -> dict[str, Any]:
    """The parts of `params` that dotted keys name, nested as they were, as plain data.

    Raises:
        FxNormError: a key that is not there.
    """
    everything = params.model_dump(mode="json")
    chosen: dict[str, Any] = {}
    for key in keys:
        source, target = everything, chosen
        *parents, last = key.split(".")
        for part in parents:
            source, target = source.get(part, {}), target.setdefault(part, {})
        if last not in source:
            raise FxNormError(f"params.yaml: '{key}' is missing")
        target[last] = source[last]
    return chosen
