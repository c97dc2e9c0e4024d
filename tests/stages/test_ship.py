"""Putting a model into the package."""

import pytest

from stages import ship


def test_a_system_that_was_not_trained_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        ship.main("nobody")
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ship: models/nobody")
