"""The data set's average features, which stems are normalised to."""

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.signal

from fxnorm.errors import FxNormError
from fxnorm.normalization import released_features
from fxnorm.normalization.matching.equalization import N_FFT
from fxnorm.outputs import atomic_file
from fxnorm.stems import STEMS

BINS = N_FFT // 2 + 1
_VERSION = 1
_SHAPES = {"eq": (BINS,), "compression": (2,), "panning": (BINS,), "loudness": (1,)}
_EQ_SMOOTHING = {"vocals": 401, "other": 401, "bass": 151, "drums": 151}
_PANNING_SMOOTHING = 501


@dataclass(frozen=True)
class DatasetFeatures:
    """Averages over the training partition per stem type: the curves in use, smoothed twice.

    Attributes:
        eq: mean magnitude spectrum at -30 LUFS, (32,769,) float64, by stem type.
        compression: (mean, standard deviation) in dB of the strongest peaks at a peak of -10 dBFS.
        panning: mean phi, (32,769,) float64.
        loudness: integrated loudness in LUFS.
    """

    eq: dict[str, np.ndarray]
    compression: dict[str, tuple[float, float]]
    panning: dict[str, np.ndarray]
    loudness: dict[str, float]

    @property
    def stems(self) -> tuple[str, ...]:
        """Stem types that have features, in the project's order."""
        return tuple(stem for stem in STEMS if stem in self.loudness)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.npz` file (plain arrays, no pickles), whole or not at all."""
        arrays: dict[str, Any] = {
            f"{feature}/{stem}": np.atleast_1d(value)
            for feature in _SHAPES
            for stem, value in getattr(self, feature).items()
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
            FxNormError: missing, not a features file, of another version, or incomplete.
        """
        if not Path(path).is_file():
            raise FxNormError(f"{path}: no such features file; measure or import one first")
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except Exception as error:  # numpy and zipfile raise all kinds on other files.
            hint = "import released .npy features with `fxnorm features import`"
            raise FxNormError(f"{path}: not a features file (.npz); {hint}") from error
        version = arrays.pop("version", None)
        if version is None or version.shape != () or int(version) != _VERSION:
            raise FxNormError(
                f"{path}: not a features file of version {_VERSION}; measure the features again"
            )
        nested: dict[str, dict[str, Any]] = {feature: {} for feature in _SHAPES}
        for name, array in arrays.items():
            feature, _, stem = name.partition("/")
            nested.setdefault(feature, {})[stem] = array
        return cls._checked(nested, str(path))

    @classmethod
    def import_released(cls, path: str | os.PathLike[str]) -> Self:
        """Read the released `.npy` file, a pickled dictionary of once-smoothed features.

        Nothing in the file is executed: only dictionaries and numeric numpy arrays are accepted.
        The curves are smoothed a second time, as the released code does when it loads them.

        Raises:
            FxNormError: missing, holds anything else, or incomplete.
        """
        features = cls._checked(released_features.read(path), str(path))
        return cls(
            eq={stem: smooth_eq(curve, stem) for stem, curve in features.eq.items()},
            compression=features.compression,
            panning={stem: smooth_panning(curve) for stem, curve in features.panning.items()},
            loudness=features.loudness,
        )

    @classmethod
    def _checked(cls, nested: Mapping[str, Mapping[str, Any]], source: str) -> Self:
        if set(nested) != set(_SHAPES):
            raise FxNormError(
                f"{source}: holds features {sorted(nested)}; expected {sorted(_SHAPES)}"
            )
        stems = sorted(nested["loudness"])
        for feature, values in nested.items():
            if sorted(values) != stems or not stems or not set(stems) <= set(STEMS):
                raise FxNormError(
                    f"{source}: '{feature}' has stems {sorted(values)}; every feature must have the"
                    f" same ones, of {', '.join(STEMS)}"
                )
            for stem, value in values.items():
                array = np.asarray(value)
                if array.shape != _SHAPES[feature] or array.dtype.kind != "f":
                    raise FxNormError(
                        f"{source}: '{feature}' of {stem} has shape {array.shape} and type"
                        f" {array.dtype}; expected {_SHAPES[feature]} floats"
                    )
                if not np.isfinite(array).all():
                    raise FxNormError(f"{source}: '{feature}' of {stem} has values not finite")
        in_order = [stem for stem in STEMS if stem in stems]
        return cls(
            eq={s: np.asarray(nested["eq"][s], np.float64) for s in in_order},
            compression={
                s: (float(nested["compression"][s][0]), float(nested["compression"][s][1]))
                for s in in_order
            },
            panning={s: np.asarray(nested["panning"][s], np.float64) for s in in_order},
            loudness={s: float(nested["loudness"][s][0]) for s in in_order},
        )


def smooth_eq(curve: np.ndarray, stem: str) -> np.ndarray:
    """Moving-line smoothing of a mean spectrum; wider for vocals and other."""
    return _smooth(curve, _EQ_SMOOTHING[stem])


def smooth_panning(curve: np.ndarray) -> np.ndarray:
    """Moving-line smoothing of a mean phi."""
    return _smooth(curve, _PANNING_SMOOTHING)


def _smooth(curve: np.ndarray, window: int) -> np.ndarray:
    return scipy.signal.savgol_filter(np.asarray(curve, np.float64), window, 1, mode="mirror")
