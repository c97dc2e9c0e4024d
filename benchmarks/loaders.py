"""Everything that reads files which may come from strangers, and how such files are damaged.

`tests/test_loaders.py` tries a few hundred files for each loader, `python -m benchmarks.faults`
thousands. With atheris, which follows the branches that an input takes, by hand:

    python -m benchmarks.loaders ratings_json -max_total_time=600
"""

import copy
import io
import json
import pickle
import random
import re
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from fxnorm.conventions import STEMS
from fxnorm.errors import FxNormError
from fxnorm.evaluation import read_scores, read_stem_scores
from fxnorm.evaluation.mix_evaluation import STEM_COLUMNS
from fxnorm.evaluation.scoring import COLUMNS
from fxnorm.listening import AnswerKey, read_key, read_results
from fxnorm.listening.answer_key import Stimulus
from fxnorm.mixing.sessions import read_table
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.models.released_weights import read_released
from fxnorm.models.settings_files import load_settings
from fxnorm.models.weights import read_weights
from fxnorm.normalization import DatasetFeatures
from fxnorm.reporting.reference import read_reference
from stages.params import load_params

ROOT = Path(__file__).resolve().parents[1]
KEY = AnswerKey(
    {f"s{number}": Stimulus("song01", "Alpha", f"system {number}") for number in range(3)},
    {"clarity": "Clarity"},
    "fxnorm",
)
#: What breaks readers: encodings, nesting, sizes, aliases, odd numbers and types.
TOKENS = (
    b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b"\xc3", b"\\ud800", b"\xef\xbb\xbf", b"\x85", b"\r",
    b"[" * 3000, b"{\"a\":" * 3000, b"<a>" * 3000, b"9" * 5000, b"0x" + b"f" * 5000, b"1e999",
    b"NaN", b"-Infinity", b"-1", b"0", b"1000000000", b"0.5", b"null", b"true", b"~", b"[]", b"{}",
    b"[5.0]", b"''", b"'", b'"', b",", b";", b"\t", b"\n", b": ", b"- ", b"&a [*a, *a]", b"&a ",
    b"*a", b"<<: *a\n", b"!!python/object/apply:os.system [id]", b"!!int x", b"!!binary x",
    b"!!timestamp x", b"!!set {a}", b"? [a]\n: b\n", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;",
    b"\x80\x04", b"((((", b"\x85\x85", b"R", b".", b"r\xff\xff\xff\x7f", b"\x8d" + b"\xff" * 8,
)  # fmt: skip


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Bytes with a few faults."""
    for _ in range(draw.randint(1, 4)):
        start = draw.randint(0, len(data))
        end = min(len(data), start + draw.choice((1, 2, 8, 64, 1024)))
        token = draw.choice(TOKENS)
        numbers = list(re.finditer(rb"[\d.]+", data[:100_000]))
        kind = draw.choice(("flip", "cut", "insert", "replace", "repeat", "number", "end"))
        if kind == "flip" and start < len(data):
            data = (
                data[:start] + bytes([data[start] ^ (1 << draw.randint(0, 7))]) + data[start + 1 :]
            )
        elif kind == "cut":
            data = data[:start] + data[end:]
        elif kind == "insert":
            data = data[:start] + token + data[start:]
        elif kind == "replace":
            data = data[:start] + token + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[start:]
        elif kind == "number" and numbers:
            found = draw.choice(numbers)
            data = data[: found.start()] + token + data[found.end() :]
        elif kind == "end":
            data = data[:start]
    return data


@dataclass(frozen=True)
class Loader:
    """A file name, bytes that load, what loads a file of that name, and what damages the bytes."""

    name: str
    sample: Callable[[], bytes]
    load: Callable[[Path], object]
    damage: Callable[[bytes, random.Random], bytes] = damaged


def attempt(loader: Loader, data: bytes, folder: Path) -> str:
    """Load bytes: "loaded" or the one line of a refusal; anything else, as a warning, is raised."""
    path = folder / loader.name
    path.write_bytes(data)
    result = "loaded"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            loader.load(path)
        except FxNormError as error:
            result = str(error)
    if warned:
        raise AssertionError(f"warns: {warned[0].message}")
    if len(result.splitlines()) != 1 or len(result) > 4000:
        raise AssertionError(f"not one line: {result[:200]!r}")
    result.encode("utf-8")
    return result


def damaged_arrays(data: bytes, draw: random.Random) -> bytes:
    """An archive of arrays with a few faults that checksums don't give away."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(members))
        name, content = members[at]
        kind = draw.choice(("array", "header", "values", "other", "name", "twice", "lost"))
        if kind == "array":
            content = _odd_array(_array(content), draw)
        elif kind == "header":
            content = _odd_header(content, draw)
        elif kind == "values":
            content = content[:_HEADER] + damaged(content[_HEADER:], draw)
        elif kind == "other":
            content = draw.choice(members)[1]
        elif kind == "name":
            name = draw.choice((damaged(name.encode(), draw).decode("utf-8", "ignore"), *_NAMES))
        elif kind == "twice":
            members.append(members[at])
        elif len(members) > 1:
            del members[draw.randrange(len(members))]
            continue
        members[at] = (name.replace("\0", ""), content)
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name[:1000]), content)
    return stream.getvalue()


