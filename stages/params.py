"""The schema of params.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fxnorm.configuration import Config
from fxnorm.data import DatasetConfig
from fxnorm.data.synthesis import SynthesisConfig
from fxnorm.documents import read_yaml
from fxnorm.errors import FxNormError
from fxnorm.evaluation import EvaluationConfig
from fxnorm.evaluation.evaluation_config import DRY_SUM, NORMALIZED_SUM
from fxnorm.listening import ListeningConfig
from fxnorm.listening.answer_key import ANCHORS, REFERENCE
from fxnorm.listening.listening_config import HUMAN_MIX
from fxnorm.models import AutomixConfig, NetworkConfig
from fxnorm.normalization import NormalizationConfig
from fxnorm.reporting.names import BASELINE_NAMES, HUMAN
from fxnorm.reporting.page import PageConfig
from fxnorm.stems import StemTable
from fxnorm.training import LossConfig, TrainingConfig
from fxnorm.training.training_config import LossKind
from stages.places import PRETRAINED

NAME = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$")]
#: Folders of `models` and `reports` that belong to no system, and what a listening test has beside
#: the systems' mixes.
RESERVED = (PRETRAINED, NORMALIZED_SUM, DRY_SUM, HUMAN_MIX, REFERENCE, *ANCHORS)


class SharedTraining(TrainingConfig):
    """What all systems' trainings start from."""

    seed: int | None = Field(default=None, ge=0)
    """Of weights and training examples; null for the one seed of everything."""


class SystemLoss(LossConfig):
    """The loss a system is trained on, which it must name."""

    kind: LossKind
    """See `LossConfig`."""


class SystemTraining(SharedTraining):
    """How one system is trained, the shared settings included."""

    learning_rate: float = Field(ge=0.0)
    """See `TrainingConfig`."""
    loss: SystemLoss
    """See `LossConfig`."""


class SystemConfig(Config):
    """A network and how it is trained."""

    name: str
    """What tables and figures call it."""
    network: NetworkConfig
    """The shared one of its kind with the system's own sizes."""
    training: SystemTraining
    """The shared settings with the system's own."""

    @model_validator(mode="after")
    def _can_be_widened(self) -> Self:
        if self.training.calibrate_width and self.network.is_pretraining:
            raise ValueError("training.calibrate_width is for networks that mix")
        return self


class OutputConfig(Config):
    """How normalised audio is stored."""

    subtype: Literal["PCM_16", "PCM_24", "FLOAT"] = "PCM_16"
    """Sample format of the WAV files."""


class ReportConfig(PageConfig):
    """What the report page shows."""

    songs: int = Field(4, ge=0)
    """Songs of each test set with players, first by name."""
    reference_curves: bool = False
    """Draw the losses that the authors logged on MUSDB18 into the training curves."""
    same_songs: bool = False
    """Whether the wet test set is MUSDB18's, as in the paper's table."""


class SharedConfig(Config):
    """The sections that systems start from."""

    networks: dict[str, NetworkConfig]
    """By kind."""
    training: SharedTraining


