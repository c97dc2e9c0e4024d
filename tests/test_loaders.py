"""Every loader takes any bytes: it loads them, or refuses them in one line of our own."""

import io
import json
import logging
import pickle
import random
import re
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.loaders import LOADERS, attempt
from fxnorm.errors import FxNormError
from fxnorm.models.released_weights import read_released

_DEEP = b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"K\x01u."
#: How files of torch before 1.6 begin.
_OLD_FORMAT = b"".join(
    pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
)
_BOMB = b"\n".join(
    [
        b"a0: &a0 [x]",
        *(b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)),
    ]
)
_MERGES = b"\n".join(
    [
        b"a0: &a0 {k: x}",
        *(
            b"a%d: &a%d {<<: [%s]}" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9))
            for n in range(1, 12)
        ),
    ]
)


def _zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _features(**changes):
    with zipfile.ZipFile(io.BytesIO(LOADERS["features"].sample())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return _zipped(**members | {f"{name}.npy": _npy(array) for name, array in changes.items()})


def _config(**network):
    config = json.loads(LOADERS["config"].sample())
    config["network"] |= network
    return json.dumps(config).encode()


def _released(pickled):
    header = LOADERS["released_features"].sample()
    return header[: header.index(b"\x80\x03")] + pickled


def _weights_with(pickled, file="data.pkl"):
    """A .params file with another pickle in it."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(LOADERS["released_weights"].sample())) as old,
        zipfile.ZipFile(stream, "w") as new,
    ):
        for name in old.namelist():
            if name.endswith("data.pkl"):
                new.writestr(name.replace("data.pkl", file), pickled)
            else:
                new.writestr(name, old.read(name))
    return stream.getvalue()


CASES = {
    "params-latin1": ("params", b"seed: 1 # caf\xe9", "not text in UTF-8"),
    "params-twice": ("params", b"seed: 1\nseed: 2", "'seed' is given twice"),
    "params-aliases": ("params", _BOMB, "aliases written out"),
    "params-merges": ("params", _MERGES, "aliases written out"),
    "params-itself": ("params", b"a: &a [*a]", "aliases written out"),
    "params-deep": ("params", b"[" * 3000, "too deeply"),
    "params-integer": ("params", b"seed: 0x" + b"f" * 5000, "too large"),
    "params-base-60": ("params", b"seed: 1" + b":1" * 100_000, "too large"),
    "params-tag": ("params", b"seed: !!python/object/apply:os.system [id]", "not valid YAML"),
    "params-short": (
        "params",
        re.sub(rb"duration_s:.*\n.*\n.*\n", b"duration_s: [5.0]\n", LOADERS["params"].sample()),
        r"synthesis\.duration_s\.1' is missing",
    ),
    "params-kind": (
        "params",
        LOADERS["params"].sample().replace(b"kind: automix", b"kind: [automix]"),
        "network",
    ),
    "table-integer": ("table", b"a.wav: {stem: drums, gain: 9" + b"9" * 400 + b"}", "too large"),
    "config-deep": ("config", b"[" * 100_000, "too deeply"),
    "config-integer": ("config", _config(hidden=10**30), "too large"),
    "config-size": ("config", _config(filters=10**8), "filters"),
    "config-layers": ("config", _config(blocks=10**6), "blocks"),
    "features-version": ("features", _features(version=np.array("one")), "not a features file"),
    "features-list": ("features", _features(version=np.array([1, 1])), "not a features file"),
    "features-bomb": ("features", _zipped(a=bytes(2**29)), "too large"),
    "features-infinite": (
        "features",
        _features(**{"loudness/vocals": np.array([np.longdouble("1e4000")])}),
        "not finite or not from",
    ),
    "features-huge": (
        "features",
        _features(**{"loudness/vocals": np.array([1e300])}),
        "from -150 to 50",
    ),
    "features-python2": (
        "features",
        _zipped(**{"version.npy": _npy(np.ones(10)).replace(b"(10,)", b"(1L,)")}),
        "not a features file .*npz",
    ),
    "features-path": (
        "features",
        _zipped(**{"version.npy": _npy(np.int64(1)), "eq/../../x.npy": _npy(np.ones(2))}),
        "stem type '../../x'",
    ),
    "released-deep": ("released_features", _released(_DEEP), "too long"),
    "released-memo": ("released_features", _released(b"\x80\x02]r\xff\xff\xff\x7f."), "memory"),
    "released-array": (
        "released_features",
        _released(b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\0\0\0\x7ftU\x01OtR."),
        "memory",
    ),
    "released-class": (
        "released_features",
        _released(b"cnumpy\nndarray\n((J\0\0\0\x7ftU\x01OtR."),
        "not the released features",
    ),
    "weights-deep": ("released_weights", _weights_with(_DEEP), "damaged"),
    "weights-capitals": ("released_weights", _weights_with(_DEEP, "DATA.PKL"), "damaged"),
    # An empty archive behind a file of the old format.
    "weights-old": (
        "released_weights",
        _OLD_FORMAT + _DEEP + pickle.dumps([], 2) + b"PK\x05\x06" + bytes(18),
        "damaged",
    ),
    "weights-bomb": ("released_weights", _zipped(**{"a/data.pkl": bytes(10**6)}), "damaged"),
    "scores-text": ("scores", LOADERS["scores"].sample().replace(b"0.5", b"half"), "row 2"),
    "scores-latin1": ("scores", b"system,caf\xe9\n", "not text in UTF-8"),
    "scores-empty": ("scores", b"", "not a CSV table"),
    "scores-infinite": ("scores", LOADERS["scores"].sample().replace(b"0.5", b"1e999"), "row 2"),
    "scores-long": ("scores", LOADERS["scores"].sample().replace(b"0.5,", b"0.5,,"), "8 cells"),
    "scores-short": ("scores", LOADERS["scores"].sample().replace(b",,x", b""), "5 cells"),
    "xml-utf16": ("ratings_xml", "<a/>".encode("utf-16"), "not text in UTF-8"),
    "json-surrogate": (
        "ratings_json",
        LOADERS["ratings_json"].sample().replace(b"Ann", b"\\ud800"),
        "not valid JSON",
    ),
    "json-deep": ("ratings_json", b'{"a":' * 100_000, "too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_known_hostile_files_are_refused_in_little_memory(case, tmp_path):
    name, data, message = CASES[case]
    tracemalloc.start()
    assert re.search(message, attempt(LOADERS[name], data, tmp_path))
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


def test_a_class_of_a_long_name_does_not_get_as_far_as_torch(tmp_path):
    """It would work for a quarter of an hour on a name of 300,000 characters."""
    path = tmp_path / "net.params"
    path.write_bytes(_weights_with(b"\x80\x02c" + b"x" * 10_000 + b"\nx\n."))
    with pytest.raises(FxNormError, match=r"net\.params: damaged") as refused:
        read_released(path)
    assert "at too great length" in str(refused.value.__cause__)


@pytest.mark.parametrize("name", LOADERS)
def test_whole_files_load(name, tmp_path):
    assert attempt(LOADERS[name], LOADERS[name].sample(), tmp_path) == "loaded"


@pytest.mark.parametrize("name", LOADERS)
def test_damaged_files_load_or_are_refused_in_one_line(name, tmp_path_factory):
    folder = tmp_path_factory.mktemp(name)
    logging.disable(logging.WARNING)

    # A minute and more of this with `python -m benchmarks.faults loaders`.
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32), st.binary(max_size=64), st.booleans())
    def load(seed, data, raw):
        attempt(
            LOADERS[name],
            data if raw else LOADERS[name].damage(LOADERS[name].sample(), random.Random(seed)),
            folder,
        )

    load()
    logging.disable(logging.NOTSET)
