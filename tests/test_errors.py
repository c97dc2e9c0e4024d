import os

import pytest
import torch

from fxnorm.errors import from_system, lacks_memory, printable


def test_names_of_any_bytes_become_a_line_of_text():
    name = os.fsdecode(b"\xff\x1b[31m\n.wav")
    assert printable(f"{name} é\u202e") == r"\udcff\x1b[31m\n.wav é\u202e"


def test_want_of_memory_is_known_whichever_library_says_it():
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(2**45)
    assert lacks_memory(of_torch.value)
    assert lacks_memory(MemoryError())
    assert lacks_memory(ImportError("libtorch.so: failed to map segment from shared object"))
    assert not lacks_memory(RuntimeError("shapes do not match"))
    assert not lacks_memory(ValueError("out of memory"))
    assert "not enough memory" in str(from_system(OSError(12, os.strerror(12))))