def damaged_values(data: bytes, draw: random.Random) -> bytes:
    """A YAML or JSON document, as JSON, with a few keys or values that are others."""
    document = yaml.safe_load(data)
    for _ in range(draw.randint(1, 3)):
        inside, key = draw.choice(list(_places(document)))
        value = inside.pop(key)
        odd = copy.deepcopy(draw.choice(_VALUES))
        if isinstance(inside, list):
            inside.insert(key, odd)
        elif draw.random() < 0.8:
            inside[key] = odd
        elif draw.random() < 0.8:
            inside[draw.choice(_KEYS)] = value
    return json.dumps(document).encode()


_VALUES: tuple[Any, ...] = (
    None, True, [], {}, [1], [[]], {"a": 1}, {"": None}, "", "x", "-x", "../x", "\n", "a\0b", "é",
    "<b>", -1, 0, 1, 2, 3.5, 1e308, 2**62, 10**30, [0, 0], [9, 1], ["x", "x"],
)  # fmt: skip
_KEYS = ("", "a/b", "../x", "-x", "x\n", "é", "<b>", "kind", "network", "stems", "participant")


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping or list inside a document with each of its keys."""
    keys = document if isinstance(document, dict) else range(len(document))
    for key in list(keys):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _places(document[key])


#: Length of the header of numpy's files.
_HEADER = 128
_NAMES = (
    "../eq/vocals.npy", "/eq/vocals.npy", "eq/vocals", "eq.npy", "eq/.npy", "/.npy", ".npy",
    "version", "tone/vocals.npy", "eq/vocals/x.npy", "eq/vo\ncals.npy", "eq/\u2028.npy",
)  # fmt: skip
_DTYPES = (
    "<f2", "<f4", ">f8", "<f16", "<i8", ">u2", "|b1", "<c16", "|O", "|S0", "|S8", "<U4", "|V9",
    "<M8[ns]", "<m8[s]", "|S2147483647", "|V0", "f8", "=f8", "(3,)<f8", "<f8,<f8", "float",
    "object", "", "x",
)  # fmt: skip
_SHAPES = (
    "()", "(1,)", "(2,)", "(32769,)", "(32769, 1)", "(0,)", "(-1,)", "(10**9,)",
    "(1000000000000,)", "(0, 9)", "(1e3,)", "('a',)", "[1]", "None", "(True,)", "(2L,)",
    "(99999999999999999999,)", "(1,) * 64",
)  # fmt: skip


def _array(content: bytes) -> np.ndarray:
    try:
        array: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
        return array
    except Exception:  # Damaged before.
        return np.ones(2)


def _odd_array(array: np.ndarray, draw: random.Random) -> bytes:
    """Another array than what is expected, as numpy writes it."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            values = np.array(array).astype(draw.choice((*_DTYPES[:15], *["<f8"] * 15)))
        except (TypeError, ValueError):
            values = np.array(["text"])
        if values.dtype.kind in "fc" and values.size:
            places = draw.choice((slice(None), draw.randrange(values.size)))
            values.flat[places] = draw.choice((np.nan, np.inf, -np.inf, 1e308, 1e-320, -0.0, -1.0))
    stream = io.BytesIO()
    np.save(stream, draw.choice((values, values, values[..., None], values.ravel()[:0])))
    return stream.getvalue()


def _odd_header(content: bytes, draw: random.Random) -> bytes:
    """Other words at the beginning of a file of numpy's."""
    if draw.random() < 0.5:
        return damaged(content[:_HEADER], draw) + content[_HEADER:]
    kind, shape = draw.choice(("<f8", *_DTYPES)), draw.choice(("(32769,)", *_SHAPES))
    text = f"{{'descr': '{kind}', 'fortran_order': {draw.random() < 0.5}, 'shape': {shape}, }}"
    version = draw.choice((1, 2, 3, 4))
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + content[_HEADER:]


def _config(path: Path) -> object:
    for name in ("model.safetensors", "features.npz"):
        # Not a link: the next loader may damage a file of that name in this folder.
        shutil.copyfile(DEFAULT_MODEL / name, path.with_name(name))
    return load_settings(path.parent)


def _table(columns: tuple[str, ...], *rows: str) -> Callable[[], bytes]:
    return lambda: "\n".join([",".join(columns), *rows, ""]).encode()


