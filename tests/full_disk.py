"""Every library that writes our files, on a disk without room; run by test_outputs.py."""

import shutil
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import soundfile
import torch

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_file, atomic_folder

DISK = Path(sys.argv[1])
SIZE = 400_000
WRITERS = {
    "bytes": lambda path: path.write_bytes(bytes(SIZE)),
    "numpy": lambda path: np.save(path.open("wb"), np.zeros(SIZE)),
    "torch": lambda path: torch.save(torch.zeros(SIZE), path),
    "safetensors": lambda path: safetensors.torch.save_file({"a": torch.zeros(SIZE)}, path),
    "soundfile": lambda path: soundfile.write(path, np.zeros(SIZE), 44_100, format="WAV"),
}


def main() -> None:
    target = DISK / "out.wav"
    target.write_bytes(b"old")
    for name, write in WRITERS.items():
        try:
            with atomic_file(target) as temporary:
                write(temporary)
        except FxNormError as error:
            print(name, error)
        try:
            with atomic_folder(DISK / "folder") as folder:
                write(folder / "file")
        except FxNormError as error:
            print(name, error)
    for subtype in ("PCM_16", "FLOAT"):
        try:
            audio.write(target, np.zeros((SIZE, 2)), 44_100, subtype)
        except FxNormError as error:
            print(subtype, error)
    assert shutil.disk_usage(DISK).free > 200_000
    assert [path.name for path in DISK.iterdir()] == ["out.wav"]
    assert target.read_bytes() == b"old"


main()
