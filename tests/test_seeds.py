import os

from fresh_process import run_code

from fxnorm.errors import printable
from fxnorm.seeds import derive_seed, generator


def test_streams_depend_on_seed_and_purpose_and_on_nothing_else():
    code = "from fxnorm.seeds import derive_seed; print(derive_seed(7, 'reverb', 'song', 3))"
    elsewhere = run_code(code, PYTHONHASHSEED="12345")
    assert int(elsewhere.stdout) == derive_seed(7, "reverb", "song", 3)
    seeds = {derive_seed(7, "a", "bc"), derive_seed(7, "ab", "c"), derive_seed(8, "a", "bc")}
    assert len(seeds) == 3
    assert generator(1, "x").random() == generator(1, "x").random()


def test_names_of_any_bytes_have_seeds():
    name = os.fsdecode(b"\xff\x1b[31m\n.wav")
    assert derive_seed(1, name) == derive_seed(1, name) != derive_seed(1, printable(name))