class Params(SharedConfig):
    """All of params.yaml, with the shared sections merged into those that start from them."""

    seed: int = Field(ge=0)
    """All random draws derive from it and from what they are for."""
    synthesis: SynthesisConfig
    dataset: DatasetConfig
    stems: StemTable
    normalization: NormalizationConfig
    output: OutputConfig
    pretraining: SystemConfig
    systems: dict[NAME, SystemConfig]
    evaluation: EvaluationConfig
    report: ReportConfig
    listening: ListeningConfig

    @model_validator(mode="after")
    def _has_one_pretraining(self) -> Self:
        if not self.pretraining.network.is_pretraining:
            raise ValueError("pretraining.network: kind must be automix and pretraining true")
        for key, system in self.systems.items():
            if key in RESERVED:
                raise ValueError(f"systems.{key}: this name is taken; use another one")
            if system.network.is_pretraining:
                raise ValueError(f"systems.{key}.network.pretraining must be false")
        return self

    @model_validator(mode="after")
    def _has_front_ends_that_fit(self) -> Self:
        pretrained = self.pretraining.network
        for key, system in self.systems.items():
            own = system.network
            if system.training.front_end is None or not isinstance(own, AutomixConfig):
                continue
            for size in ("filters", "kernel"):
                if getattr(own, size) != getattr(pretrained, size):
                    raise ValueError(
                        f"systems.{key}.network.{size}: the pretrained front end has"
                        f" {getattr(pretrained, size)}; give it as many, change both under"
                        f" networks.automix, or leave systems.{key}.training.front_end empty"
                    )
        return self

    @model_validator(mode="after")
    def _has_names_that_tell_systems_apart(self) -> Self:
        shown = [HUMAN, *BASELINE_NAMES.values(), *self.names.values()]
        for key, system in reversed(self.systems.items()):
            if shown.count(system.name) > 1:
                raise ValueError(f"systems.{key}.name: '{system.name}' is taken; use another one")
        baselines = (NORMALIZED_SUM, DRY_SUM, *self.systems)
        if self.evaluation.baseline not in baselines:
            known = ", ".join(baselines)
            raise ValueError(f"evaluation.baseline: none of the systems; use one of {known}")
        return self

    @model_validator(mode="after")
    def _has_roots_that_dvc_can_name(self) -> Self:
        for root in self.dataset.extra_roots:
            # DVC breaks the lines of its lock file at spaces in a stage's name, and hands the name
            # to a shell.
            if any(character.isspace() for character in str(root)):
                raise ValueError(f"dataset.extra_roots: '{root}' has a space; link to it without")
            if root.startswith("-") or any(character in '"$`\\@' for character in root):
                raise ValueError(
                    f"dataset.extra_roots: '{root}' begins with a dash or has one of \"$`\\@, which"
                    " shells or DVC act upon; link to it without"
                )
            # Its list would lie outside the folder of the lists, on which other stages depend.
            if not root or ".." in Path(root).parts:
                raise ValueError(
                    f"dataset.extra_roots: '{root}' leads out of the checkout; give its absolute"
                    " path"
                )
        return self

    @property
    def names(self) -> dict[str, str]:
        """Display names of the trained networks."""
        own = {key: system.name for key, system in self.systems.items()}
        return own | {PRETRAINED: self.pretraining.name}

    def system(self, name: str) -> SystemConfig:
        """One entry of `systems`.

        Raises:
            FxNormError: there is none of this name.
        """
        if name not in self.systems:
            known = ", ".join(self.systems)
            raise FxNormError(f"params.yaml: systems has no '{name}'; it has {known}")
        return self.systems[name]


def load_params(path: str) -> Params:
    """Read a params file, merge its shared sections into the systems, and validate it.

    Raises:
        FxNormError: no such file, not YAML, or keys that are unknown, missing or wrong.
    """
    data = _read(path)
    stems = data.get("stems")
    networks = {
        kind: {"kind": kind} | sizes if isinstance(sizes, dict) else sizes
        for kind, sizes in _section(data, "networks").items()
    }
    shared = {"networks": networks, "training": data.get("training", {})}
    # Once here, so that a wrong value in them is not reported once per system.
    SharedConfig.parse(shared, path)
    _refuse_inner_stems(data, path)
    count = {"stems": len(stems)} if isinstance(stems, Mapping) else {}
    shared["networks"] = {kind: sizes | count for kind, sizes in networks.items()}
    merged = data | shared
    if "normalization" in data:
        merged["normalization"] = _merge({"stems": stems}, data["normalization"])
    if "pretraining" in data:
        merged["pretraining"] = _with_shared(data["pretraining"], shared)
    if "systems" in data:
        systems = _section(data, "systems")
        merged["systems"] = {key: _with_shared(own, shared) for key, own in systems.items()}
    return Params.parse(merged, path)


def _read(path: str) -> dict[str, Any]:
    data = read_yaml(path, "run stages from the repository's root, with its params.yaml")
    if not isinstance(data, dict):
        raise FxNormError(f"{path}: holds no sections")
    return data


def _section(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = data.get(name)
    return section if isinstance(section, dict) else {}


def _refuse_inner_stems(data: Mapping[str, Any], path: str) -> None:
    """Stem types are named once; other places where the schema has them are filled from there."""
    places = {"normalization": data.get("normalization")}
    places |= {f"networks.{kind}": sizes for kind, sizes in _section(data, "networks").items()}
    systems = {"pretraining": data.get("pretraining")}
    systems |= {f"systems.{key}": own for key, own in _section(data, "systems").items()}
    for key, own in systems.items():
        if isinstance(own, Mapping):
            places[f"{key}.network"] = own.get("network")
    for key, section in places.items():
        if isinstance(section, Mapping) and "stems" in section:
            raise FxNormError(f"{path}: key '{key}.stems': give stem types in the section 'stems'")


def _with_shared(system: Any, shared: Mapping[str, Any]) -> Any:
    """A system's own settings on top of the shared ones of its kind of network."""
    if not isinstance(system, Mapping):
        return system
    merged = dict(system)
    network = system.get("network")
    if isinstance(network, Mapping):
        kind = network.get("kind")
        below = shared["networks"].get(kind, {}) if isinstance(kind, str) else {}
        merged["network"] = _merge(below, network)
    merged["training"] = _merge(shared["training"], system.get("training", {}))
    return merged


def _merge(below: Any, above: Any) -> Any:
    """`above` on top of `below`: mappings key by key, everything else as a whole."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    both = {key: _merge(below[key], above[key]) for key in below.keys() & above.keys()}
    return dict(below) | dict(above) | both


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
