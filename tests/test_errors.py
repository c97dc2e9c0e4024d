import os

from fxnorm.errors import printable


def test_names_of_any_bytes_become_a_line_of_text():
    name = os.fsdecode(b"\xff\x1b[31m\n.wav")
    assert printable(f"{name} é\u202e") == r"\udcff\x1b[31m\n.wav é\u202e"
