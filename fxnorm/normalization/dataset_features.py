"""The data set's average features, which stems are normalised to."""

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from fxnorm.errors import FxNormError
from fxnorm.normalization import released_features
from fxnorm.normalization.effect_table import measured_features
from fxnorm.normalization.normalization_config import NormalizationConfig
from fxnorm.outputs import atomic_file
from fxnorm.stems import checked_stem_name, in_order

_VERSION = 1
_LARGEST_BYTES = 2**28


class DatasetFeatures:
    """Averages over the training partition by effect and stem type: what stems are matched to.

    Attributes:
        references: effect → stem type → reference (see `Feature`), float64. Curves are those in
            use, smoothed twice.
    """

    def __init__(self, **references: Mapping[str, Any]) -> None:
        """Take the references of each effect by stem type: arrays, tuples or numbers."""
        self.references: dict[str, dict[str, np.ndarray]] = {
            effect: {
                stem: np.atleast_1d(np.asarray(stems[stem], np.float64)) for stem in in_order(stems)
            }
            for effect, stems in references.items()
        }

    @property
    def stems(self) -> tuple[str, ...]:
        """Stem types that have all features, in the project's order."""
        names = [set(stems) for stems in self.references.values()]
        return in_order(set.intersection(*names)) if names else ()

    @property
    def eq(self) -> dict[str, np.ndarray]:
        """Mean magnitude spectrum at -30 LUFS, (32,769,), by stem type."""
        return self.references["eq"]

    @property
    def compression(self) -> dict[str, tuple[float, float]]:
        """(mean, standard deviation) in dB of the strongest peaks at a peak of -10 dBFS."""
        pairs = self.references["compression"].items()
        return {stem: (float(mean), float(deviation)) for stem, (mean, deviation) in pairs}

    @property
    def panning(self) -> dict[str, np.ndarray]:
        """Mean phi, (32,769,)."""
        return self.references["panning"]

    @property
    def loudness(self) -> dict[str, float]:
        """Integrated loudness in LUFS."""
        return {stem: float(value[0]) for stem, value in self.references["loudness"].items()}

    def numbers(self) -> dict[str, dict[str, float]]:
        """The features of each stem type in a few numbers, whose names end in their units."""
        shown = [(name, f) for name, f in measured_features().items() if name in self.references]
        return {
            stem: {
                key: value
                for name, feature in shown
                for key, value in feature.numbers(self.references[name][stem]).items()
            }
            for stem in self.stems
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.npz` file (plain arrays, no pickles), whole or not at all."""
        arrays: dict[str, Any] = {
            f"{effect}/{stem}": reference
            for effect, stems in self.references.items()
            for stem, reference in stems.items()
        }
        if Path(path).suffix != ".npz":
            raise FxNormError(f"{path}: features files end in .npz; choose such a name")
        with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            arrays["version"] = np.int64(_VERSION)
            for name, array in sorted(arrays.items()):
                # A fixed date keeps the bytes a function of the features alone.
                member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                with archive.open(member, "w") as stream:
                    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file written by `save`.

        Raises:
            FxNormError: missing, not a features file, of another version, with names that no stem
                types have, features that not all of them have, or values beyond their limits.
        """
        if not Path(path).is_file():
            raise FxNormError(f"{path}: no such features file; measure or import one first")
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > _LARGEST_BYTES:
                    raise FxNormError(f"{path}: too large for a features file; refused")
            # numpy warns of headers that it takes though they are none of ours.
            with (
                warnings.catch_warnings(action="error"),
                np.load(path, allow_pickle=False) as loaded,
            ):
                arrays = {name: np.asarray(loaded[name]) for name in loaded.files}
        except FxNormError:
            raise
        except OSError as error:
            raise FxNormError(f"{path}: can't be read ({error.strerror or error})") from error
        except Exception as error:  # numpy and zipfile raise all kinds on other files.
            hint = "import released .npy features with `fxnorm features import`"
            raise FxNormError(f"{path}: not a features file (.npz); {hint}") from error
        version = arrays.pop("version", None)
        if version is None or version.shape != () or version.tolist() != _VERSION:
            raise FxNormError(
                f"{path}: not a features file of version {_VERSION}; measure the features again"
            )
        nested: dict[str, dict[str, Any]] = {}
        for name, array in arrays.items():
            effect, _, stem = name.partition("/")
            nested.setdefault(effect, {})[stem] = array
        return cls._checked(nested, str(path))

    @classmethod
    def import_released(cls, path: str | os.PathLike[str]) -> Self:
        """Read the released `.npy` file, a pickled dictionary of once-smoothed features.

        Nothing in the file is executed: only dictionaries and numeric numpy arrays are accepted.
        The curves are smoothed a second time, as the released code does when it loads them.

        Raises:
            FxNormError: missing, holds anything else, or incomplete.
        """
        loaded = cls._checked(released_features.read(path), str(path))
        return cls(**smoothed(loaded.references, NormalizationConfig()))

    @classmethod
    def _checked(cls, nested: Mapping[str, Mapping[str, Any]], source: str) -> Self:
        known = measured_features()
        if not nested or not set(nested) <= set(known):
            raise FxNormError(f"{source}: holds features {sorted(nested)}; expected {[*known]}")
        stems = set.union(*(set(arrays) for arrays in nested.values()))
        for stem in stems:
            try:
                checked_stem_name(stem)
            except ValueError as error:
                raise FxNormError(f"{source}: {error}") from error
        for name, arrays in nested.items():
            if set(arrays) != stems:
                raise FxNormError(
                    f"{source}: '{name}' has stems {sorted(arrays)}; every feature must have the"
                    f" same ones, here {', '.join(in_order(stems))}"
                )
            for stem, array in arrays.items():
                if array.shape != known[name].shape or array.dtype.kind != "f":
                    raise FxNormError(
                        f"{source}: '{name}' of {stem} has shape {array.shape} and type"
                        f" {array.dtype}; expected {known[name].shape} floats"
                    )
                low, high = known[name].limits
                values = array.astype(np.longdouble)  # Which holds all that floats of any size do.
                if not ((values >= low) & (values <= high)).all():
                    raise FxNormError(
                        f"{source}: '{name}' of {stem} has values that are not finite or not from"
                        f" {low:g} to {high:g}; measure the features again"
                    )
        return cls(**{name: nested[name] for name in known if name in nested})


def smoothed(
    averages: Mapping[str, Mapping[str, np.ndarray]], config: NormalizationConfig
) -> dict[str, dict[str, np.ndarray]]:
    """Averages by effect and stem type, smoothed once as each effect has it."""
    features = measured_features()
    return {
        name: {
            stem: features[name].smooth(average, config.stem_type(stem))
            for stem, average in stems.items()
        }
        for name, stems in averages.items()
    }