@cache
def _features() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npz"
        # Of what is measured, the small part: damage hits what tells the rest.
        bins = 32_769
        DatasetFeatures(
            eq={"vocals": np.ones(bins)},
            compression={"vocals": (-20.0, 3.0)},
            panning={"vocals": np.full(bins, 0.9)},
            loudness={"vocals": -25.0},
        ).save(path)
        return path.read_bytes()


@cache
def _released_features() -> bytes:
    stream = io.BytesIO()
    content = {"loudness": {"vocals": np.ones(1)}, "compression": {"vocals": np.ones(2)}}
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": ()}
    )
    pickle.dump(np.array(content, dtype=object), stream, protocol=3)
    return stream.getvalue()


@cache
def _released_weights() -> bytes:
    stream = io.BytesIO()
    torch.save({"a.weight": torch.ones(2, 3), "b.bias": torch.ones(3)}, stream)
    return stream.getvalue()


@cache
def _pickled_weights() -> bytes:
    stream = io.BytesIO()
    torch.save({"a": torch.ones(2, 3)}, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def _weights() -> bytes:
    import safetensors.torch

    return safetensors.torch.save({"a": torch.ones(2, 3), "b": torch.ones(4)})


_RATING = {"stimulus": "s1", "criterion": "clarity", "rating": 0.5, "page": "song01", "seconds": 3}
_DOCUMENT = {"participant": "Ann", "session": "u1", "questionnaire": {"age": "3"}}
_WEBMUSHRA = (
    "session_test_id,participant,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,"
    "rating_comment\nfxnorm,Ann,u1,song01_clarity,s1,80,61000,fine\n"
)
_WAET = (
    '<?xml version="1.0" encoding="utf-8"?>\n<waetresult key="k7"><survey location="before"/>'
    '<page ref="song01" state="complete"><audioelement ref="s1" type="normal"><comment><response>'
    'a</response></comment><value interface-name="clarity">0.25</value></audioelement></page>'
    "</waetresult>\n"
)
_KEY = (
    "id,page,song,system,test_id,criteria,seed\n"
    's1,song01,Alpha,ours,fxnorm,"{""clarity"": ""Clarity""}",\n'
    's2,song01,Alpha,human,fxnorm,"{""clarity"": ""Clarity""}",\n'
)


def _ratings() -> bytes:
    return json.dumps(_DOCUMENT | {"ratings": [_RATING]}).encode()


def _results(path: Path) -> object:
    return read_results([path], KEY)


LOADERS = {
    "params": Loader(
        "params.yaml", (ROOT / "params.yaml").read_bytes, lambda path: load_params(str(path))
    ),
    "params_values": Loader(
        "params.yaml",
        (ROOT / "params.yaml").read_bytes,
        lambda path: load_params(str(path)),
        damaged_values,
    ),
    "table": Loader(
        "song.yaml",
        lambda: b"kick.wav: drums\nvox.wav: {stem: vocals, gain: -3, pan: 0.5}\n",
        lambda path: read_table(path, STEMS),
    ),
    "config": Loader("config.json", (DEFAULT_MODEL / "config.json").read_bytes, _config),
    "config_values": Loader(
        "config.json", (DEFAULT_MODEL / "config.json").read_bytes, _config, damaged_values
    ),
    "weights": Loader("model.safetensors", _weights, read_weights),
    "features": Loader("features.npz", _features, DatasetFeatures.load),
    "features_inside": Loader("features.npz", _features, DatasetFeatures.load, damaged_arrays),
    "released_features": Loader(
        "released.npy", _released_features, DatasetFeatures.import_released
    ),
    "released_weights": Loader("net.params", _released_weights, read_released),
    "pickled_weights": Loader("net.params", _pickled_weights, read_released),
    "scores": Loader(
        "metrics.csv",
        _table(COLUMNS, "ours,wet,A,spectral,centroid,0.5,", "ours,wet,B,a,b,,x"),
        read_scores,
    ),
    "stem_scores": Loader(
        "stems.csv", _table(STEM_COLUMNS, "A,bass,spectral,centroid,0.5,"), read_stem_scores
    ),
    "reference": Loader("reference.csv", (ROOT / "docs/reference.csv").read_bytes, read_reference),
    "key": Loader("key.csv", _KEY.encode, read_key),
    "ratings_csv": Loader(
        "own.csv", lambda: b"participant,stimulus,criterion,rating\nBob,s1,clarity,0.5\n", _results
    ),
    "ratings_json": Loader("own.json", _ratings, _results),
    "ratings_json_values": Loader("own.json", _ratings, _results, damaged_values),
    "ratings_webmushra": Loader("mushra.csv", _WEBMUSHRA.encode, _results),
    "ratings_xml": Loader("waet.xml", _WAET.encode, _results),
}  # fmt: skip


def main() -> None:
    """Hand one loader to atheris."""
    import atheris

    loader = LOADERS[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as folder:
        atheris.instrument_all()
        atheris.Setup(sys.argv, lambda data: attempt(loader, data, Path(folder)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
